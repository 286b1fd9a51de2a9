//! Measures Highstreet against floors taken in the same run on the same machine: `cargo xtask bench`.
//!
//! Server and load run in processes of their own, on loopback. A figure is a ratio; what it was divided by stands
//! beside it. Timed asserts do not belong in tests: this prints, and fails only if a call fails.
#![allow(clippy::disallowed_methods, reason = "measuring time is what this is for")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures")]

mod cafe;
mod child;
mod floor;
mod lag;
mod load;
mod mesh;
mod report;
mod resilience;
mod scale;
mod shops;
mod told;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::report::Report;

/// What the parts of this crate return.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Seconds per measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Callers at once.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Rounds of everything; the middle one of each figure counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also measure with this many stored orders (1000000 for the figures in the README), or events, for the mesh (10000000).
    #[arg(long)]
    stored: Option<u64>,
    /// Write the figures into README.md.
    #[arg(long)]
    write: bool,
    /// The server to measure; built beside this program if not given.
    #[arg(long)]
    server: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Contexts in processes of their own, on PostgreSQL and NATS.
    Mesh,
    /// What one order costs each part of the mesh, to plan capacity with.
    Capacity,
    /// How soon what happened is shown, at several paces.
    Lag,
    /// Only what JSON costs beside gRPC, through the gateway of a mesh, and what checking callers costs.
    Json,
    /// The other shops: a rush on one screening, many books, deadlines; with --stored, stock that moves.
    Shops,
    /// What it costs to tell a collector of one trace in a hundred.
    Telemetry,
    /// A slow, a dead and a saturated payment, with plots in docs/figures.
    Resilience,
    /// Requests payments of a server that runs already, to look at it while it works.
    #[command(hide = true)]
    Payments {
        /// Where it listens.
        address: std::net::SocketAddr,
    },
    /// The bare servers that figures are divided by.
    #[command(hide = true)]
    Floor {
        /// Where its rows go.
        data: PathBuf,
    },
}

/// How to measure.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) time: Duration,
    pub(crate) callers: usize,
    pub(crate) server: PathBuf,
}

// === impl Plan ===

impl Plan {
    /// The same, for so many seconds.
    pub(crate) fn of(&self, seconds: u64) -> Self {
        self.during(Duration::from_secs(seconds))
    }

    /// The same, for this time.
    pub(crate) fn during(&self, time: Duration) -> Self {
        Self { time, ..self.clone() }
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(Command::Floor { data }) = &arguments.command {
        return floor::serve(data).await;
    }
    let beside = std::env::current_exe()?.with_file_name("highstreet");
    let plan = Plan {
        time: Duration::from_secs(arguments.seconds),
        callers: arguments.callers,
        server: arguments.server.unwrap_or(beside),
    };
    let mut report = Report::default();
    if let Some(Command::Payments { address }) = arguments.command {
        report.load("RequestPayment", &mesh::request_payments(&plan, &child::connect(address).await?).await?);
        return Ok(());
    }
    if let Some(Command::Resilience) = arguments.command {
        resilience::measure(&plan, &mut report).await?;
        let table = report.resilience_table();
        println!("\n{table}");
        return if arguments.write { report::write_readme(report::RESILIENCE, &table) } else { Ok(()) };
    }
    if let Some(Command::Telemetry) = arguments.command {
        for round in 1..=arguments.rounds {
            println!("── round {round} of {}", arguments.rounds);
            told::measure(&plan, &mut report).await?;
        }
        println!("\n{}", report.telemetry_table(told::TOLD));
        return Ok(());
    }
    if let Some(Command::Shops) = arguments.command {
        for round in 1..=arguments.rounds {
            println!("── round {round} of {}", arguments.rounds);
            floor::measure(&plan, &mut report).await?;
            shops::measure(&plan, &mut report).await?;
        }
        if let Some(movements) = arguments.stored {
            shops::measure_stored(&plan, movements, &mut report).await?;
        }
        let table = report.shops_table();
        println!("\n{table}");
        return if arguments.write { report::write_readme(report::SHOPS, &table) } else { Ok(()) };
    }
    if let Some(Command::Capacity) = arguments.command {
        for _ in 0..arguments.rounds {
            mesh::measure_capacity(&plan, &mut report).await?;
        }
        println!("\n{}", report.capacity_table());
        return Ok(());
    }
    if let Some(Command::Lag) = arguments.command {
        for _ in 0..arguments.rounds {
            mesh::measure_paces(&plan, &mut report).await?;
        }
        return Ok(());
    }
    if let Some(Command::Json) = arguments.command {
        for _ in 0..arguments.rounds {
            mesh::measure_json(&plan, &mut report).await?;
        }
        println!("\n{}", report.mesh_table());
        return Ok(());
    }
    if let Some(Command::Mesh) = arguments.command {
        for round in 1..=arguments.rounds {
            println!("── round {round} of {}", arguments.rounds);
            mesh::measure(&plan, &mut report).await?;
        }
        if let Some(stored) = arguments.stored {
            mesh::measure_stored(&plan, stored, &mut report).await?;
        }
        let table = report.mesh_table();
        println!("\n{table}");
        return if arguments.write { report::write_readme(report::MESH, &table) } else { Ok(()) };
    }
    for round in 1..=arguments.rounds {
        println!("── round {round} of {}", arguments.rounds);
        floor::measure(&plan, &mut report).await?;
        cafe::measure(&plan, &mut report).await?;
    }
    if let Some(stored) = arguments.stored {
        scale::measure(&plan, stored, &mut report).await?;
    }
    let table = report.table();
    println!("\n{table}");
    if arguments.write { report::write_readme(report::PROCESS, &table) } else { Ok(()) }
}
