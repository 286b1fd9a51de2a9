//! What travels between contexts.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use uuid::Uuid;

use super::{Origin, Timestamp};

/// One published event on its way: a CloudEvent, whatever the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The event's id, the same however often it is published.
    pub id: Uuid,
    /// The context that published it.
    pub source: Arc<str>,
    /// The event's name in the published language, such as `OrderPlaced`.
    pub name: String,
    /// The aggregate it happened to.
    pub subject: Uuid,
    /// When it happened.
    pub time: Timestamp,
    /// Where it came from.
    pub origin: Origin,
    /// The event itself, as the published language encodes it.
    pub body: Vec<u8>,
}
