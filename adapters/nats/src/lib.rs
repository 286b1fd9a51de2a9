//! The bus on NATS JetStream.
//!
//! - Each context has a stream, `HIGHSTREET_<CONTEXT>`, which keeps the events it publishes as CloudEvents in binary
//!   mode: attributes in headers, the body as the published language encodes it. Any language reads them with nothing
//!   but the `.proto` file.
//! - Each listener has one durable pull consumer on the stream of each context that it listens to; its replicas share
//!   it. A replica asks only for what it handles next, so that a slow one hoards nothing.
//! - What fails by its own fault is copied to `HIGHSTREET_RETRIES` with its count of failures and comes from there to
//!   the same listener, later and later; after five failures it lies in `HIGHSTREET_DEAD_LETTERS`, whole, with its
//!   error. JetStream's own count of deliveries plays no part: an outage counts against no message.
//! - Streams and consumers are made, and brought up to date, by whoever needs them first, and again after a broker
//!   lost its disk. A process starts while the broker is away; what it asks of the bus is refused within seconds until
//!   the broker is there.

mod at_work;
mod bus;
mod durable;
mod durables;
mod event;
mod forgetting;
mod letter;
mod link;
mod member;
mod names;
mod pull;
mod settings;
mod streams;
mod verdicts;

pub use bus::JetStreamBus;
pub use link::{ConnectError, State};
pub use settings::{Identity, Retention, Settings, Tls};
