//! What all contexts of a process share.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use highstreet_domain::kernel::BoxFuture;
use highstreet_domain::kernel::ports::{Bus, Clock, Ids, Tasks};
use highstreet_domain::notification::Notifier;
use highstreet_domain::payment::PaymentProvider;
use highstreet_foundation::{SystemClock, TimeOrderedIds};
use highstreet_grpc::{Peer, PeerSettings};
use highstreet_notify::{Log, Routing, WebhookSettings};
use highstreet_provider::{Simulated, Simulation};
use highstreet_sqlite::{DataFolder, EmbeddedBus, Store};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ShopArgs;
use crate::{ContextName, StartError, Switchboard};

/// The ground that contexts stand on.
pub struct Platform {
    folder: DataFolder,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) tasks: Arc<TokioTasks>,
    pub(crate) switchboard: Switchboard,
    pub(crate) ending: CancellationToken,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) provider: Arc<Simulated>,
    pub(crate) shops: ShopArgs,
    stores: Mutex<HashMap<ContextName, Arc<Store>>>,
}

/// Runs work on tokio, and knows when all of it is done.
#[derive(Default)]
pub(crate) struct TokioTasks(pub(crate) TaskTracker);

// === impl Platform ===

impl Platform {
    /// Opens what is kept in `data`.
    pub fn open(data: &Path, shops: ShopArgs) -> Result<Self, StartError> {
        let folder = DataFolder::open(data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            bus: Arc::new(EmbeddedBus::open(&folder.file("bus"))?),
            folder,
            ids: Arc::new(TimeOrderedIds),
            tasks: Arc::default(),
            switchboard: Switchboard::default(),
            ending: CancellationToken::new(),
            notifier: notifier(&shops, &clock)?,
            provider: Arc::new(provider(&shops)?),
            clock,
            shops,
            stores: Mutex::default(),
        })
    }

    /// The same, with this payment provider.
    #[must_use]
    pub fn with_provider(self, provider: Simulated) -> Self {
        Self { provider: Arc::new(provider), ..self }
    }

    /// The payment provider, to look at and to switch.
    pub fn provider(&self) -> &Simulated {
        &self.provider
    }

    /// The file of a context. Opened once: what a stopped context was still at goes on in the same file.
    pub(crate) fn store(&self, context: ContextName) -> Result<Arc<Store>, StartError> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&context) {
            return Ok(store.clone());
        }
        let store = Arc::new(Store::open_context(&self.folder.file(context.as_str()))?);
        Ok(stores.entry(context).or_insert(store).clone())
    }

    pub(crate) fn payment_provider(&self) -> Arc<dyn PaymentProvider> {
        self.provider.clone()
    }

    /// How `caller` calls `callee`.
    pub(crate) fn peer(&self, caller: ContextName, callee: ContextName) -> Peer {
        let reach = self.switchboard.reach(callee);
        Peer::new(caller.as_str(), callee.as_str(), reach, PeerSettings::default())
    }
}

fn notifier(shops: &ShopArgs, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Notifier>, StartError> {
    if shops.webhooks.is_empty() {
        return Ok(Arc::new(Log));
    }
    let secret = shops.webhook_secret.clone().ok_or_else(|| {
        StartError::Config("webhooks are signed: set --webhook-secret (or HIGHSTREET_WEBHOOK_SECRET)".into())
    })?;
    let routing = Routing::new(shops.webhooks.clone(), &WebhookSettings::new(secret), clock);
    Ok(Arc::new(routing.map_err(|error| StartError::Config(error.to_string()))?))
}

fn provider(shops: &ShopArgs) -> Result<Simulated, StartError> {
    let simulation = Simulation {
        latency: shops.provider_latency.clone(),
        decline_rate: shops.provider_decline_rate,
        outage: shops.provider_outage,
        concurrency: shops.provider_concurrency,
        ..Simulation::default()
    };
    Simulated::new(simulation).map_err(|error| StartError::Config(error.to_string()))
}

impl Tasks for TokioTasks {
    fn spawn(&self, work: BoxFuture) {
        self.0.spawn(work);
    }
}
