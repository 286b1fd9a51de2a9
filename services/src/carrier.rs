//! What carries messages between contexts, whatever the product.

use std::sync::Arc;

use highstreet_domain::kernel::ports::Bus;
use highstreet_nats::{JetStreamBus, Retention, Settings, State, Tls};
use highstreet_sqlite::EmbeddedBus;

use crate::StartError;
use crate::config::{BusArgs, BusPlace};

/// The bus of this process.
pub(crate) enum Carrier {
    /// A file, for contexts of one process.
    Embedded(Arc<EmbeddedBus>),
    /// A broker.
    JetStream(Arc<JetStreamBus>),
}

// === impl Carrier ===

impl Carrier {
    /// What `args` ask for; `embedded` opens the file, if that is it.
    pub(crate) async fn open(
        args: &BusArgs,
        embedded: impl FnOnce() -> Result<EmbeddedBus, StartError>,
    ) -> Result<Self, StartError> {
        let servers = match &args.bus {
            BusPlace::Embedded => return Ok(Self::Embedded(Arc::new(embedded()?))),
            BusPlace::Nats(servers) => servers,
        };
        let tls = args.bus_ca.clone().map(|authority| Tls { authority: Some(authority), identity: None });
        let settings = Settings {
            credentials: args.bus_credentials.clone(),
            tls,
            replicas: args.bus_replicas,
            retention: Retention { max_age: args.bus_retention, max_bytes: None },
            ..Settings::at(servers)
        };
        let bus = JetStreamBus::connect(settings).await.map_err(|error| StartError::Config(error.to_string()))?;
        Ok(Self::JetStream(Arc::new(bus)))
    }

    /// The bus.
    pub(crate) fn bus(&self) -> Arc<dyn Bus> {
        match self {
            Self::Embedded(bus) => bus.clone(),
            Self::JetStream(bus) => bus.clone(),
        }
    }

    /// Why it is away, if it is. Nothing is lost meanwhile, and everything is carried later.
    pub(crate) fn away(&self) -> Option<String> {
        match self {
            Self::Embedded(_) => None,
            Self::JetStream(bus) => match bus.state() {
                State::Connected => None,
                State::Away(why) => Some(why),
            },
        }
    }
}
