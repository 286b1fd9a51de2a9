//! What every protocol says of a call in the same words.

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::Scope;

/// What the names of contexts that call begin with.
pub const CONTEXT: &str = "context:";

/// Who calls, as the check at the door found. It travels in a request's extensions, which nobody can fill from outside;
/// the mesh's own calls within a process bring none.
#[derive(Clone, Debug)]
pub struct Caller {
    /// A subject, or `context:NAME`.
    pub name: Arc<str>,
    /// What they may see and change.
    pub scope: Scope,
}

/// The names of gRPC's statuses, by number.
pub const STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// The domain of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "highstreet.dev";

// === impl Caller ===

impl Caller {
    /// Whether it is a context.
    pub fn is_context(&self) -> bool {
        self.name.starts_with(CONTEXT)
    }
}

/// `grpc-timeout`: up to eight digits and a unit.
pub fn parse_timeout(text: &str) -> Option<Duration> {
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
