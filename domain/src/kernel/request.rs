//! What is asked of a handler, and what comes back.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use super::ports::{Loaded, StoreError};
use super::{Aggregate, Callee, Cause, Claim, Id, Origin, Outage, Rejection, Scope, Timestamp};

/// A command, and why it is given.
#[derive(Clone, Debug)]
pub struct Request<A: Aggregate> {
    /// What to do.
    pub command: A::Command,
    /// What makes it happen at most once.
    pub cause: Cause,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// The `request_id` it came under, if any.
    pub claim: Option<Claim>,
    /// The revision the caller has seen, if it insists on it.
    pub expected_revision: Option<u64>,
    /// When the caller stops waiting, if it said so.
    pub deadline: Option<Timestamp>,
    /// What the caller may see and change: what is beyond does not exist for them.
    pub scope: Scope,
    /// What becomes of the `request_id` that this stream was claimed under.
    pub release: Release,
    /// The stream as it was last seen, to save loading it. If it has moved on, that costs one conflict.
    pub known: Option<Loaded<A>>,
}

/// Whether a command's commit lets go of the `request_id` its stream is working for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The `request_id` stays with this stream.
    Keep,
    /// The attempt is given up: the next request under the same id starts afresh.
    Claim,
}

/// Where an aggregate stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing<A> {
    /// Its state.
    pub state: A,
    /// How many events led to it.
    pub revision: u64,
    /// When its first event happened.
    pub created: Timestamp,
    /// When its last event happened.
    pub updated: Timestamp,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure<R> {
    /// The rules say no.
    Rejected(R),
    /// The caller insists on a revision that is not the current one.
    RevisionMismatch {
        /// What the caller has seen.
        expected: u64,
        /// What there is.
        actual: u64,
    },
    /// It is not the caller's to see, let alone to change.
    BeyondScope,
    /// The `request_id` was used before, for something else.
    RequestIdReused,
    /// Somebody who had to be asked was not there; what was begun is undone.
    GaveUp {
        /// Who.
        callee: Callee,
        /// What that means for what was asked.
        outage: Outage,
    },
    /// Others changed the stream again and again.
    Contended,
    /// The store is away or broken.
    Store(StoreError),
    /// The work was cut off by a shutdown or a bug; a repeat under the same cause finds out how far it came.
    Interrupted,
}

// === impl Request ===

impl<A: Aggregate> Request<A> {
    /// A command with a cause, and nothing else to it.
    pub fn new(command: A::Command, cause: Cause, origin: Arc<Origin>) -> Self {
        Self {
            command,
            cause,
            origin,
            claim: None,
            expected_revision: None,
            deadline: None,
            scope: Scope::Everything,
            release: Release::Keep,
            known: None,
        }
    }
}

// === impl Failure ===

impl<R> From<StoreError> for Failure<R> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<R: Rejection> fmt::Display for Failure<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => fmt::Display::fmt(rejection, f),
            Self::RevisionMismatch { expected, actual } => {
                write!(f, "expected revision {expected}, but it is {actual}; read it again")
            }
            Self::BeyondScope => f.write_str("there is no such thing that you may see"),
            Self::RequestIdReused => f.write_str("this request_id was used for a different request; make a new one"),
            Self::GaveUp { callee, outage: Outage::NotSent } => {
                write!(f, "{} is not available; try again", callee.name)
            }
            Self::GaveUp { callee, outage: Outage::Unknown } => {
                write!(f, "{} did not answer; what was begun is being undone; try again", callee.name)
            }
            Self::Contended => f.write_str("too many changes at once; try again"),
            Self::Store(error) => fmt::Display::fmt(error, f),
            Self::Interrupted => f.write_str("interrupted; repeat with the same request_id to learn the outcome"),
        }
    }
}

/// What a log line says of `id`.
pub(super) fn stream_name<A: Aggregate>(id: Id<A>) -> String {
    alloc::format!("{}/{id}", A::NAME)
}
