//! What a call brings along besides its message.

use std::sync::Arc;

use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::kernel::{Origin, Scope, Timestamp};
pub(crate) use highstreet_wire::call::parse_timeout;
use highstreet_wire::call::{CONTEXT, Caller};
use tonic::Request;
use tonic::metadata::{MetadataMap, MetadataValue};
use uuid::Uuid;

use crate::scope::scope_of;

/// Who calls: `context:NAME`, for a context. Believed within the mesh only; the door strips it, and a door that checks
/// identities knows better.
pub const CALLER: &str = "x-highstreet-caller";
/// On whose behalf a context calls: whoever caused the step that it performs.
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
    /// Who calls: a subject, or `context:NAME`.
    pub caller: Arc<str>,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// When the caller stops waiting, if it said so.
    pub deadline: Option<Timestamp>,
    /// What the caller may see and change.
    pub scope: Scope,
}

// === impl Call ===

impl Call {
    /// Reads what a request brings along.
    pub(crate) fn of<R>(request: &Request<R>, clock: &dyn Clock) -> Self {
        let metadata = request.metadata();
        let text = |key: &str| metadata.get(key).and_then(|value| str::from_utf8(value.as_encoded_bytes()).ok());
        let known = request.extensions().get::<Caller>();
        let caller = known.map_or_else(|| text(CALLER).unwrap_or(ANONYMOUS).into(), |known| known.name.clone());
        // People act for themselves.
        let actor = text(ACTOR).filter(|_| is_context(&caller)).unwrap_or(&caller);
        let correlation = text(CORRELATION).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        let origin = Origin {
            actor: actor.to_owned(),
            causation: correlation.clone(),
            correlation,
            trace: text(TRACE).map(str::to_owned),
        };
        let deadline = text(TIMEOUT).and_then(parse_timeout).map(|timeout| clock.now().after(timeout));
        Self { caller, origin: Arc::new(origin), deadline, scope: scope_of(request) }
    }

    /// Whether the mesh itself calls.
    pub(crate) fn is_from_context(&self) -> bool {
        is_context(&self.caller)
    }
}

fn is_context(caller: &str) -> bool {
    caller.starts_with(CONTEXT)
}

/// Hands a call's story on to a callee.
pub(crate) fn write(metadata: &mut MetadataMap, context: &str, origin: &Origin) {
    let mut set = |key: &'static str, value: &str| {
        // Names need not be ASCII.
        if let Ok(value) = MetadataValue::try_from(value.as_bytes()) {
            metadata.insert(key, value);
        }
    };
    set(CALLER, &format!("{CONTEXT}{context}"));
    set(ACTOR, &origin.actor);
    set(CORRELATION, &origin.correlation);
    if let Some(trace) = &origin.trace {
        set(TRACE, trace);
    }
}
