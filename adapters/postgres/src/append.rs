//! A group of appends as one statement: all of them are judged first and then written, in one round trip and one
//! commit.
//!
//! The group's columns travel as arrays and are unnested. Rows are locked in the order of their ids, and claims are
//! taken in the order of their keys, so that groups of different processes wait for each other and never in a circle.
//! Tables are looked into by keys from the parameters only, so that no plan depends on what the server believes about
//! their sizes. What only shows up as a clash with a commit that came between (a claim, a new stream) fails the whole
//! statement, which is then repeated and sees it.

use std::error::Error;

use highstreet_domain::kernel::ports::{AppendError, Clock, Wake};
use highstreet_domain::kernel::{Cause, ClaimKey};
use highstreet_foundation::SystemClock;
use highstreet_foundation::encoded::EncodedAppend;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

/// Judges and writes a group; returns a row for each append that was refused, and one for each event that is to be
/// published, with its position.
pub(crate) const COMMIT: &str = "
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::int8[], $5::int8[], $6::int4[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::int8[], $13::int8[], $14::bool[], $15::int8[],
        $16::bool[], $17::int8[], $18::text[], $19::bool[], $20::uuid[], $38::int8[])
    AS t(ord, id, aggregate, after, revision, version, state, shop, owner, reference, status, created, updated,
        turns, wake, leased, since, origin, release, claim, era)
), claiming AS MATERIALIZED (
    SELECT * FROM unnest($21::int4[], $22::uuid[], $23::uuid[], $24::int8[]) AS t(ord, key, fingerprint, revision)
), locked AS MATERIALIZED (
    SELECT stream, id, aggregate, revision, era, claim AS held FROM streams WHERE id = ANY($2) ORDER BY id FOR UPDATE
), gate AS MATERIALIZED (
    -- After the rows: whoever waits for a row of a stranger's must not hold the gate, as all others wait for whoever
    -- wants it alone.
    SELECT pg_advisory_xact_lock_shared($37)::text AS passed FROM (SELECT count(*) FROM locked) AS locked
), taken AS MATERIALIZED (
    SELECT c.ord, c.key FROM claiming c WHERE c.key IN (SELECT key FROM claims WHERE key = ANY($22))
        OR c.ord > (SELECT min(ord) FROM claiming earlier WHERE earlier.key = c.key)
), judged AS MATERIALIZED (
    SELECT g.*, l.stream AS found, l.held,
        (SELECT t.key FROM taken t WHERE t.ord = g.ord LIMIT 1) AS taken,
        coalesce(l.revision, 0) <> g.after OR coalesce(l.era, 0) <> g.era
            OR coalesce(l.aggregate, g.aggregate) <> g.aggregate AS moved
    FROM given g LEFT JOIN locked l USING (id)
    -- Held before any position is drawn.
    CROSS JOIN (SELECT count(passed) FROM gate) AS passed(times)
), placed AS MATERIALIZED (
    -- What is refused has no stream.
    SELECT *, CASE WHEN taken IS NOT NULL OR moved THEN 0
        ELSE coalesce(found, nextval('streams_stream_seq')) END AS stream
    FROM judged
), streams_of AS MATERIALIZED (
    -- By the append's place in the group: looked into, where a join would compare all with all.
    SELECT array_agg(stream ORDER BY ord) AS list FROM placed
), made AS (
    INSERT INTO streams (stream, id, aggregate, revision, version, state, shop, owner, reference, status, created,
        updated, since, wake, leased, origin, claim)
    OVERRIDING SYSTEM VALUE
    SELECT stream, id, aggregate, revision, version, state, shop, owner, reference, status, created,
        updated, since, wake + (extract(epoch FROM clock_timestamp()) * 1000000)::int8, leased, origin, claim
    FROM placed WHERE stream > 0 AND found IS NULL ORDER BY id
), changed AS (
    UPDATE streams s SET revision = g.revision, version = g.version, state = g.state, shop = g.shop,
        owner = g.owner, reference = g.reference, status = g.status, updated = g.updated,
        created = CASE WHEN g.after = 0 THEN g.created ELSE s.created END,
        since = CASE WHEN g.turns THEN g.since ELSE s.since END,
        wake = CASE WHEN g.turns THEN g.wake + (extract(epoch FROM clock_timestamp()) * 1000000)::int8
            ELSE s.wake END,
        leased = CASE WHEN g.turns THEN g.leased ELSE s.leased END,
        origin = CASE WHEN g.turns THEN g.origin ELSE s.origin END,
        attempts = CASE WHEN g.turns THEN 0 ELSE s.attempts END,
        error = CASE WHEN g.turns THEN NULL ELSE s.error END,
        claim = coalesce(g.claim, s.claim)
    FROM placed g
    WHERE s.stream = ANY(ARRAY(SELECT found FROM placed WHERE stream > 0)) AND s.stream = g.stream
        AND g.found IS NOT NULL
), recorded AS (
    INSERT INTO events (stream, revision, time, cause, origin, data, name, body)
    SELECT s.list[e.ord], e.revision, e.time, e.cause, e.origin, e.data, e.name, e.body
    FROM unnest($25::int4[], $26::int8[], $27::int8[], $28::uuid[], $29::text[], $30::text[], $31::text[], $32::bytea[])
        AS e(ord, revision, time, cause, origin, data, name, body)
    CROSS JOIN streams_of s WHERE s.list[e.ord] > 0 ORDER BY e.ord, e.revision
    RETURNING position, name
), outgoing AS (
    INSERT INTO outbox (position) SELECT position FROM recorded WHERE name IS NOT NULL
), released AS (
    DELETE FROM claims c WHERE c.key = ANY(ARRAY(SELECT held FROM placed WHERE release AND stream > 0))
        AND (c.key, c.stream) IN (SELECT held, found FROM placed WHERE release AND stream > 0)
), claimed AS (
    INSERT INTO claims (key, stream, revision, fingerprint)
    -- In an order, like the rows: two groups may claim the same keys.
    SELECT c.key, s.list[c.ord], c.revision, c.fingerprint
    FROM claiming c CROSS JOIN streams_of s WHERE s.list[c.ord] > 0 ORDER BY c.key
), kept AS (
    INSERT INTO entries (stream, key, data, updated)
    SELECT s.list[n.ord], n.key, n.data, n.time
    FROM unnest($33::int4[], $34::text[], $35::text[], $36::int8[]) AS n(ord, key, data, time)
    CROSS JOIN streams_of s WHERE s.list[n.ord] > 0
    ON CONFLICT (stream, key) DO UPDATE SET data = excluded.data, updated = excluded.updated
)
SELECT ord, taken, NULL::int8 FROM placed WHERE stream = 0
UNION ALL SELECT NULL, NULL, position FROM recorded WHERE name IS NOT NULL";

/// A group's columns, one array each, in the order of the statement's parameters.
#[derive(Default)]
pub(crate) struct Columns<'a> {
    pub(crate) ords: Vec<i32>,
    pub(crate) ids: Vec<Uuid>,
    pub(crate) aggregates: Vec<&'a str>,
    pub(crate) afters: Vec<i64>,
    pub(crate) revisions: Vec<i64>,
    pub(crate) versions: Vec<i32>,
    pub(crate) states: Vec<Text<'a>>,
    pub(crate) index: [Vec<Option<&'a str>>; 4],
    pub(crate) created: Vec<i64>,
    pub(crate) updated: Vec<i64>,
    pub(crate) turns: Vec<bool>,
    pub(crate) wakes: Vec<Option<i64>>,
    pub(crate) leased: Vec<bool>,
    pub(crate) since: Vec<i64>,
    pub(crate) origins: Vec<&'a str>,
    pub(crate) releases: Vec<bool>,
    pub(crate) claimed: Vec<Option<Uuid>>,
    pub(crate) eras: Vec<i64>,
    pub(crate) claims: (Vec<i32>, Vec<Uuid>, Vec<Uuid>, Vec<i64>),
    pub(crate) events: Events<'a>,
    pub(crate) entries: (Vec<i32>, Vec<&'a str>, Vec<Text<'a>>, Vec<i64>),
}

#[derive(Default)]
pub(crate) struct Events<'a> {
    pub(crate) ords: Vec<i32>,
    pub(crate) revisions: Vec<i64>,
    pub(crate) times: Vec<i64>,
    pub(crate) causes: Vec<Option<Uuid>>,
    pub(crate) origins: Vec<&'a str>,
    pub(crate) data: Vec<Text<'a>>,
    pub(crate) names: Vec<Option<&'a str>>,
    pub(crate) bodies: Vec<Option<&'a [u8]>>,
}

/// JSON as it is kept in a column of text: it is UTF-8 already, and not looked through again.
#[derive(Debug)]
pub(crate) struct Text<'a>(pub(crate) &'a [u8]);

/// What became of a group.
#[derive(Default)]
pub(crate) struct Committed {
    /// What was refused, by its place in the group.
    pub(crate) refused: Vec<(usize, AppendError)>,
    /// Where what is to be published of the rest is, in its order.
    pub(crate) positions: Vec<i64>,
}

/// Commits a group on a connection.
pub(crate) async fn commit(
    client: &tokio_postgres::Client,
    statement: &Statement,
    gate: i64,
    group: &[&EncodedAppend],
) -> Result<Committed, tokio_postgres::Error> {
    let columns = Columns::of(group);
    let mut committed = Committed::default();
    for row in client.query(statement, &columns.parameters(&gate)).await? {
        match row.get::<_, Option<i64>>(2) {
            Some(position) => committed.positions.push(position),
            None => committed.refused.push(refused(&row)),
        }
    }
    // They were drawn in the order of the group.
    committed.positions.sort_unstable();
    Ok(committed)
}

/// How far away `wake` is, to be added to what the server's clock says: this one may be off.
pub(crate) fn wait(wake: Option<i64>) -> Option<i64> {
    wake.map(|wake| wake - SystemClock.now().as_micros())
}

fn refused(row: &Row) -> (usize, AppendError) {
    let taken: Option<Uuid> = row.get(1);
    let error = taken.map_or(AppendError::Conflict, |key| AppendError::Claimed(ClaimKey::stored(key)));
    (usize::try_from(row.get::<_, i32>(0) - 1).unwrap_or_default(), error)
}

// === impl Columns ===

impl<'a> Columns<'a> {
    pub(crate) fn of(group: &[&'a EncodedAppend]) -> Self {
        let mut columns = Self::default();
        // From 1, as arrays are counted.
        for (ord, append) in (1..).zip(group) {
            columns.push(ord, append);
        }
        columns
    }

    fn push(&mut self, ord: i32, append: &'a EncodedAppend) {
        let (wake, leased, since) = append.due();
        self.ords.push(ord);
        self.ids.push(append.id);
        self.aggregates.push(append.aggregate);
        self.afters.push(append.after);
        self.revisions.push(append.revision);
        self.versions.push(append.version);
        self.states.push(Text(&append.state));
        for (column, value) in self.index.iter_mut().zip(&append.index) {
            column.push(value.as_deref());
        }
        self.created.push(append.created);
        self.updated.push(append.updated);
        self.turns.push(append.wake != Wake::Keep);
        self.wakes.push(wait(wake));
        self.leased.push(leased);
        self.since.push(since);
        self.origins.push(&append.origin);
        self.releases.push(append.release);
        self.claimed.push(append.claims.last().map(|claim| claim.key));
        self.eras.push(append.era);
        let (ords, keys, fingerprints, revisions) = &mut self.claims;
        for claim in &append.claims {
            ords.push(ord);
            keys.push(claim.key);
            fingerprints.push(claim.fingerprint);
            revisions.push(claim.revision);
        }
        for event in &append.events {
            self.events.ords.push(ord);
            self.events.revisions.push(event.revision);
            self.events.times.push(append.updated);
            self.events.causes.push(event.cause.map(Cause::uuid));
            self.events.origins.push(&event.origin);
            self.events.data.push(Text(&event.data));
            self.events.names.push(event.published.as_ref().map(|(name, _)| *name));
            self.events.bodies.push(event.published.as_ref().map(|(_, body)| &**body));
        }
        let (ords, keys, data, times) = &mut self.entries;
        for (key, entry) in &append.entries {
            ords.push(ord);
            keys.push(key);
            data.push(Text(entry));
            times.push(append.updated);
        }
    }

    fn parameters<'b>(&'b self, gate: &'b i64) -> [&'b (dyn ToSql + Sync); 38] {
        let [shop, owner, reference, status] = &self.index;
        let (claim_ords, claim_keys, fingerprints, claim_revisions) = &self.claims;
        let (entry_ords, entry_keys, entry_data, entry_times) = &self.entries;
        [
            &self.ords,
            &self.ids,
            &self.aggregates,
            &self.afters,
            &self.revisions,
            &self.versions,
            &self.states,
            shop,
            owner,
            reference,
            status,
            &self.created,
            &self.updated,
            &self.turns,
            &self.wakes,
            &self.leased,
            &self.since,
            &self.origins,
            &self.releases,
            &self.claimed,
            claim_ords,
            claim_keys,
            fingerprints,
            claim_revisions,
            &self.events.ords,
            &self.events.revisions,
            &self.events.times,
            &self.events.causes,
            &self.events.origins,
            &self.events.data,
            &self.events.names,
            &self.events.bodies,
            entry_ords,
            entry_keys,
            entry_data,
            entry_times,
            gate,
            &self.eras,
        ]
    }
}

// === impl Text ===

impl ToSql for Text<'_> {
    fn to_sql(&self, _type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT
    }

    to_sql_checked!();
}
