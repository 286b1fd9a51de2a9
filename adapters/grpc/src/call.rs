//! What a call brings along besides its message.

use std::sync::Arc;

use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::kernel::{Origin, Timestamp};
pub(crate) use highstreet_wire::call::parse_timeout;
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
