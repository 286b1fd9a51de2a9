//! The `highstreet` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use highstreet::config::{ServeArgs, host_and_port};
use highstreet::{MigrateArgs, demo, ops, token};
use highstreet_telemetry::logs;

// A quarter of the time of a busy server went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The back office of a whole high street: every context in one process, or each in its own.
#[derive(Parser)]
#[command(name = "highstreet", version, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run contexts (all of them if none is named).
    Serve(Box<ServeArgs>),
    /// Bring stores to this version, and end. A server does that too when it starts; several may at once.
    Migrate(Box<MigrateArgs>),
    /// Play a shop's story against a running server, and print what happens.
    Demo(demo::DemoArgs),
    /// Look after what contexts keep.
    Ops(ops::OpsArgs),
    /// Print a token, for trying out a server that asks who somebody is.
    Token(token::TokenArgs),
    /// Ask a running server whether it is ready; for container health checks.
    Healthcheck {
        /// The server's admin address, which may name a host: `payment:8089`.
        #[arg(long, env = "HIGHSTREET_ADMIN", default_value = "127.0.0.1:8089", value_parser = host_and_port)]
        admin: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    // `highstreet` alone is `highstreet serve`.
    let arguments = match std::env::args_os().len() {
        1 => Arguments::parse_from(["highstreet", "serve"]),
        _ => Arguments::parse(),
    };
    // Between the lines that a command prints there is room for what goes wrong, and no more.
    let unless_said = if matches!(arguments.command, Some(Command::Demo(_) | Command::Ops(_) | Command::Token(_))) {
        "warn"
    } else {
        "info"
    };
    let told = match &arguments.command {
        Some(Command::Serve(args)) => args.telemetry.open(&args.roles),
        _ => Ok(None),
    };
    let started = told.and_then(|otlp| {
        let started = logs::start(logs::Format::Auto, unless_said, otlp.as_ref());
        started.map(|()| otlp).map_err(|error| error.to_string())
    });
    let otlp = match started {
        Ok(otlp) => otlp,
        Err(error) => {
            eprintln!("highstreet: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match arguments.command {
        Some(Command::Serve(args)) => highstreet::serve(*args, otlp).await.map_err(|error| error.to_string()),
        Some(Command::Migrate(args)) => highstreet::migrate(*args).await.map_err(|error| error.to_string()),
        Some(Command::Demo(args)) => demo::play(args).await,
        Some(Command::Ops(args)) => ops::run(args).await,
        Some(Command::Token(args)) => token::print(args),
        Some(Command::Healthcheck { admin }) => highstreet::healthcheck(&admin).await,
        None => Err("say what to do: serve, migrate, demo, ops, token or healthcheck".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("highstreet: {error}");
            ExitCode::FAILURE
        }
    }
}
