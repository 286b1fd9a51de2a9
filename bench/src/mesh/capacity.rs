//! What one order costs each part of the mesh, from the call to the last thing that follows from it: what capacity is
//! planned with. Whether the plan is right shows in how fast the same orders really go through.

use std::fs;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Instant;

use super::ALL;
use super::street::{Ground, Mesh};
use crate::cafe::{self, Each, Orders, SHOP};
use crate::report::Report;
use crate::{Outcome, Plan};

/// Processor seconds and bytes used so far.
struct Used {
    /// By part: contexts, `gateway`, `PostgreSQL`, `NATS`, and `callers`, which is this program.
    processor: Vec<(String, f64)>,
    postgres: f64,
    nats: f64,
}

/// Orders that are placed and paid through the gateway, and everything that follows from them.
pub(super) async fn measure(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let mesh = ground.mesh(plan, &ALL, ("", &[])).await?;
    let through = mesh.gateway.channels().await?;
    let orders = Orders::default();
    cafe::place(&plan.of(1), &through, &orders).await?;
    rest(&mesh).await?;
    orders.lock().unwrap_or_else(PoisonError::into_inner).clear();

    let (before, begin) = (used(ground, &mesh)?, Instant::now());
    cafe::place(plan, &through, &orders).await?;
    let orders = std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner));
    cafe::pay(&plan.during(plan.time * 20), &through, &Each::of(&orders)).await?;
    followed(ground, orders.len()).await?;
    let took = begin.elapsed().as_secs_f64();
    rest(&mesh).await?;
    let after = used(ground, &mesh)?;

    let count = orders.len() as f64;
    let mut whole = 0.0;
    for ((part, before), (_, after)) in before.processor.iter().zip(&after.processor) {
        let each = (after - before) / count;
        whole += each;
        report.cost(&format!("processor time of an order: {part}"), each);
    }
    report.cost("processor time of an order: all together", whole);
    report.kibibytes("kept of an order: PostgreSQL", (after.postgres - before.postgres) / count);
    report.kibibytes("kept of an order: NATS", (after.nats - before.nats) / count);
    let cores = std::thread::available_parallelism()?.get() as f64;
    report.rate("orders a second, as the plan has it", cores / whole);
    report.rate("orders a second, as they went through", count / took);
    Ok(())
}

/// Returns once so many traces say that they are paid.
async fn followed(ground: &Ground, orders: usize) -> Outcome<()> {
    let paid = format!("SELECT count(*) FROM tracking.views WHERE shop = '{SHOP}' AND status = 'PAID'");
    while ground.postgres.run_in("highstreet", &paid).parse::<usize>()? < orders {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn rest(mesh: &Mesh) -> Outcome<()> {
    for (_, server) in &mesh.contexts {
        cafe::settle(server).await?;
    }
    Ok(())
}

fn used(ground: &Ground, mesh: &Mesh) -> Outcome<Used> {
    let mut all = Vec::new();
    for (name, server) in &mesh.contexts {
        all.push(((*name).to_owned(), server.processor()?));
    }
    all.push(("gateway".into(), mesh.gateway.processor()?));
    let postgres = ground.postgres.id().ok_or("PostgreSQL does not run")?;
    all.push(("PostgreSQL".into(), with_children(postgres)?));
    all.push(("NATS".into(), of_process(ground.nats.process().id())?));
    all.push(("callers".into(), of_process(std::process::id())?));
    let size = ground.postgres.run_in("highstreet", "SELECT pg_database_size('highstreet')").parse()?;
    Ok(Used { processor: all, postgres: size, nats: size_of(ground.nats.folder())? })
}

/// Of a process and those that it started, the ended ones too.
fn with_children(parent: u32) -> Outcome<f64> {
    let mut all = of_process(parent)?;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended since.
        let Ok(fields) = fields(id) else { continue };
        if fields.get(1).is_some_and(|of| *of == parent.to_string()) {
            all += seconds(&fields, 11..13)?;
        }
    }
    Ok(all + seconds(&fields(parent)?, 13..15)?)
}

fn of_process(id: u32) -> Outcome<f64> {
    seconds(&fields(id)?, 11..13)
}

/// What stands in `/proc/ID/stat` after the name.
fn fields(id: u32) -> Outcome<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let after_name = stat.rsplit(')').next().ok_or("no stat")?;
    Ok(after_name.split_whitespace().map(str::to_owned).collect())
}

fn seconds(fields: &[String], ticks: std::ops::Range<usize>) -> Outcome<f64> {
    let mut all = 0.0;
    for field in fields.get(ticks).ok_or("no times")? {
        all += field.parse::<f64>()? / 100.0;
    }
    Ok(all)
}

fn size_of(folder: &Path) -> Outcome<f64> {
    let mut all = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        all += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() as f64 };
    }
    Ok(all)
}
