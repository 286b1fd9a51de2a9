//! One context in this process: its store, its services, its loops.

use std::convert::Infallible;
use std::sync::Arc;

use highstreet_domain::kernel::ports::{Deliveries, ErasedKind, Perform, Subscription, Views};
use highstreet_domain::kernel::{
    Aggregate, BoxFuture, Consumer, Forgetter, Handler, HandlerPorts, HandlerSettings, Hearing, Message, Projector,
    Publish, Rebuild, Rebuilds, Relay, Seeing, Steps, View, Worker,
};
use highstreet_foundation::erasing;
use highstreet_grpc::Desk;
use highstreet_grpc::operations::Office;
use highstreet_wire::Hears;
use http::{Request, Response};
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::heard::Counted;
use crate::performed::Timed;
use crate::recognised::{Guard, Recognised};
use crate::seen::Seen;
use crate::store::{ContextStore, Rows, Streams};
use crate::switchboard::AnyService;
use crate::{ContextName, Platform, StartError};

/// What a context does of its own accord, ready to be started.
type Loops = Vec<BoxFuture>;

/// A context that is being put together.
pub(crate) struct Mount<'a> {
    /// What it stands on.
    pub(crate) platform: &'a Platform,
    name: ContextName,
    store: ContextStore,
    services: Vec<(String, AnyService)>,
    steps: Vec<Arc<dyn Steps>>,
    views: Vec<Arc<dyn Rebuilds>>,
    kinds: Vec<ErasedKind>,
    loops: Loops,
    publishes: bool,
    subscriptions: Vec<(Subscription, Listener)>,
}

/// What listens to a subscription.
type Listener = Box<dyn FnOnce(Box<dyn Deliveries>) -> BoxFuture + Send>;

/// A context that runs.
pub struct Context {
    name: ContextName,
    services: Vec<String>,
    /// What it listens to.
    hears: Vec<Subscription>,
    /// They make work.
    loops: JoinSet<()>,
    /// They carry away what it came to.
    relays: JoinSet<()>,
}

/// The handler of an aggregate, and where its streams are kept.
pub(crate) struct Kept<A: Aggregate> {
    pub(crate) handler: Handler<A>,
    pub(crate) streams: Streams<A>,
}

// === impl Mount ===

impl<'a> Mount<'a> {
    pub(crate) async fn new(platform: &'a Platform, name: ContextName) -> Result<Self, StartError> {
        let store = platform.store(name).await?;
        Ok(Self {
            platform,
            name,
            store,
            services: Vec::new(),
            steps: Vec::new(),
            views: Vec::new(),
            kinds: Vec::new(),
            loops: Vec::new(),
            publishes: false,
            subscriptions: Vec::new(),
        })
    }

    /// Keeps the streams of `A`, publishes its events as `publish` says, and performs its steps.
    pub(crate) fn keep<A: Aggregate>(&mut self, publish: Publish<A>, perform: impl Perform<A> + 'static) -> Kept<A> {
        let streams = self.store.streams(publish);
        let settings = HandlerSettings::default();
        let clock = self.platform.clock.clone();
        let ports = HandlerPorts {
            journal: streams.journal.clone(),
            agenda: streams.agenda.clone(),
            perform: Arc::new(Timed::new::<A>(self.name.as_str(), perform)),
            clock: clock.clone(),
            tasks: self.platform.tasks.clone(),
        };
        let handler = Handler::new(ports, settings);
        let worker = Worker { handler: handler.clone(), agenda: streams.agenda.clone(), clock, lease: settings.lease };
        self.loops.push(Box::pin(worker.run()));
        self.steps.push(Arc::new(handler.clone()));
        self.kinds.push(erasing::kind::<A>());
        Kept { handler, streams }
    }

    /// Where calls about `A` arrive.
    pub(crate) fn desk<A: Aggregate>(&self, kept: &Kept<A>) -> Desk<A> {
        Desk {
            handler: kept.handler.clone(),
            listing: kept.streams.listing.clone(),
            ids: self.platform.ids.clone(),
            clock: self.platform.clock.clone(),
        }
    }

    /// Offers a service.
    pub(crate) fn serve<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.services.push((S::NAME.to_owned(), AnyService::new(service)));
    }

    /// Publishes what this context commits.
    pub(crate) fn publish(&mut self) {
        self.publishes = true;
    }

    /// Lets a policy hear what others publish.
    pub(crate) fn react<A: Aggregate>(&mut self, kept: &Kept<A>, hears: Hears, hearing: Hearing<A>) {
        for (source, names) in hears {
            let consumer = Consumer {
                hearing: hearing.clone(),
                handler: kept.handler.clone(),
                clock: self.platform.clock.clone(),
                refused: Arc::new(log_refused),
            };
            let run = Box::new(move |deliveries| -> BoxFuture { Box::pin(consumer.run(deliveries)) });
            self.listen(self.name.as_str(), source, names, run);
        }
    }

    /// Folds what others publish into a view. `listener` never changes, and no other view or policy has it: whoever
    /// listens under one name shares what is heard.
    pub(crate) fn project<V: View>(
        &mut self,
        listener: &'static str,
        hears: Hears,
        seeing: Seeing<V>,
    ) -> Arc<dyn Views<V>> {
        let Rows { views, renewal, projected } = self.store.rows::<V>();
        let subscriptions = hears.iter().map(|(source, names)| subscription(listener, source, names)).collect();
        self.views.push(Arc::new(Rebuild {
            seeing: seeing.clone(),
            renewal,
            bus: self.platform.bus.clone(),
            durables: self.platform.carrier().durables(),
            subscriptions,
            clock: self.platform.clock.clone(),
        }));
        for (source, names) in hears {
            let projector =
                Projector { seeing: seeing.clone(), views: projected(), clock: self.platform.clock.clone() };
            let run = Box::new(move |deliveries| -> BoxFuture { Box::pin(projector.run(deliveries)) });
            self.listen(listener, source, names, run);
        }
        views
    }

    fn listen(&mut self, consumer: &str, source: &str, names: &[&str], listener: Listener) {
        self.subscriptions.push((subscription(consumer, source, names), listener));
    }

    /// The names of its services, and what it listens to.
    #[cfg(test)]
    pub(crate) fn offers_and_hears(self) -> (Vec<String>, Vec<Subscription>) {
        let services = self.services.into_iter().map(|(name, _)| name).collect();
        (services, self.subscriptions.into_iter().map(|(subscription, _)| subscription).collect())
    }

    /// Starts it: what it offers can be called, what it does of its own accord goes on.
    pub(crate) async fn start(self) -> Result<Context, StartError> {
        let mut relays = JoinSet::new();
        if self.publishes {
            let outbox = self.store.outbox(self.name.as_str(), &self.platform.bus)?;
            relays.spawn(Relay { outbox, bus: self.platform.bus.clone(), clock: self.platform.clock.clone() }.run());
        }
        let mut loops: JoinSet<()> = self.loops.into_iter().collect();
        let mut listeners: Vec<_> = self.subscriptions.iter().map(|(it, _)| it.consumer.clone()).collect();
        listeners.sort_unstable();
        listeners.dedup();
        let carrier = self.platform.carrier();
        let (forgets, clock) = (self.store.forgets(), self.platform.clock.clone());
        let guard = Arc::new(Guard::new(forgets.clone(), clock.clone()));
        let mut hears = Vec::new();
        for (subscription, listener) in self.subscriptions {
            let deliveries = self.platform.bus.subscribe(&subscription).await?;
            let deliveries = Box::new(Recognised::new(deliveries, guard.clone()));
            let counted = Counted::new(deliveries, &subscription, clock.clone(), carrier.name());
            loops.spawn(listener(Box::new(counted)));
            hears.push(subscription);
        }
        let services = self.services.iter().map(|(name, _)| name.clone()).collect();
        self.platform.switchboard.connect(self.services);
        let forgetter = Forgetter {
            context: self.name.to_string(),
            store: forgets,
            bus: carrier.forgets(),
            kinds: self.kinds,
            retell: highstreet_wire::erasing::retell,
            clock,
        };
        let vitals = Arc::new(Seen {
            breakers: self.platform.breakers(self.name),
            hears: hears.clone(),
            carrier: carrier.clone(),
            store: self.store,
        });
        let office = Office::new(self.steps, self.views, listeners, carrier.letters(), forgetter, vitals);
        self.platform.offices.open(self.name.as_str(), office);
        Ok(Context { name: self.name, services, hears, loops, relays })
    }
}

fn subscription(consumer: &str, source: &str, names: &[&str]) -> Subscription {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Subscription { consumer: consumer.into(), source: source.into(), names }
}

fn log_refused(stream: &str, message: &Message, why: &str) {
    tracing::info!(stream, source = %message.source, event = message.name, id = %message.id, why, "refused by the rules");
}

// === impl Context ===

impl Context {
    /// The names of its services.
    pub fn services(&self) -> &[String] {
        &self.services
    }

    /// What it listens to.
    pub(crate) fn hears(&self) -> &[Subscription] {
        &self.hears
    }

    /// Takes up nothing more of its own accord; calls are answered as before.
    pub(crate) async fn rest(&mut self) {
        self.loops.shutdown().await;
    }

    /// Stops it: calls are answered `UNAVAILABLE`, its loops end. Everything it knows is kept.
    pub(crate) async fn stop(mut self, platform: &Platform) {
        platform.offices.close(self.name.as_str());
        platform.switchboard.disconnect(self.services);
        self.loops.shutdown().await;
        self.relays.shutdown().await;
    }
}
