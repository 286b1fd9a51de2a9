//! What every store and every bus promises, as functions that run on any of them.
//!
//! An adapter's test makes a factory and calls [`journal`], [`agenda`], [`outbox`], [`listing`], [`views`],
//! [`bus`] or one of the others; each panics with the promise that was broken. Waiting is done on the factory's own clock, and always
//! with an end to it.

mod agenda;
mod bus;
mod forgetting;
mod journal;
mod listing;
mod outbox;
mod renewal;
mod views;
mod writing;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use highstreet_domain::kernel::ports::{
    Agenda, Bus, Clock, DeadLetters, Durables, Forgets, ForgetsMessages, Journal, Listing, Outbox, Renewal, Views,
};

pub use agenda::agenda;
pub use bus::bus;
pub use forgetting::{forgetting_messages, forgetting_streams};
pub use journal::journal;
pub use listing::listing;
pub use outbox::outbox;
pub use renewal::renewal;
pub use views::views;

use crate::counter::{Counter, Tally};

/// Makes stores to be tested.
#[async_trait]
pub trait Stores: Send + Sync {
    /// The ports of a new, empty store. Streams of [`Counter`] are published by [`crate::counter::publish`].
    async fn store(&self) -> StorePorts;
}

/// The ports of one store.
pub struct StorePorts {
    /// Its streams.
    pub journal: Arc<dyn Journal<Counter>>,
    /// Pages of them.
    pub listing: Arc<dyn Listing<Counter>>,
    /// What is due.
    pub agenda: Arc<dyn Agenda<Counter>>,
    /// What is to be published.
    pub outbox: Arc<dyn Outbox>,
    /// Rows.
    pub views: Arc<dyn Views<Tally>>,
    /// The same rows, made anew.
    pub renewal: Arc<dyn Renewal<Tally>>,
    /// The time that the store goes by.
    pub clock: Arc<dyn Clock>,
    /// Kept until the test is over, such as the folder of its files.
    pub guard: Box<dyn Send + Sync>,
}

/// Makes stores that forget people, to be tested.
#[async_trait]
pub trait ForgetfulStores: Send + Sync {
    /// The ports of a new, empty store, and what forgets people in it.
    async fn forgetful_store(&self) -> (StorePorts, Arc<dyn Forgets>);
}

/// Makes buses that forget people, to be tested.
#[async_trait]
pub trait ForgetfulBuses: Send + Sync {
    /// A new, empty bus, and what forgets people on it.
    async fn forgetful_bus(&self) -> (BusPorts, Arc<dyn ForgetsMessages>);
}

/// Makes buses to be tested.
#[async_trait]
pub trait Buses: Send + Sync {
    /// A new, empty bus.
    async fn bus(&self) -> BusPorts;
}

/// The ports of one bus.
pub struct BusPorts {
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// Its dead letters.
    pub letters: Arc<dyn DeadLetters>,
    /// How far its consumers have come.
    pub durables: Arc<dyn Durables>,
    /// The time that it goes by.
    pub clock: Arc<dyn Clock>,
    /// Kept until the test is over.
    pub guard: Box<dyn Send + Sync>,
}

/// What does not happen by then does not happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Long enough to see that something does not happen.
const MOMENT: Duration = Duration::from_millis(100);

/// What `work` comes to.
async fn soon<T>(clock: &dyn Clock, what: &str, work: impl Future<Output = T>) -> T {
    match within(clock, PATIENCE, work).await {
        Some(done) => done,
        None => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}

/// What `work` comes to, if it does within `time`.
async fn within<T>(clock: &dyn Clock, time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let end = clock.until(clock.now().after(time));
    match select(pin!(work), end).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
