//! What a call brings along besides its message.

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::kernel::{Origin, Timestamp};
use tonic::metadata::{MetadataMap, MetadataValue};
use uuid::Uuid;

/// Who calls: a subject, or `context:NAME` for the mesh itself. Taken from inside the mesh only; the door strips it.
pub const ACTOR: &str = "x-highstreet-actor";
/// The same for everything that one outside request leads to; made if absent, returned always.
pub(crate) const CORRELATION: &str = "x-correlation-id";
/// W3C trace context.
pub(crate) const TRACE: &str = "traceparent";
pub(crate) const TIMEOUT: &str = "grpc-timeout";
const ANONYMOUS: &str = "anonymous";

/// A call's origin and deadline.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// When the caller stops waiting, if it said so.
    pub deadline: Option<Timestamp>,
}

// === impl Call ===

impl Call {
    /// Reads a call's metadata.
    pub(crate) fn of(metadata: &MetadataMap, clock: &dyn Clock) -> Self {
        let text = |key: &str| metadata.get(key).and_then(|value| value.to_str().ok());
        let correlation = text(CORRELATION).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        let origin = Origin {
            actor: text(ACTOR).unwrap_or(ANONYMOUS).to_owned(),
            causation: correlation.clone(),
            correlation,
            trace: text(TRACE).map(str::to_owned),
        };
        let deadline = text(TIMEOUT).and_then(parse_timeout).map(|timeout| clock.now().after(timeout));
        Self { origin: Arc::new(origin), deadline }
    }

    /// Whether the mesh itself calls.
    pub(crate) fn is_from_context(&self) -> bool {
        self.origin.actor.starts_with("context:")
    }
}

/// Hands a call's story on to a callee.
pub(crate) fn write(metadata: &mut MetadataMap, context: &str, origin: &Origin) {
    let mut set = |key: &'static str, value: &str| {
        if let Ok(value) = MetadataValue::try_from(value) {
            metadata.insert(key, value);
        }
    };
    set(ACTOR, &format!("context:{context}"));
    set(CORRELATION, &origin.correlation);
    if let Some(trace) = &origin.trace {
        set(TRACE, trace);
    }
}

/// `grpc-timeout`: up to eight digits and a unit.
pub(crate) fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| (1..=8).contains(&digits.len()))?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(parse_timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(parse_timeout("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for bad in ["", "S", "5", "-1S", "123456789S", "5s", "초"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
