//! What any way from an answer to a trace has at least, one commit and one publication, on the machine as busy as it is
//! then: taken now and then while others are at work.

use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use super::floor::{self, Publishing};
use super::street::Ground;
use crate::Outcome;
use crate::load::Load;

/// How many of each a second: too few to be in the way.
const RATE: u64 = 20;

const LATER: Duration = Duration::from_millis(500);

/// How long both take together, in the middle.
pub(super) async fn measure(ground: &Ground, time: Duration) -> Outcome<Duration> {
    let pgbench = floor::script(&ground.postgres).await?;
    let publishing = Publishing::new(&ground.nats.url()).await?;
    // The others begin after a moment.
    tokio::time::sleep(LATER).await;
    let committing = tokio::task::spawn_blocking(move || committed(pgbench, time));
    let (begin, mut published) = (Instant::now(), Vec::new());
    while begin.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(1000 / RATE)).await;
        published.push(publishing.one().await?);
    }
    let middle = |took| Load::from_latencies(took).percentile(0.5);
    Ok(middle(committing.await??) + middle(published))
}

/// Each commit's time, without what `pgbench` was late.
fn committed((mut pgbench, script): (Command, tempfile::NamedTempFile), time: Duration) -> Outcome<Vec<Duration>> {
    let folder = tempfile::tempdir()?;
    let ran = pgbench
        .current_dir(folder.path())
        .args(["--client=1", "--log", "--rate", &RATE.to_string(), "--time", &time.as_secs().max(1).to_string()])
        .output()?;
    drop(script);
    let mut took = Vec::new();
    for log in std::fs::read_dir(folder.path())? {
        for line in std::fs::read_to_string(log?.path())?.lines() {
            // The time since it was due, in microseconds, is the third; how late it began is the seventh.
            let fields: Vec<u64> = line.split(' ').flat_map(str::parse).collect();
            let since_due = fields.get(2).zip(fields.get(6)).map(|(time, late)| time.saturating_sub(*late));
            took.extend(since_due.map(Duration::from_micros));
        }
    }
    if took.is_empty() {
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&ran.stderr)).into());
    }
    Ok(took)
}
