//! One stream, or one row of a view, without what is to be redacted: as a whole, in a transaction.

use highstreet_domain::kernel::Known;
use highstreet_domain::kernel::ports::{Erased, Forgetting};
use highstreet_foundation::erasing::{json, move_of, row as view_row, text};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

/// What is to be forgotten.
pub(crate) struct Work<'a> {
    pub(crate) forgetting: &'a Forgetting<'a>,
    /// What the person is known by, with the pseudonyms of earlier erasures, too.
    pub(crate) known: Vec<Known>,
}

/// Locked until it is committed, as by whoever appends.
const STREAM: &str =
    "SELECT id, aggregate, state, owner, reference, origin, error FROM streams WHERE stream = $1 FOR UPDATE";

const CHANGED: &str = "
UPDATE streams SET id = $2, state = $3, owner = coalesce($4, owner), reference = coalesce($5, reference),
    origin = coalesce($6, origin), error = coalesce($7, error), era = era + 1
WHERE stream = $1";

const ROW: &str = "
UPDATE views SET state = coalesce($2, state), owner = coalesce($3, owner), key = coalesce($4, key),
    version = version + 1, cursor = nextval('view_changes')
WHERE place = $1";

// === impl Work ===

impl Work<'_> {
    fn json(&self, stored: &str) -> Option<String> {
        json(self.forgetting.erasure, stored.as_bytes()).and_then(|json| String::from_utf8(json).ok())
    }

    fn row(&self, stored: &str) -> Option<String> {
        view_row(self.forgetting.erasure, stored.as_bytes()).and_then(|row| String::from_utf8(row).ok())
    }

    fn text(&self, field: &str, stored: Option<&str>) -> Option<String> {
        text(self.forgetting.erasure, field, stored)
    }

    /// Rewrites a stream; `None` if there is nothing to redact in it.
    pub(crate) async fn rewrite_stream(&self, client: &Client, stream: i64) -> Result<Option<Erased>, Error> {
        let Some(found) = client.query_opt(STREAM, &[&stream]).await? else { return Ok(None) };
        let events = self.rewrite_events(client, stream).await?;
        let entries = self.rewrite_entries(client, stream).await?;
        let (id, aggregate, before): (Uuid, &str, &str) = (found.get(0), found.get(1), found.get(2));
        let state = self.json(before);
        let owner = self.text("customer", found.get(3));
        let reference = self.text("reference", found.get(4));
        let origin = self.json(found.get(5));
        let error = self.text("error", found.get(6));
        let of_row = state.is_some() || owner.is_some() || reference.is_some() || origin.is_some() || error.is_some();
        if events + entries == 0 && !of_row {
            return Ok(None);
        }
        let state = state.unwrap_or_else(|| before.to_owned());
        let kind = self.forgetting.kinds.iter().find(|kind| kind.aggregate == aggregate);
        let id = match kind.and_then(|kind| move_of(kind, &self.known, state.as_bytes())) {
            Some((from, to)) if from == id => free(client, to).await?,
            _ => id,
        };
        client.execute(CHANGED, &[&stream, &id, &state, &owner, &reference, &origin, &error]).await?;
        // What was asked for is part of it: nobody is answered by it any more, and nothing is done twice.
        client.execute("UPDATE claims SET fingerprint = $2 WHERE stream = $1", &[&stream, &Uuid::nil()]).await?;
        Ok(Some(Erased { streams: 1, events, entries, ..Erased::default() }))
    }

    async fn rewrite_events(&self, client: &Client, stream: i64) -> Result<u64, Error> {
        let events = "SELECT position, origin, data, name, body FROM events WHERE stream = $1";
        let update = "UPDATE events SET origin = coalesce($2, origin), data = coalesce($3, data), \
                      body = coalesce($4, body) WHERE position = $1";
        let update = client.prepare(update).await?;
        let mut changed = 0;
        for event in client.query(events, &[&stream]).await? {
            let (origin, data) = (self.json(event.get(1)), self.json(event.get(2)));
            let published = event.get::<_, Option<&str>>(3).zip(event.get::<_, Option<&[u8]>>(4));
            let told = published.and_then(|(name, body)| {
                (self.forgetting.retell)(self.forgetting.erasure, self.forgetting.context, name, body)
            });
            if origin.is_some() || data.is_some() || told.is_some() {
                client.execute(&update, &[&event.get::<_, i64>(0), &origin, &data, &told]).await?;
                changed += 1;
            }
        }
        Ok(changed)
    }

    async fn rewrite_entries(&self, client: &Client, stream: i64) -> Result<u64, Error> {
        let entries = "SELECT entry, key, data FROM entries WHERE stream = $1";
        let update = "UPDATE entries SET key = coalesce($2, key), data = coalesce($3, data) WHERE entry = $1";
        let mut changed = 0;
        for entry in client.query(entries, &[&stream]).await? {
            let (key, data) = (self.text("", entry.get(1)), self.json(entry.get(2)));
            if key.is_some() || data.is_some() {
                client.execute(update, &[&entry.get::<_, i64>(0), &key, &data]).await?;
                changed += 1;
            }
        }
        Ok(changed)
    }

    /// Rewrites a row of a view, under the lock of whoever writes rows of that view; whether there was anything to
    /// redact.
    pub(crate) async fn rewrite_row(
        &self,
        client: &Client,
        place: i64,
        lock: impl Fn(&str) -> i64 + Send + Sync,
    ) -> Result<bool, Error> {
        let Some(found) = client.query_opt("SELECT view FROM views WHERE place = $1", &[&place]).await? else {
            return Ok(false);
        };
        client.query("SELECT pg_advisory_xact_lock($1)::text", &[&lock(found.get(0))]).await?;
        let row = "SELECT state, owner, key FROM views WHERE place = $1 FOR UPDATE";
        let Some(found) = client.query_opt(row, &[&place]).await? else { return Ok(false) };
        let (state, owner) = (self.row(found.get(0)), self.text("customer", found.get(1)));
        let key = self.text("", found.get(2));
        if state.is_none() && owner.is_none() && key.is_none() {
            return Ok(false);
        }
        client.execute(ROW, &[&place, &state, &owner, &key]).await?;
        Ok(true)
    }
}

/// `wanted`, unless something else is there already: what came late was kept under the new name before.
async fn free(client: &Client, wanted: Uuid) -> Result<Uuid, Error> {
    let taken = client.query_opt("SELECT FROM streams WHERE id = $1", &[&wanted]).await?;
    Ok(if taken.is_some() { Uuid::now_v7() } else { wanted })
}
