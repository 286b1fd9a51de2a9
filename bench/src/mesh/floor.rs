//! The floor of the mesh: `pgbench` making the same change, one statement per transaction, on the same server with the
//! same durability and the same tables and indexes.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use highstreet_domain::kernel::ports::Bus;
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_nats::{JetStreamBus, Settings};
use highstreet_postgres::{PostgresSettings, Store};
use highstreet_testkit::servers::PostgresServer;
use uuid::Uuid;

use crate::load::Load;
use crate::{Outcome, Plan};

const SCHEMA: &str = "pgbench";

/// A new stream, its event and its place in the outbox: what a requested payment comes to. As large as those are.
fn change() -> String {
    let (state, origin, event) = ("x".repeat(430), "x".repeat(150), "x".repeat(330));
    let body = "78".repeat(210);
    format!(
        "WITH made AS (INSERT INTO {SCHEMA}.streams (id, aggregate, revision, version, state, shop, owner, reference, \
         status, created, updated, since, wake, leased, origin) VALUES (gen_random_uuid(), 'payment', 1, 1, '{state}', \
         'skanu', '01012345678', 'ordering/x', 'REQUESTED', 1700000000000000, 1700000000000000, 0, NULL, FALSE, \
         '{origin}') RETURNING stream), recorded AS (INSERT INTO {SCHEMA}.events (stream, revision, time, cause, \
         origin, data, name, body) SELECT stream, 1, 1700000000000000, gen_random_uuid(), '{origin}', '{event}', \
         'PaymentRequested', '\\x{body}' FROM made RETURNING position) \
         INSERT INTO {SCHEMA}.outbox SELECT position FROM recorded;\n"
    )
}

/// How long one change takes on its own.
pub(super) async fn one_commit(plan: &Plan, postgres: &PostgresServer) -> Outcome<Duration> {
    Ok(Duration::from_secs_f64(1.0 / measure(plan, 1, postgres).await?))
}

/// Changes a second.
pub(super) async fn measure(plan: &Plan, callers: usize, postgres: &PostgresServer) -> Outcome<f64> {
    let (mut pgbench, _script) = script(postgres).await?;
    let ran = pgbench
        .args(["--jobs", &callers.min(2).to_string(), "--client", &callers.to_string()])
        .args(["--time", &plan.time.as_secs().to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&ran.stdout);
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.ok_or_else(|| format!("pgbench: {}{said}", String::from_utf8_lossy(&ran.stderr)).into())
}

/// `pgbench` that makes the change, and the file that tells it how.
pub(super) async fn script(postgres: &PostgresServer) -> Outcome<(Command, tempfile::NamedTempFile)> {
    drop(Store::open(&PostgresSettings::new(postgres.url(), SCHEMA)).await?);
    let mut script = tempfile::NamedTempFile::new()?;
    script.write_all(change().as_bytes())?;
    let mut pgbench = Command::new(postgres.program("pgbench"));
    pgbench
        .args(["--host=127.0.0.1", "--username=postgres", "--port", &postgres.port().to_string()])
        .args(["--no-vacuum", "--protocol=prepared", "--file"])
        .arg(script.path())
        .env("PGDATABASE", "highstreet");
    Ok((pgbench, script))
}

/// Publishes messages to a stream that nobody listens to, one at a time.
pub(super) struct Publishing(JetStreamBus);

impl Publishing {
    pub(super) async fn new(url: &str) -> Outcome<Self> {
        Ok(Self(JetStreamBus::connect(Settings { prefix: "floor".into(), ..Settings::at(url) }).await?))
    }

    /// How long one takes to be acknowledged.
    pub(super) async fn one(&self) -> Outcome<Duration> {
        let message = Message {
            id: Uuid::now_v7(),
            source: "floor".into(),
            name: "Published".into(),
            subject: Uuid::now_v7(),
            time: Timestamp::from_micros(1),
            origin: Origin::default(),
            body: [7; 200].to_vec(),
        };
        let begin = Instant::now();
        self.0.publish(vec![message]).await.map_err(|error| error.to_string())?;
        Ok(begin.elapsed())
    }
}

/// How long one publication takes, in the middle of some.
pub(super) async fn one_publication(url: &str) -> Outcome<Duration> {
    let publishing = Publishing::new(url).await?;
    let mut took = Vec::new();
    for _ in 0..500 {
        took.push(publishing.one().await?);
    }
    Ok(Load::from_latencies(took).percentile(0.5))
}

/// Stores events of payments that were requested and approved, two for each, under ids as such payments have: a time
/// in front, and the rest like random.
pub(super) fn store(postgres: &PostgresServer, events: u64) {
    let (state, origin, event, body) = ("x".repeat(430), "x".repeat(150), "x".repeat(330), "78".repeat(210));
    let batch = 500_000;
    let timed = "lpad(to_hex(1700000000000 + n), 12, '0') || '8' || substr(md5(random()::text), 1, 3) || '8' || \
                 substr(md5(random()::text), 1, 15)";
    let run = |sql: &str| postgres.run_in("highstreet", &format!("SET synchronous_commit = off; {sql}"));
    let mut payments = events / 2;
    while payments > 0 {
        let some = payments.min(batch);
        run(&format!(
            "WITH made AS (INSERT INTO payment.streams (id, aggregate, revision, version, state, shop, owner, \
             reference, status, created, updated, since, wake, leased, origin) SELECT ({timed})::uuid, 'payment', 2, \
             1, '{state}', 'skanu', '010' || n, 'ordering/x', 'APPROVED', 1700000000000000 + n, 1700000000000000 + n, \
             0, NULL, FALSE, '{origin}' FROM generate_series(1, {some}) n RETURNING stream) \
             INSERT INTO payment.events (stream, revision, time, cause, origin, data, name, body) SELECT stream, r, \
             1700000000000000, gen_random_uuid(), '{origin}', '{event}', 'PaymentRequested', '\\x{body}' \
             FROM made, generate_series(1, 2) r"
        ));
        payments -= some;
    }
    postgres.run_in("highstreet", "TRUNCATE payment.outbox");
    postgres.run_in("highstreet", "VACUUM ANALYZE payment.streams");
    postgres.run_in("highstreet", "VACUUM ANALYZE payment.events");
    postgres.run_in("highstreet", "CHECKPOINT");
}
