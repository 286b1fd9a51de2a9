//! How values are kept: JSON, which people and later versions can read.

use highstreet_domain::kernel::ports::StoreError;
use highstreet_domain::kernel::{Origin, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Most states and events are smaller, in bytes: they are not moved as they grow.
const TYPICAL: usize = 512;

/// A value as it is kept.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let mut json = Vec::with_capacity(TYPICAL);
    serde_json::to_writer(&mut json, value).map_err(|error| StoreError::Unreadable(error.to_string()))?;
    Ok(json)
}

/// A value as it was kept.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// An origin as it is kept.
pub fn encode_origin(origin: &Origin) -> String {
    serde_json::to_string(origin).unwrap_or_default()
}

/// An origin as it was kept; an unreadable one is nobody's.
pub fn decode_origin(text: &str) -> Origin {
    serde_json::from_str(text).unwrap_or_default()
}

/// Sixteen bytes as a UUID.
pub fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

/// Microseconds since the epoch as a time.
pub fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Stores count in `i64`; revisions and positions never come near its end.
pub fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as it was stored.
pub fn count(int: i64) -> u64 {
    u64::try_from(int).unwrap_or(0)
}
