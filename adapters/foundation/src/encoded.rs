//! Changes as every store takes them: encoded, and the same for all aggregates.

use std::sync::Arc;

use highstreet_domain::kernel::ports::{Append, Loaded, Save, StoreError, Wake};
use highstreet_domain::kernel::{Aggregate, Cause, Happened, Index, Origin, Publish, Standing, Timestamp, View};
use uuid::Uuid;

use crate::codec::{encode, encode_origin, int};

/// An append as a store's core takes it. Counts are `i64` and times microseconds since the epoch, as stores have them.
#[derive(Debug)]
pub struct EncodedAppend {
    /// The stream.
    pub id: Uuid,
    /// The kind of aggregate.
    pub aggregate: &'static str,
    /// The revision it must still have.
    pub after: i64,
    /// The era it must still be in.
    pub era: i64,
    /// The revision it has then.
    pub revision: i64,
    /// The version of the state.
    pub version: i32,
    /// The state.
    pub state: Vec<u8>,
    /// Shop, owner, reference and status; none of them where nobody else may see it.
    pub index: [Option<String>; 4],
    /// When its first event happened.
    pub created: i64,
    /// When its last event happened.
    pub updated: i64,
    /// When to wake it.
    pub wake: Wake,
    /// Where the last of it came from.
    pub origin: String,
    /// What happened.
    pub events: Vec<EncodedEvent>,
    /// Request ids claimed.
    pub claims: Vec<EncodedClaim>,
    /// Whether the claim this stream worked for is let go of.
    pub release: bool,
    /// Entries to keep, by key.
    pub entries: Vec<(String, Vec<u8>)>,
}

/// An event as a store's core takes it.
#[derive(Debug)]
pub struct EncodedEvent {
    /// The revision it led to.
    pub revision: i64,
    /// The cause it answers.
    pub cause: Option<Cause>,
    /// Where it came from.
    pub told_of: Arc<Origin>,
    /// The same, encoded.
    pub origin: String,
    /// What happened.
    pub data: Vec<u8>,
    /// Its name and encoding in the published language, if others are told of it.
    pub published: Option<(&'static str, Arc<[u8]>)>,
}

/// A claim as a store's core takes it.
#[derive(Clone, Copy, Debug)]
pub struct EncodedClaim {
    /// What is claimed.
    pub key: Uuid,
    /// What was asked for.
    pub fingerprint: Uuid,
    /// The revision it led to.
    pub revision: i64,
}

/// A view's row to be written, as a store's core takes it.
#[derive(Debug)]
pub struct EncodedSave {
    /// Its key.
    pub key: String,
    /// The version it was loaded with.
    pub version: i64,
    /// What it is now.
    pub state: Vec<u8>,
    /// What lists filter by.
    pub index: Index,
    /// Now.
    pub time: i64,
}

/// What the stream is, folded from all that happened: for states that another version wrote.
pub fn fold<A: Aggregate>(history: Vec<(Timestamp, A::Event)>) -> Standing<A> {
    let mut standing = Loaded::<A>::default().standing;
    standing.created = history.first().map_or(standing.created, |(time, _)| *time);
    for (time, event) in history {
        standing.state = standing.state.evolve(&event);
        standing.revision += 1;
        standing.updated = time;
    }
    standing
}

// === impl EncodedAppend ===

impl EncodedAppend {
    /// `append`, whose events are told to others as `publish` says.
    pub fn of<A: Aggregate>(append: &Append<A>, publish: Publish<A>) -> Result<Self, StoreError> {
        let events = append.events.iter().zip(append.after + 1..).map(|(recorded, revision)| {
            let (id, state, event, origin) = (append.id, &recorded.state, &recorded.event, &*recorded.origin);
            let happened = Happened { id, revision, state, event, origin };
            Ok(EncodedEvent {
                revision: int(revision),
                cause: recorded.cause,
                told_of: recorded.origin.clone(),
                origin: encode_origin(origin),
                data: encode(event)?,
                published: publish(&happened).map(|published| (published.name, published.body.into())),
            })
        });
        let events: Vec<EncodedEvent> = events.collect::<Result<_, StoreError>>()?;
        // As a rule that of what happened last.
        let same = events.last().filter(|last| Arc::ptr_eq(&last.told_of, &append.origin));
        let origin = same.map_or_else(|| encode_origin(&append.origin), |last| last.origin.clone());
        let index = append.index.clone().map_or([None, None, None, None], |index| {
            [Some(index.shop), Some(index.owner), Some(index.reference), Some(index.status)]
        });
        let claims = append.claims.iter().map(|(claim, revision)| EncodedClaim {
            key: claim.key.uuid(),
            fingerprint: claim.fingerprint.uuid(),
            revision: int(*revision),
        });
        let entries = append.entries.iter().map(|(key, entry)| Ok((key.clone(), encode(entry)?)));
        Ok(Self {
            id: append.id.uuid(),
            aggregate: A::NAME,
            after: int(append.after),
            era: int(append.era),
            revision: int(append.standing.revision),
            version: i32::try_from(A::VERSION).unwrap_or(i32::MAX),
            state: encode(&append.standing.state)?,
            index,
            created: append.standing.created.as_micros(),
            updated: append.standing.updated.as_micros(),
            wake: append.wake,
            origin,
            events,
            claims: claims.collect(),
            release: append.release,
            entries: entries.collect::<Result<_, StoreError>>()?,
        })
    }

    /// When it is due, whether that is a lease, and with which revision it became so.
    pub fn due(&self) -> (Option<i64>, bool, i64) {
        match self.wake {
            Wake::Leased { until, since } => (Some(until.as_micros()), true, int(since)),
            Wake::At { at, since } => (Some(at.as_micros()), false, int(since)),
            Wake::Keep | Wake::Nothing => (None, false, 0),
        }
    }
}

// === impl EncodedSave ===

impl EncodedSave {
    /// `save`, encoded.
    pub fn of<V: View>(save: &Save<V>) -> Result<Self, StoreError> {
        let state = encode(&save.view)?;
        let (key, index) = (save.key.clone(), save.index.clone());
        Ok(Self { key, version: int(save.version), state, index, time: save.time.as_micros() })
    }
}
