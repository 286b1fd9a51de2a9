//! Why something happens: causes, claims, step keys and where it all came from.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::{NAMESPACE, derived};
use super::{Aggregate, Id};

/// What changes a stream at most once.
///
/// A message delivered again, a request repeated, a step performed twice: each carries the cause it carried the
/// first time, and the journal answers instead of deciding again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    uuid: Uuid,
    recurs: Recurs,
}

/// Whether a cause may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Recurs {
    /// Nobody gives it twice; or a claim stands before it.
    Never,
    /// A message is delivered again, a step is performed again.
    Perhaps,
}

/// The name of one performance of a step: the same for every attempt, so that the callee can recognise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepKey(Uuid);

/// The key under which a `request_id` is claimed: caller, method and request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey(Uuid);

/// What a request asked for, in sixteen bytes: tells a repeat from a different request under the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(Uuid);

/// A `request_id` claimed by its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who asked what under which id.
    pub key: ClaimKey,
    /// What was asked for.
    pub fingerprint: Fingerprint,
}

/// Where a change came from; stored with it and handed on to what follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who caused it: a subject, or `context:NAME` for the mesh itself.
    pub actor: String,
    /// The same for everything that one outside request led to.
    pub correlation: String,
    /// What led to this directly: a message's or a request's id.
    pub causation: String,
    /// The W3C `traceparent` of the span it happened in, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

// === impl Cause ===

impl Cause {
    /// The cause of the `index`-th command that a policy drew from a message.
    pub fn of_message(message: Uuid, index: usize) -> Self {
        Self { uuid: derived(message, &index.to_be_bytes()), recurs: Recurs::Perhaps }
    }

    /// The cause of a request that came under a `request_id`.
    pub const fn of_claim(key: ClaimKey) -> Self {
        Self { uuid: key.0, recurs: Recurs::Never }
    }

    /// The cause of a step's outcome. Success and giving up share it: whichever comes first stands.
    pub const fn of_step(key: StepKey) -> Self {
        Self { uuid: key.0, recurs: Recurs::Perhaps }
    }

    /// A cause nobody else has, from a UUID nobody else has.
    pub const fn unique(uuid: Uuid) -> Self {
        Self { uuid, recurs: Recurs::Never }
    }

    /// The UUID under which stores keep it.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// Whether it may have been answered before.
    pub const fn may_recur(self) -> bool {
        matches!(self.recurs, Recurs::Perhaps)
    }
}

// === impl StepKey ===

impl StepKey {
    /// The key of the step that first became due with `since`, the revision, in the stream of `id`.
    ///
    /// Not with the current revision: an event that leaves the step as it is must not make a second charge.
    pub fn new<A: Aggregate>(id: Id<A>, since: u64) -> Self {
        Self(derived(id.uuid(), format!("step/{since}").as_bytes()))
    }

    /// The UUID to hand to a callee as idempotency key.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

// === impl ClaimKey ===

impl ClaimKey {
    /// The key for what `caller` asks of `method` under `request_id`.
    pub fn new(caller: &str, method: &str, request_id: Uuid) -> Self {
        Self(derived(request_id, format!("{}:{caller}/{method}", caller.len()).as_bytes()))
    }

    /// A key as it was stored.
    pub const fn stored(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID under which stores keep it.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// The fingerprint of a request's content.
    pub fn of(content: &[u8]) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, content))
    }

    /// A fingerprint as it was stored.
    pub const fn stored(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID under which stores keep it.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

// === impl Origin ===

impl Origin {
    /// The same story, one step on: caused by `causation`.
    #[must_use]
    pub fn then(&self, causation: impl Into<String>) -> Self {
        Self { causation: causation.into(), ..self.clone() }
    }
}
