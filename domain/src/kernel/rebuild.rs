//! Makes a view anew from everything that was ever published, while it answers.
//!
//! The rows are folded beside those that answer, by a listener of their own that begins with the first message. Once it
//! has caught up, the view's own rows are held for a moment: nobody writes them, so that what was folded into them lies
//! before a point that the listener then reaches, and the new rows take their place at once. A rebuild that dies leaves
//! the old rows as they are; the next one removes what it left.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::pin;
use core::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, join_all, select};
use uuid::Uuid;

use super::ports::{Bus, Clock, Durables, Renewal, StoreError, Subscription};
use super::{Projector, Seeing, View};

/// How often it looks how far it has come.
const LOOK: Duration = Duration::from_millis(50);
/// The view's own rows are held no longer than this; what could not catch up meanwhile goes on, and tries again.
const HELD: Duration = Duration::from_secs(5);

/// Rebuilds of a view, whatever its type.
#[async_trait]
pub trait Rebuilds: Send + Sync {
    /// The view.
    fn view(&self) -> &'static str;
    /// Rebuilds it under a name that nobody used before, a UUID (version 7); returns how many rows it has then. An
    /// outage ends it, and the rows answer as before.
    async fn rebuild(&self, unique: Uuid) -> Result<u64, StoreError>;
}

/// How a view is rebuilt.
pub struct Rebuild<V: View> {
    /// Makes facts of messages.
    pub seeing: Seeing<V>,
    /// The rows.
    pub renewal: Arc<dyn Renewal<V>>,
    /// What was published.
    pub bus: Arc<dyn Bus>,
    /// How far listeners have come.
    pub durables: Arc<dyn Durables>,
    /// The subscriptions of the view's own listener.
    pub subscriptions: Vec<Subscription>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

// === impl Rebuild ===

#[async_trait]
impl<V: View> Rebuilds for Rebuild<V> {
    fn view(&self) -> &'static str {
        V::NAME
    }

    async fn rebuild(&self, unique: Uuid) -> Result<u64, StoreError> {
        for left in self.renewal.beside_names().await? {
            // Another replica may be at one of them.
            if Uuid::parse_str(&left).is_ok_and(|left| is_older(left, unique)) {
                self.clean_up(&left).await?;
            }
        }
        let name = unique.to_string();
        let rebuilt = self.rebuild_beside(&name).await;
        let cleaned = self.clean_up(&name).await;
        let rows = rebuilt?;
        cleaned.map(|()| rows)
    }
}

impl<V: View> Rebuild<V> {
    async fn rebuild_beside(&self, name: &str) -> Result<u64, StoreError> {
        let mut listening = Vec::new();
        for subscription in self.listener(name) {
            let deliveries = self.bus.subscribe(&subscription).await?;
            let (seeing, views, clock) = (self.seeing.clone(), self.renewal.beside(name), self.clock.clone());
            listening.push(Projector { seeing, views, clock }.run(deliveries));
        }
        match select(pin!(join_all(listening)), pin!(self.switch(name))).await {
            Either::Left(_) => Err(StoreError::Unavailable("nobody listens any more".into())),
            Either::Right((rows, _)) => rows,
        }
    }

    /// Returns once the new rows answer.
    async fn switch(&self, name: &str) -> Result<u64, StoreError> {
        loop {
            self.caught_up(name, None).await?;
            let held = self.renewal.hold().await?;
            if self.caught_up(name, Some(HELD)).await? {
                return held.adopt(name).await;
            }
        }
    }

    /// Whether it has seen everything that was published when it was asked; false if not within `patience`.
    async fn caught_up(&self, name: &str, patience: Option<Duration>) -> Result<bool, StoreError> {
        let until = patience.map(|patience| self.clock.now().after(patience));
        for subscription in self.listener(name) {
            let head = self.durables.head(&subscription.source).await?;
            while self.durables.settled(&subscription).await? < head {
                if until.is_some_and(|until| self.clock.now() >= until) {
                    return Ok(false);
                }
                self.clock.until(self.clock.now().after(LOOK)).await;
            }
        }
        Ok(true)
    }

    async fn clean_up(&self, name: &str) -> Result<(), StoreError> {
        for subscription in self.listener(name) {
            self.durables.forget(&subscription).await?;
        }
        self.renewal.clear(name).await
    }

    fn listener(&self, name: &str) -> impl Iterator<Item = Subscription> {
        self.subscriptions.iter().map(move |subscription| Subscription {
            consumer: format!("{}.{name}", subscription.consumer),
            ..subscription.clone()
        })
    }
}

/// Whether `left` was begun so long before `unique` that nobody can be at it any more: a day, by the time in both.
fn is_older(left: Uuid, unique: Uuid) -> bool {
    let millis = |id: Uuid| u64::from_be_bytes([&[0; 2], &id.as_bytes()[..6]].concat().try_into().unwrap_or_default());
    millis(left) + 86_400_000 < millis(unique)
}
