//! A group of nothing but new streams, at half of what the server spends on the statement for any group
//! ([`crate::append`]): nothing is judged, and one that is there already fails all of it.

use highstreet_foundation::encoded::EncodedAppend;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use crate::append::{Columns, Committed};

/// Writes the group; returns the positions of what is to be published. As in the statement for any group, the gate is held
/// before new rows are written, those in the order of their ids.
pub(crate) const CREATE: &str = "
WITH gate AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared($17)::text AS passed
), placed AS MATERIALIZED (
    SELECT t.*, nextval('streams_stream_seq') AS stream
    FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::int8[], $5::int4[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::int8[], $12::int8[], $13::int8[], $14::bool[], $15::int8[], $16::text[])
    AS t(ord, id, aggregate, revision, version, state, shop, owner, reference, status, created, updated, wake, leased,
        since, origin)
    CROSS JOIN (SELECT count(passed) FROM gate) AS passed(times)
), streams_of AS MATERIALIZED (
    SELECT array_agg(stream ORDER BY ord) AS list FROM placed
), made AS (
    INSERT INTO streams (stream, id, aggregate, revision, version, state, shop, owner, reference, status, created,
        updated, since, wake, leased, origin)
    OVERRIDING SYSTEM VALUE
    SELECT stream, id, aggregate, revision, version, state, shop, owner, reference, status, created, updated, since,
        wake + (extract(epoch FROM clock_timestamp()) * 1000000)::int8, leased, origin
    FROM placed ORDER BY id
), recorded AS (
    INSERT INTO events (stream, revision, time, cause, origin, data, name, body)
    SELECT s.list[e.ord], e.revision, e.time, e.cause, e.origin, e.data, e.name, e.body
    FROM unnest($18::int4[], $19::int8[], $20::int8[], $21::uuid[], $22::text[], $23::text[], $24::text[], $25::bytea[])
        AS e(ord, revision, time, cause, origin, data, name, body)
    CROSS JOIN streams_of s ORDER BY e.ord, e.revision
    RETURNING position, name
), outgoing AS (
    INSERT INTO outbox (position) SELECT position FROM recorded WHERE name IS NOT NULL
)
SELECT position FROM recorded WHERE name IS NOT NULL ORDER BY position";

/// Whether this is nothing but a new stream: nothing is claimed, or kept beside it.
pub(crate) fn is_creation(append: &EncodedAppend) -> bool {
    append.after == 0 && append.era == 0 && append.claims.is_empty() && !append.release && append.entries.is_empty()
}

/// Commits the group on a connection.
pub(crate) async fn commit(
    client: &Client,
    statement: &Statement,
    gate: i64,
    group: &[&EncodedAppend],
) -> Result<Committed, Error> {
    let columns = Columns::of(group);
    let [shop, owner, reference, status] = &columns.index;
    let events = &columns.events;
    let parameters: [&(dyn ToSql + Sync); 25] = [
        &columns.ords,
        &columns.ids,
        &columns.aggregates,
        &columns.revisions,
        &columns.versions,
        &columns.states,
        shop,
        owner,
        reference,
        status,
        &columns.created,
        &columns.updated,
        &columns.wakes,
        &columns.leased,
        &columns.since,
        &columns.origins,
        &gate,
        &events.ords,
        &events.revisions,
        &events.times,
        &events.causes,
        &events.origins,
        &events.data,
        &events.names,
        &events.bodies,
    ];
    let rows = client.query(statement, &parameters).await?;
    Ok(Committed { positions: rows.iter().map(|row| row.get(0)).collect(), ..Committed::default() })
}
