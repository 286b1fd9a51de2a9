//! `cargo xtask mesh`: the whole street as local processes, for people to play with.
//!
//! PostgreSQL, nats-server, a process for each context and a gateway, all on loopback, with their logs and data under
//! one folder, and a supervisor, which does what Kubernetes does where a process ends or hangs. They go on when this has
//! ended; `down` ends them, and leaves what they kept.

pub(crate) mod link_order;
mod parts;
mod probe;
mod process;
mod supervisor;

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use self::parts::Parts;
use self::process::Process;
use crate::servers;
use crate::shell::{cargo, root, run, target_folder};
use crate::tools::Missing;

const PATIENCE: Duration = Duration::from_secs(30);

/// What to do with the mesh.
#[derive(Subcommand)]
pub(crate) enum Mesh {
    /// Builds and starts everything that does not run.
    Up(Where),
    /// Tells what runs.
    Status(Where),
    /// Ends everything; what it kept stays.
    Down(Where),
    /// Starts what ends or hangs again, until it is ended itself; `up` starts it.
    #[command(hide = true)]
    Supervise(Where),
}

/// Where the mesh is.
#[derive(Args)]
pub(crate) struct Where {
    /// The folder of its logs and data.
    #[arg(long, default_value = "local-mesh")]
    folder: PathBuf,
    /// The gateway's port. The others follow within a hundred.
    #[arg(long, default_value_t = 8088)]
    port: u16,
    /// A highstreet that is built already, instead of a release build of these sources.
    #[arg(long)]
    program: Option<PathBuf>,
}

pub(crate) fn go(mesh: &Mesh) -> Result<(), String> {
    match mesh {
        Mesh::Up(at) => up(at),
        Mesh::Status(at) => {
            status(&Parts::of(at)?);
            Ok(())
        }
        Mesh::Down(at) => down(&Parts::of(at)?),
        Mesh::Supervise(at) => supervisor::supervise(Parts::of(at)?),
    }
}

fn up(at: &Where) -> Result<(), String> {
    servers::ensure(Missing::Install)?;
    if at.program.is_none() {
        run(cargo().args(["build", "--release", "--package", "highstreet"]))?;
    }
    let parts = Parts::of(at)?;
    for process in parts.all() {
        start(&process, &parts)?;
    }
    let supervisor = Process::supervisor();
    if !supervisor.is_running(&parts.folder) {
        supervisor.start(&parts.folder, at.supervise()?)?;
    }
    let folder = parts.folder.display();
    println!(
        "\nThe gateway is on 127.0.0.1:{port}; logs are in {folder}. What ends or hangs is started again: supervisor.log \
         tells.\nTry:\n\n  cargo run --release -- demo all --target http://127.0.0.1:{port}\n  cargo xtask mesh \
         status\n  cargo xtask mesh down",
        port = at.port
    );
    Ok(())
}

fn start(process: &Process, parts: &Parts) -> Result<(), String> {
    let Process { name, port, .. } = process;
    if process.is_running(&parts.folder) {
        println!("{name:<14} runs already");
        return Ok(());
    }
    if TcpStream::connect(("127.0.0.1", *port)).is_ok() {
        return Err(format!("{name} cannot start: somebody else listens on port {port}"));
    }
    let mut child = process.start(&parts.folder, parts.prepare(process)?)?;
    process.listens(&mut child, &parts.folder)?;
    println!("{name:<14} on 127.0.0.1:{port}");
    if name == "postgres" { parts.make_database() } else { Ok(()) }
}

fn status(parts: &Parts) {
    for process in parts.all() {
        let runs = process.id(&parts.folder).filter(|_| process.is_running(&parts.folder));
        let Some(id) = runs else {
            println!("{:<14} does not run", process.name);
            continue;
        };
        let memory = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let resident = memory.lines().find_map(|line| line.strip_prefix("VmRSS:")).map_or("", str::trim);
        let ready = process.admin.map_or("", |admin| if parts.is_ready(admin) { "ready" } else { "not ready" });
        println!("{:<14} {id:>8}  127.0.0.1:{:<6} {resident:>12}  {ready}", process.name, process.port);
    }
    if !Process::supervisor().is_running(&parts.folder) {
        println!("nobody looks after them: `cargo xtask mesh up` starts a supervisor");
    }
}

/// The supervisor first: it would start the others again.
fn down(parts: &Parts) -> Result<(), String> {
    let all = [Process::supervisor()].into_iter().chain(parts.all().into_iter().rev());
    for process in all.filter(|process| process.is_running(&parts.folder)) {
        let ends = |signal: &str| {
            process.signal(signal, &parts.folder)?;
            wait(&format!("{} ends", process.name), || !process.is_running(&parts.folder))
        };
        // What hangs hears nothing.
        let how = ends(process.end).map(|()| "").or_else(|_| ends("KILL").map(|()| ", by force"))?;
        println!("{:<14} ended{how}", process.name);
    }
    Ok(())
}

/// Returns once `done` says so.
fn wait(what: &str, mut done: impl FnMut() -> bool) -> Result<(), String> {
    #[allow(clippy::disallowed_methods, reason = "how long it takes is not decided by a clock that tests move")]
    let begin = Instant::now();
    while !done() {
        if begin.elapsed() > PATIENCE {
            return Err(format!("not within {PATIENCE:?}: {what}"));
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

// === impl Where ===

impl Where {
    fn folder(&self) -> Result<PathBuf, String> {
        let folder = root().join(&self.folder);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    fn program(&self) -> PathBuf {
        root().join(self.program.clone().unwrap_or_else(|| target_folder().join("release/highstreet")))
    }

    /// This program once more, to look after the mesh.
    fn supervise(&self) -> Result<std::process::Command, String> {
        let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
        let mut command = crate::shell::command(program);
        command.args(["mesh", "supervise", "--port", &self.port.to_string(), "--folder"]).arg(self.folder()?);
        command.arg("--program").arg(self.program());
        Ok(command)
    }
}
