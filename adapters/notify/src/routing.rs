//! Each message its way.

use std::cmp::Reverse;
use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::Unanswered;
use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::notification::{Letter, Notifier, Refused, Sending};
use thiserror::Error;

use crate::{Log, Route, Webhook, WebhookSettings};

/// Sends each message by the most specific [`Route`] that takes it, and into the [`Log`] if none does.
#[derive(Debug)]
pub struct Routing {
    /// The most specific first.
    ways: Vec<Way>,
}

/// Two routes take exactly the same messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("two routes are for shop `{shop}` and role `{role}`")]
pub struct RepeatedRoute {
    /// The shop of both; `*` is any.
    pub shop: String,
    /// The role of both; `*` is any.
    pub role: String,
}

#[derive(Debug)]
struct Way {
    route: Route,
    webhook: Arc<Webhook>,
}

// === impl Routing ===

impl Routing {
    /// Sends by these routes. Routes to the same URL share a webhook, with its limits.
    pub fn new(routes: Vec<Route>, settings: &WebhookSettings, clock: &Arc<dyn Clock>) -> Result<Self, RepeatedRoute> {
        let mut ways: Vec<Way> = Vec::with_capacity(routes.len());
        for route in routes {
            if ways.iter().any(|way| (&way.route.shop, way.route.role) == (&route.shop, route.role)) {
                return Err(RepeatedRoute::of(&route));
            }
            let known = ways.iter().find(|way| way.route.url == route.url);
            let webhook = known.map_or_else(
                || Arc::new(Webhook::new(route.url.clone(), settings.clone(), Arc::clone(clock))),
                |way| Arc::clone(&way.webhook),
            );
            ways.push(Way { route, webhook });
        }
        ways.sort_by_key(|way| Reverse(way.route.specificity()));
        Ok(Self { ways })
    }

    fn way(&self, letter: &Letter) -> &dyn Notifier {
        match self.ways.iter().find(|way| way.route.takes(letter)) {
            Some(way) => &*way.webhook,
            None => &Log,
        }
    }
}

#[async_trait]
impl Notifier for Routing {
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered> {
        self.way(&sending.letter).send(sending).await
    }
}

// === impl RepeatedRoute ===

impl RepeatedRoute {
    fn of(route: &Route) -> Self {
        Self {
            shop: route.shop.as_ref().map_or("*", |shop| shop.as_str()).into(),
            role: route.role.map_or("*", |role| role.as_str()).into(),
        }
    }
}
