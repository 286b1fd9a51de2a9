//! Forgetting people, on the embedded bus: messages are rewritten where they are, so that whoever is still to hear them
//! hears them in their order.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Erased, ForgetsMessages, Forgetting, StoreError};
use highstreet_domain::kernel::{Erasure, Message, Redact};
use highstreet_foundation::codec::{encode_origin, uuid};
use highstreet_foundation::erasing::{json, text};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::consumer::{MESSAGE, read_message};
use super::{EmbeddedBus, lock};
use crate::rewrite::Work;

/// How many messages are looked through at a time.
const WINDOW: i64 = 512;

#[async_trait]
impl ForgetsMessages for EmbeddedBus {
    async fn sweep_messages(&self, forgetting: &Forgetting<'_>) -> Result<Erased, StoreError> {
        let work = Arc::new(Work::of(forgetting, Vec::new()));
        let (mut erased, mut after, mut more) = (Erased::default(), 0, true);
        while more {
            let mut found = Vec::new();
            (after, more) = self.shared.store.read(|connection| look_through(connection, &work, after, &mut found))?;
            for position in found {
                erased.messages += self.rewrite(&work, position).await?;
            }
            // Others want this thread, too.
            tokio::task::yield_now().await;
        }
        let (consumers, errors) = (work.context.clone(), work.clone());
        let put_aside = move |connection: &Connection| rewrite_errors(connection, &consumers, &errors.erasure);
        erased.letters = self.shared.store.write(put_aside, |_| {}).await?;
        // What is overwritten is gone from the file with it, and only then from the log.
        self.shared.store.empty_log().await?;
        Ok(erased)
    }
}

impl EmbeddedBus {
    async fn rewrite(&self, work: &Arc<Work>, position: i64) -> Result<u64, StoreError> {
        let (shared, work, source) = (self.shared.clone(), work.clone(), work.context.clone());
        let rewrite = move |connection: &Connection| rewrite_message(connection, &work, position);
        let tell = move |done: &u64| {
            if *done > 0 {
                lock(&shared.recent).leave_to_file(&source);
            }
        };
        self.shared.store.write(rewrite, tell).await
    }
}

/// Looks through some messages behind `after`; where to go on, and whether there is more.
fn look_through(
    connection: &Connection,
    work: &Work,
    after: i64,
    found: &mut Vec<i64>,
) -> rusqlite::Result<(i64, bool)> {
    let mut select = connection.prepare_cached(
        "SELECT position, subject, origin, body FROM messages WHERE source = ?1 AND position > ?2 \
         ORDER BY position LIMIT ?3",
    )?;
    let mut rows = select.query(params![work.context, after, WINDOW])?;
    let (mut last, mut seen) = (after, 0);
    while let Some(row) = rows.next()? {
        (last, seen) = (row.get(0)?, seen + 1);
        let says = |column| {
            Ok::<_, rusqlite::Error>(match row.get_ref(column)? {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => work.erasure.may_be_in(bytes),
                _ => false,
            })
        };
        if work.erasure.moved_to(uuid(row.get(1)?)).is_some() || says(2)? || says(3)? {
            found.push(last);
        }
    }
    Ok((last, seen == WINDOW))
}

/// How many messages that changed: one or none.
fn rewrite_message(connection: &Connection, work: &Work, position: i64) -> rusqlite::Result<u64> {
    let found = connection
        .prepare_cached(&format!("SELECT {MESSAGE} FROM messages WHERE position = ?1"))?
        .query_row([position], read_message)
        .optional()?;
    let Some((_, message)) = found else { return Ok(0) };
    let Message { name, body, origin, .. } = &*message;
    let told = (work.retell)(&work.erasure, &work.context, name, body);
    let origin = json(&work.erasure, encode_origin(origin).as_bytes()).and_then(|it| String::from_utf8(it).ok());
    let subject = work.erasure.moved_to(message.subject);
    if told.is_none() && origin.is_none() && subject.is_none() {
        return Ok(0);
    }
    // Its id was made of the subject's.
    let (id, subject) = subject.map_or((message.id, message.subject), |subject| (Uuid::now_v7(), subject));
    connection
        .prepare_cached(
            "UPDATE messages SET id = ?2, subject = ?3, origin = coalesce(?4, origin), body = coalesce(?5, body) \
             WHERE position = ?1",
        )?
        .execute(params![position, id.as_bytes(), subject.as_bytes(), origin, told])
        .map(|changed| changed as u64)
}

/// What was wrong with what the context's listeners put aside may quote it.
fn rewrite_errors(connection: &Connection, context: &str, erasure: &Erasure) -> rusqlite::Result<u64> {
    let mut changed = 0;
    for table in ["parked", "dead_letters"] {
        let select = format!("SELECT consumer, source, position, error FROM {table}");
        let mut select = connection.prepare_cached(&select)?;
        let rows = select.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
        })?;
        for (consumer, source, position, error) in rows.collect::<rusqlite::Result<Vec<_>>>()? {
            let own =
                consumer == context || consumer.strip_prefix(context).is_some_and(|it| it.starts_with(['-', '.']));
            let Some(error) = text(erasure, "error", Some(&error)).filter(|_| own) else { continue };
            let update = format!("UPDATE {table} SET error = ?4 WHERE consumer = ?1 AND source = ?2 AND position = ?3");
            changed += connection.execute(&update, params![consumer, source, position, error])? as u64;
        }
    }
    Ok(changed)
}
