//! What carries messages between contexts, whatever the product.

use std::sync::Arc;

use highstreet_domain::kernel::ports::{Bus, DeadLetters, Durables, ForgetsMessages, StoreError, Subscription};
use highstreet_nats::{Identity, JetStreamBus, Retention, Settings, State, Tls};
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
        let identity = args.bus_certificate.clone().zip(args.bus_key.clone());
        let identity = identity.map(|(certificate, key)| Identity { certificate, key });
        let tls = Tls { authority: args.bus_ca.clone(), identity };
        let tls = (tls != Tls::default()).then_some(tls);
        let settings = Settings {
            credentials: args.bus_credentials.clone(),
            tls,
            replicas: args.bus_replicas,
            retention: Retention { max_age: args.bus_retention, max_bytes: args.bus_retention_bytes },
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

    /// What could not be handled.
    pub(crate) fn letters(&self) -> Arc<dyn DeadLetters> {
        match self {
            Self::Embedded(bus) => bus.clone(),
            Self::JetStream(bus) => bus.clone(),
        }
    }

    /// What forgets people on it.
    pub(crate) fn forgets(&self) -> Arc<dyn ForgetsMessages> {
        match self {
            Self::Embedded(bus) => bus.clone(),
            Self::JetStream(bus) => bus.clone(),
        }
    }

    /// How far listeners have come.
    pub(crate) fn durables(&self) -> Arc<dyn Durables> {
        match self {
            Self::Embedded(bus) => bus.clone(),
            Self::JetStream(bus) => bus.clone(),
        }
    }

    /// How many messages a subscription has before it.
    pub(crate) async fn lag(&self, subscription: &Subscription) -> Result<u64, StoreError> {
        match self {
            Self::Embedded(bus) => bus.lag(subscription),
            Self::JetStream(bus) => bus.lag(subscription).await,
        }
    }

    /// How many dead letters a listener has.
    pub(crate) async fn dead_letter_count(&self, listener: &str) -> Result<u64, StoreError> {
        match self {
            Self::Embedded(bus) => bus.dead_letter_count(listener),
            Self::JetStream(bus) => bus.dead_letter_count(listener).await,
        }
    }

    /// What spans call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Embedded(_) => "embedded",
            Self::JetStream(_) => "nats",
        }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
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
