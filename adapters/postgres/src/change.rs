//! A change of one stream, on its own: what a group is while few callers come, at a third of what the server spends on
//! the statement for groups ([`crate::append`]), which looks for much that is not there.

use highstreet_domain::kernel::Cause;
use highstreet_domain::kernel::ports::{AppendError, Wake};
use highstreet_foundation::encoded::{EncodedAppend, EncodedEvent};
use tokio_postgres::{Client, Error, Statement};

use crate::append::{Committed, Text, wait};

/// Writes the change, unless the stream is another by now; returns a row if it was written, with the positions of what is
/// to be published. In the order of the statement for groups: the row is locked, then the gate is held, then positions are drawn.
pub(crate) const CHANGE: &str = "
WITH locked AS MATERIALIZED (
    SELECT stream FROM streams WHERE id = $1 AND aggregate = $2 AND revision = $3 AND era = $4 FOR UPDATE
), gate AS MATERIALIZED (
    SELECT stream, pg_advisory_xact_lock_shared($5)::text AS passed FROM locked
), changed AS (
    UPDATE streams s SET revision = $6, version = $7, state = $8, shop = $9, owner = $10, reference = $11, status = $12,
        updated = $13,
        since = CASE WHEN $14 THEN $15 ELSE s.since END,
        wake = CASE WHEN $14 THEN $16::int8 + (extract(epoch FROM clock_timestamp()) * 1000000)::int8 ELSE s.wake END,
        leased = CASE WHEN $14 THEN $17 ELSE s.leased END,
        origin = CASE WHEN $14 THEN $18 ELSE s.origin END,
        attempts = CASE WHEN $14 THEN 0 ELSE s.attempts END,
        error = CASE WHEN $14 THEN NULL ELSE s.error END
    FROM gate g WHERE s.stream = g.stream AND g.passed IS NOT NULL
    RETURNING s.stream
), recorded AS (
    INSERT INTO events (stream, revision, time, cause, origin, data, name, body)
    SELECT c.stream, e.revision, $13, e.cause, e.origin, e.data, e.name, e.body
    FROM changed c
    CROSS JOIN unnest($19::int8[], $20::uuid[], $21::text[], $22::text[], $23::text[], $24::bytea[])
        AS e(revision, cause, origin, data, name, body)
    ORDER BY e.revision
    RETURNING position, name
), outgoing AS (
    INSERT INTO outbox (position) SELECT position FROM recorded WHERE name IS NOT NULL
)
SELECT ARRAY(SELECT position FROM recorded WHERE name IS NOT NULL ORDER BY position) FROM changed";

/// Whether this is nothing but a change of a stream that is there: nothing is claimed, let go of, or kept beside it.
pub(crate) fn is_change(append: &EncodedAppend) -> bool {
    append.after > 0 && append.claims.is_empty() && !append.release && append.entries.is_empty()
}

/// Commits it on a connection, as a group of one.
pub(crate) async fn commit(
    client: &Client,
    statement: &Statement,
    gate: i64,
    append: &EncodedAppend,
) -> Result<Committed, Error> {
    let (wake, leased, since) = append.due();
    let (wake, turns) = (wait(wake), append.wake != Wake::Keep);
    let [shop, owner, reference, status] = &append.index;
    let events = &append.events;
    let published = |event: &EncodedEvent| event.published.as_ref().map(|(name, _)| *name);
    let rows = client
        .query(
            statement,
            &[
                &append.id,
                &append.aggregate,
                &append.after,
                &append.era,
                &gate,
                &append.revision,
                &append.version,
                &Text(&append.state),
                shop,
                owner,
                reference,
                status,
                &append.updated,
                &turns,
                &since,
                &wake,
                &leased,
                &append.origin,
                &events.iter().map(|event| event.revision).collect::<Vec<_>>(),
                &events.iter().map(|event| event.cause.map(Cause::uuid)).collect::<Vec<_>>(),
                &events.iter().map(|event| &*event.origin).collect::<Vec<_>>(),
                &events.iter().map(|event| Text(&event.data)).collect::<Vec<_>>(),
                &events.iter().map(published).collect::<Vec<_>>(),
                &events.iter().map(|event| event.published.as_ref().map(|(_, body)| &**body)).collect::<Vec<_>>(),
            ],
        )
        .await?;
    Ok(match rows.first() {
        Some(row) => Committed { positions: row.get(0), ..Committed::default() },
        None => Committed { refused: vec![(0, AppendError::Conflict)], ..Committed::default() },
    })
}
