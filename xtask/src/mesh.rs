//! `cargo xtask mesh`: the whole street as local processes, for people to play with.
//!
//! PostgreSQL, nats-server, a process for each context and a gateway, all on loopback, with their logs and data under
//! one folder. They go on when this has ended; `down` ends them, and leaves what they kept.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use crate::shell::{cargo, command, root, run, succeeds};
use crate::tools::Missing;
use crate::{servers, sources};

const GATEWAY: u16 = 8088;
/// Contexts follow, with two ports each.
const FIRST: u16 = 8100;
const POSTGRES: u16 = 8180;
const NATS: u16 = 8182;
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
}

/// Where the mesh is.
#[derive(Args)]
pub(crate) struct Where {
    /// The folder of its logs and data.
    #[arg(long, default_value = "local-mesh")]
    folder: PathBuf,
}

/// One process of the mesh.
struct Process {
    name: String,
    port: u16,
    admin: Option<u16>,
    /// The signal that ends it gracefully.
    end: &'static str,
}

pub(crate) fn go(mesh: &Mesh) -> Result<(), String> {
    match mesh {
        Mesh::Up(at) => up(&at.folder()?),
        Mesh::Status(at) => status(&at.folder()?),
        Mesh::Down(at) => down(&at.folder()?),
    }
}

fn up(folder: &Path) -> Result<(), String> {
    servers::ensure(Missing::Install)?;
    run(cargo().args(["build", "--release", "--package", "highstreet"]))?;
    for process in processes()? {
        if process.is_running(folder) {
            println!("{:<14} runs already", process.name);
            continue;
        }
        if TcpStream::connect(("127.0.0.1", process.port)).is_ok() {
            return Err(format!("{} cannot start: somebody else listens on port {}", process.name, process.port));
        }
        process.start(folder, prepare(&process, folder)?)?;
        println!("{:<14} on 127.0.0.1:{}", process.name, process.port);
        if process.name == "postgres" {
            make_database(folder)?;
        }
    }
    println!(
        "\nThe gateway is on 127.0.0.1:{GATEWAY}; logs are in {}. Try:\n\n  \
         cargo run --release -- demo all --target http://127.0.0.1:{GATEWAY}\n  cargo xtask mesh status\n  \
         cargo xtask mesh down",
        folder.display()
    );
    Ok(())
}

fn status(folder: &Path) -> Result<(), String> {
    for process in processes()? {
        let runs = process.id(folder).filter(|_| process.is_running(folder));
        let Some(id) = runs else {
            println!("{:<14} does not run", process.name);
            continue;
        };
        let memory = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let resident = memory.lines().find_map(|line| line.strip_prefix("VmRSS:")).map_or("", str::trim);
        let ready = process.admin.map_or("", |admin| if is_ready(folder, admin) { "ready" } else { "not ready" });
        println!("{:<14} {id:>8}  127.0.0.1:{:<6} {resident:>12}  {ready}", process.name, process.port);
    }
    Ok(())
}

fn down(folder: &Path) -> Result<(), String> {
    for process in processes()?.iter().rev().filter(|process| process.is_running(folder)) {
        let Some(id) = process.id(folder) else { continue };
        run(command("kill").arg(format!("-{}", process.end)).arg(id.to_string()))?;
        wait(&format!("{} ends", process.name), || !process.is_running(folder))?;
        println!("{:<14} ended", process.name);
    }
    Ok(())
}

/// All of them, in the order in which they start.
fn processes() -> Result<Vec<Process>, String> {
    let server = |name: &str, port, end| Process { name: name.into(), port, admin: None, end };
    // A fast shutdown: sessions are ended, nothing is lost.
    let mut all = vec![server("postgres", POSTGRES, "INT"), server("nats", NATS, "TERM")];
    for (place, name) in (0..).zip(sources::contexts(&root())?) {
        let port = FIRST + 2 * place;
        all.push(Process { name, port, admin: Some(port + 1), end: "TERM" });
    }
    all.push(Process { name: "gateway".into(), port: GATEWAY, admin: Some(GATEWAY + 1), end: "TERM" });
    Ok(all)
}

fn prepare(process: &Process, folder: &Path) -> Result<Command, String> {
    match process.name.as_str() {
        "postgres" => prepare_postgres(folder),
        "nats" => {
            let program = servers::nats_server().ok_or("nats-server is not there")?;
            let mut command = Command::new(program);
            command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &NATS.to_string(), "--store_dir"]);
            command.arg(folder.join("nats"));
            Ok(command)
        }
        role => {
            let mut command = Command::new(target_folder().join("release/highstreet"));
            command.args(["serve", role]);
            command.args(["--listen", &format!("127.0.0.1:{}", process.port)]);
            command.args(["--admin", &format!("127.0.0.1:{}", process.port + 1)]);
            command.args(["--store", &format!("postgres://postgres@127.0.0.1:{POSTGRES}/highstreet")]);
            command.args(["--bus", &format!("nats://127.0.0.1:{NATS}")]);
            for (place, context) in (0..).zip(sources::contexts(&root())?) {
                command.args(["--peer", &format!("{context}=http://127.0.0.1:{}", FIRST + 2 * place)]);
            }
            if role != "gateway" {
                command.arg("--trust-peers");
            }
            Ok(command)
        }
    }
}

fn prepare_postgres(folder: &Path) -> Result<Command, String> {
    let data = folder.join("postgres");
    let programs = servers::postgres_folder().ok_or("PostgreSQL is not there")?;
    let as_other = |name: &str| {
        let mut command = Command::new(programs.join(name));
        if let Some((user, group)) = servers::other_user() {
            command.uid(user).gid(group).current_dir("/");
        }
        command
    };
    if !data.join("PG_VERSION").exists() {
        fs::create_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
        if let Some((user, group)) = servers::other_user() {
            chown(&data, Some(user), Some(group)).map_err(|error| format!("{}: {error}", data.display()))?;
        }
        let mut make = as_other("initdb");
        make.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--pgdata"]).arg(&data);
        run(make.stdout(Stdio::null())).map_err(|why| {
            format!("{why}; PostgreSQL does not run as root, and its user must be able to reach {}", data.display())
        })?;
    }
    let mut command = as_other("postgres");
    command.arg("-D").arg(&data).args(["-p", &POSTGRES.to_string(), "-c", "listen_addresses=127.0.0.1"]);
    command.args(["-c", "max_connections=300", "-c", "unix_socket_directories="]);
    Ok(command)
}

fn make_database(folder: &Path) -> Result<(), String> {
    let programs = servers::postgres_folder().ok_or("PostgreSQL is not there")?;
    let port = POSTGRES.to_string();
    let psql = |database: &str, sql: &str| {
        let mut psql = command(programs.join("psql"));
        psql.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-q", "-d", database, "-c", sql]);
        psql
    };
    wait("PostgreSQL answers", || succeeds(&mut psql("postgres", "SELECT 1")))
        .map_err(|why| format!("{why}; see {}", folder.join("postgres.log").display()))?;
    if succeeds(&mut psql("highstreet", "SELECT 1")) {
        return Ok(());
    }
    run(&mut psql("postgres", "CREATE DATABASE highstreet"))
}

fn is_ready(folder: &Path, admin: u16) -> bool {
    let mut ask = command(target_folder().join("release/highstreet"));
    succeeds(ask.args(["healthcheck", "--admin", &format!("127.0.0.1:{admin}")]).current_dir(folder))
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
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
}

// === impl Process ===

impl Process {
    /// Starts it in a group of its own, so that whoever stops this program does not stop it too.
    fn start(&self, folder: &Path, mut command: Command) -> Result<(), String> {
        let path = folder.join(format!("{}.log", self.name));
        let log = File::options().create(true).append(true).open(&path);
        let log = log.map_err(|error| format!("{}: {error}", path.display()))?;
        let also = log.try_clone().map_err(|error| format!("{}: {error}", path.display()))?;
        command.stdin(Stdio::null()).stdout(log).stderr(also).process_group(0);
        let mut child = command.spawn().map_err(|error| format!("cannot start {}: {error}", self.name))?;
        fs::write(folder.join(format!("{}.pid", self.name)), child.id().to_string())
            .map_err(|error| format!("{}: {error}", self.name))?;
        let mut ended = false;
        wait(&format!("{} listens on port {}", self.name, self.port), || {
            ended = child.try_wait().is_ok_and(|status| status.is_some());
            ended || TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        })?;
        if ended { Err(format!("{} ended at once; see {}", self.name, path.display())) } else { Ok(()) }
    }

    fn id(&self, folder: &Path) -> Option<u32> {
        fs::read_to_string(folder.join(format!("{}.pid", self.name))).ok()?.parse().ok()
    }

    /// Whether the process that was started still runs, and its number is not somebody else's by now.
    fn is_running(&self, folder: &Path) -> bool {
        let Some(id) = self.id(folder) else { return false };
        let program = if self.admin.is_some() { "highstreet" } else { self.name.as_str() };
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let ended = status.contains("\nState:\tZ");
        let named = status.lines().next().is_some_and(|line| line.contains(program));
        named && !ended
    }
}
