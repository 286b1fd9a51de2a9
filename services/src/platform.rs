//! What all contexts of a process share.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use highstreet_console::SignIn;
use highstreet_domain::kernel::BoxFuture;
use highstreet_domain::kernel::ports::{Bus, Clock, Ids, Tasks};
use highstreet_domain::notification::Notifier;
use highstreet_domain::payment::PaymentProvider;
use highstreet_foundation::{SystemClock, TimeOrderedIds, trace};
use highstreet_grpc::operations::Offices;
use highstreet_grpc::{
    BreakerView, CallerLimitLayer, Channel, ChannelSettings, DoorTls, LimitLayer, Peer, PeerSettings, PeerTls, TlsError,
};
use highstreet_json::JsonSettings;
use highstreet_notify::{Routing, Smtp, SmtpSettings, WebhookSettings};
use highstreet_postgres::{OpenError, PostgresSettings};
use highstreet_provider::{Simulated, Simulation};
use highstreet_sqlite::{DataFolder, EmbeddedBus};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::carrier::Carrier;
use crate::config::{GroundArgs, ShopArgs, StorePlace};
use crate::identities::Identities;
use crate::store::ContextStore;
use crate::{ContextName, StartError, Switchboard};

/// How long a start waits for a store that is still starting.
const STORE_PATIENCE: Duration = Duration::from_secs(30);
const STORE_AGAIN: Duration = Duration::from_millis(500);

/// The ground that contexts stand on.
pub struct Platform {
    ground: GroundArgs,
    folder: Mutex<Option<Arc<DataFolder>>>,
    carrier: Arc<Carrier>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) tasks: Arc<TokioTasks>,
    pub(crate) switchboard: Switchboard,
    pub(crate) offices: Offices,
    pub(crate) ending: CancellationToken,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) provider: Arc<Simulated>,
    pub(crate) shops: ShopArgs,
    identities: Option<Identities>,
    door_tls: Option<DoorTls>,
    peer_tls: Option<PeerTls>,
    stores: tokio::sync::Mutex<HashMap<ContextName, ContextStore>>,
    /// The ways to contexts elsewhere, whoever calls them.
    channels: Mutex<HashMap<ContextName, Channel>>,
    /// How contexts here stand with those they call, by caller and callee.
    breakers: Mutex<BTreeMap<(&'static str, &'static str), BreakerView>>,
}

/// Runs work on tokio, and knows when all of it is done.
pub(crate) struct TokioTasks {
    pub(crate) all: TaskTracker,
    /// Work may be handed over wherever a caller is dropped.
    runtime: Handle,
}

// === impl Platform ===

impl Platform {
    /// Opens the ground that contexts stand on; their stores are opened with them.
    pub async fn open(ground: GroundArgs, shops: ShopArgs) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let files = Mutex::default();
        let embedded = || Ok(EmbeddedBus::open(&folder(&ground, &files)?.file("bus"))?);
        let carrier = Arc::new(Carrier::open(&ground.bus, embedded).await?);
        // Boxed: reading keys over HTTP is large, and seldom done.
        let identities = Box::pin(Identities::open(&ground.auth, &clock)).await?;
        let unusable = |error: TlsError| StartError::Config(error.to_string());
        let peer_tls = ground.peers.are_encrypted().then(|| ground.tls.peer()).transpose().map_err(unusable)?;
        Ok(Self {
            bus: carrier.bus(),
            carrier,
            folder: files,
            ids: Arc::new(TimeOrderedIds),
            tasks: Arc::new(TokioTasks { all: TaskTracker::new(), runtime: Handle::current() }),
            switchboard: Switchboard::default(),
            offices: Offices::default(),
            ending: CancellationToken::new(),
            notifier: notifier(&shops, &clock)?,
            provider: Arc::new(provider(&shops)?),
            clock,
            shops,
            identities,
            door_tls: ground.tls.door().map_err(unusable)?,
            peer_tls,
            ground,
            stores: tokio::sync::Mutex::default(),
            channels: Mutex::default(),
            breakers: Mutex::default(),
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

    /// Where a context keeps what it knows. Opened once: what a stopped context was still at goes on in the same store.
    pub(crate) async fn store(&self, context: ContextName) -> Result<ContextStore, StartError> {
        let mut stores = self.stores.lock().await;
        if let Some(store) = stores.get(&context) {
            return Ok(store.clone());
        }
        let store = match self.ground.store_of(context) {
            StorePlace::Sqlite => {
                let file = folder(&self.ground, &self.folder)?.file(context.as_str());
                ContextStore::Sqlite(Arc::new(highstreet_sqlite::Store::open_context(&file)?))
            }
            StorePlace::Postgres(url) => {
                ContextStore::Postgres(Arc::new(schema(&self.ground, &self.clock, context, url).await?))
            }
        };
        Ok(stores.entry(context).or_insert(store).clone())
    }

    /// The stores that are open, by context.
    pub(crate) async fn stores(&self) -> Vec<(ContextName, ContextStore)> {
        self.stores.lock().await.iter().map(|(context, store)| (*context, store.clone())).collect()
    }

    pub(crate) fn payment_provider(&self) -> Arc<dyn PaymentProvider> {
        self.provider.clone()
    }

    /// How `caller` calls `callee`: where it was said to be, else within this process.
    pub(crate) fn peer(&self, caller: ContextName, callee: ContextName) -> Peer {
        let (name, settings) = (caller.as_str(), PeerSettings::default());
        let peer = match self.channel(callee) {
            Some(channel) => {
                let credentials = self.identities.as_ref().and_then(|identities| identities.credentials(caller));
                Peer::across(name, callee.as_str(), &channel, settings).with_credentials(credentials)
            }
            None => Peer::new(name, callee.as_str(), self.switchboard.reach(callee), settings),
        };
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner).insert((name, callee.as_str()), peer.breaker());
        peer
    }

    /// How `caller` stands with those it calls, in the order of their names.
    pub(crate) fn breakers(&self, caller: ContextName) -> Vec<BreakerView> {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.iter().filter(|((name, _), _)| *name == caller.as_str()).map(|(_, view)| view.clone()).collect()
    }

    /// The way to a context elsewhere, if it was said where that is.
    pub(crate) fn channel(&self, context: ContextName) -> Option<Channel> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&context) {
            return Some(channel.clone());
        }
        let settings = ChannelSettings { tls: self.peer_tls.clone(), ..ChannelSettings::default() };
        let channel = Channel::new(self.ground.peers.addresses_of(context)?, settings);
        Some(channels.entry(context).or_insert(channel).clone())
    }

    /// How the door is encrypted, if it is.
    pub(crate) fn door_tls(&self) -> Option<DoorTls> {
        self.door_tls.clone()
    }

    /// How connections to contexts elsewhere are encrypted, if they are.
    pub(crate) fn peer_tls(&self) -> Option<PeerTls> {
        self.peer_tls.clone()
    }

    /// How many connections the door takes, and how many calls on each.
    pub(crate) fn most_connections(&self) -> (usize, u32) {
        (self.ground.most_connections, self.ground.most_streams)
    }

    /// How much any one caller may ask for; `None` where that is not limited.
    pub(crate) fn caller_limits(&self) -> Option<CallerLimitLayer> {
        let (most, methods) = (self.ground.caller_rate_limit, &self.ground.method_rate_limits);
        (most.is_some() || !methods.is_empty()).then(|| CallerLimitLayer::new(most, methods))
    }

    /// How much the door lets in.
    pub(crate) fn limits(&self) -> LimitLayer {
        LimitLayer::new(self.ground.most_calls, self.ground.rate_limit)
    }

    /// Who may call this process, where callers have to say who they are.
    pub(crate) fn identities(&self) -> Option<&Identities> {
        self.identities.as_ref()
    }

    /// How visitors of the console say who they are.
    pub(crate) fn sign_in(&self) -> SignIn {
        let open = self.identities.is_none();
        if open { SignIn::Open } else { self.ground.web.sign_in(self.ground.auth.issuer().as_ref()) }
    }

    /// How JSON is served.
    pub(crate) fn json(&self) -> JsonSettings {
        self.ground.web.settings()
    }

    /// Whether callers may say who they are.
    pub(crate) fn trusts_peers(&self) -> bool {
        self.ground.peers.trust_peers
    }

    pub(crate) fn carrier(&self) -> Arc<Carrier> {
        self.carrier.clone()
    }
}

/// Opens the schema of a context; waits for a server that is still starting.
pub(crate) async fn schema(
    ground: &GroundArgs,
    clock: &Arc<dyn Clock>,
    context: ContextName,
    url: &str,
) -> Result<highstreet_postgres::Store, StartError> {
    let settings = PostgresSettings {
        connections: ground.store_connections,
        writers: ground.store_writers,
        connect_timeout: ground.store_connect_timeout,
        statement_timeout: ground.store_statement_timeout,
        authorities: ground.store_ca.clone(),
        ..PostgresSettings::new(url, context.as_str())
    };
    let until = clock.now().after(STORE_PATIENCE);
    loop {
        match highstreet_postgres::Store::open(&settings).await {
            Err(OpenError::Away(why)) if clock.now() < until => {
                tracing::warn!(%context, why, "the store cannot be reached yet");
                tokio::time::sleep(STORE_AGAIN).await;
            }
            opened => return Ok(opened?),
        }
    }
}

/// The folder of whatever is kept in files, opened when it is needed first.
fn folder(ground: &GroundArgs, opened: &Mutex<Option<Arc<DataFolder>>>) -> Result<Arc<DataFolder>, StartError> {
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = &*opened {
        return Ok(folder.clone());
    }
    Ok(opened.insert(Arc::new(DataFolder::open(&ground.data)?)).clone())
}

fn notifier(shops: &ShopArgs, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Notifier>, StartError> {
    let config = |why: &str| StartError::Config(why.into());
    let mut routing = Routing::default();
    if !shops.webhooks.is_empty() {
        let secret = shops
            .webhook_secret
            .clone()
            .ok_or_else(|| config("webhooks are signed: set --webhook-secret (or HIGHSTREET_WEBHOOK_SECRET)"))?;
        let routed = routing.with_webhooks(shops.webhooks.clone(), &WebhookSettings::new(secret), clock);
        routing = routed.map_err(|error| config(&error.to_string()))?;
    }
    match (&shops.smtp_url, &shops.smtp_from) {
        (Some(url), Some(from)) => {
            let smtp = Smtp::new(SmtpSettings::new(url.clone(), from.clone()), clock.clone());
            let routed = routing.with_mail(shops.mail.clone(), smtp);
            routing = routed.map_err(|error| config(&error.to_string()))?;
        }
        (None, None) if shops.mail.is_empty() => {}
        (None, _) => return Err(config("to send mail takes a server: set --smtp-url (or HIGHSTREET_SMTP_URL)")),
        (_, None) => return Err(config("mail is from somebody: set --smtp-from (or HIGHSTREET_SMTP_FROM)")),
    }
    Ok(Arc::new(routing))
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
        // Its lines in the log, and its spans, are those of the call that it is done for.
        self.all.spawn_on(trace::carried(work), &self.runtime);
    }

    fn contain(&self, step: &mut dyn FnMut()) -> bool {
        catch_unwind(AssertUnwindSafe(step)).is_ok()
    }
}
