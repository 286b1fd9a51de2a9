//! What the mesh is made of, and how each part of it is started.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::process::Process;
use super::{Where, link_order, wait};
use crate::shell::{command, root, run, succeeds};
use crate::{servers, sources};

/// Ports, counted from the gateway's. Contexts follow one another, with two ports each.
const CONTEXTS: u16 = 12;
const POSTGRES: u16 = 92;
const NATS: u16 = 94;
const ALONE: u16 = 96;
/// The street in one process, on files; only to be looked at beside the mesh.
pub(super) const STREET: &str = "street";

/// Every part of one mesh.
pub(super) struct Parts {
    pub(super) folder: PathBuf,
    pub(super) program: PathBuf,
    gateway: u16,
    contexts: Vec<String>,
    /// Valgrind, if it is to tell which functions are called.
    pub(super) under: Option<PathBuf>,
}

// === impl Parts ===

impl Parts {
    pub(super) fn of(at: &Where) -> Result<Self, String> {
        let (folder, contexts) = (at.folder()?, sources::contexts(&root())?);
        Ok(Self { folder, program: at.program(), gateway: at.port, contexts, under: None })
    }

    /// All of them, in the order in which they start.
    pub(super) fn all(&self) -> Vec<Process> {
        let server = |name: &str, port, end, program| Process { name: name.into(), port, admin: None, end, program };
        // A fast shutdown: sessions are ended, nothing is lost.
        let postgres = server("postgres", self.gateway + POSTGRES, "INT", "postgres");
        let nats = server("nats", self.gateway + NATS, "TERM", "nats");
        [postgres, nats].into_iter().chain(self.own()).collect()
    }

    /// Those that are not servers of others.
    pub(super) fn own(&self) -> Vec<Process> {
        let program = if self.under.is_some() { "callgrind" } else { "highstreet" };
        let part = |name: &str, port| Process { name: name.into(), port, admin: Some(port + 1), end: "TERM", program };
        let contexts = self.ports().map(|(context, port)| part(context, port));
        let street = self.under.is_some().then(|| part(STREET, self.gateway + ALONE));
        contexts.chain([part("gateway", self.gateway)]).chain(street).collect()
    }

    fn ports(&self) -> impl Iterator<Item = (&String, u16)> {
        self.contexts.iter().zip((self.gateway + CONTEXTS..).step_by(2))
    }

    /// How a part is started.
    pub(super) fn prepare(&self, process: &Process) -> Result<Command, String> {
        match process.name.as_str() {
            "postgres" => self.prepare_postgres(),
            "nats" => {
                let program = servers::nats_server().ok_or("nats-server is not there")?;
                let mut command = Command::new(program);
                command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &process.port.to_string()]);
                command.arg("--store_dir").arg(self.folder.join("nats"));
                Ok(command)
            }
            role => Ok(self.prepare_own(role, process)),
        }
    }

    fn prepare_own(&self, role: &str, process: &Process) -> Command {
        let mut command = match &self.under {
            Some(valgrind) => link_order::watched(valgrind, &self.program, &self.folder, role),
            None => Command::new(&self.program),
        };
        command.arg("serve");
        command.args(["--listen", &format!("127.0.0.1:{}", process.port)]);
        command.args(["--admin", &format!("127.0.0.1:{}", process.port + 1)]);
        if role == STREET {
            command.arg("--data").arg(self.folder.join(STREET));
            return command;
        }
        command.arg(role);
        command.args(["--store", &format!("postgres://postgres@127.0.0.1:{}/highstreet", self.gateway + POSTGRES)]);
        command.args(["--bus", &format!("nats://127.0.0.1:{}", self.gateway + NATS)]);
        for (context, port) in self.ports() {
            command.args(["--peer", &format!("{context}=http://127.0.0.1:{port}")]);
        }
        if role != "gateway" {
            command.arg("--trust-peers");
        }
        command
    }

    fn prepare_postgres(&self) -> Result<Command, String> {
        let data = self.folder.join("postgres");
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
        let port = (self.gateway + POSTGRES).to_string();
        command.arg("-D").arg(&data).args(["-p", &port, "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "max_connections=300", "-c", "unix_socket_directories="]);
        Ok(command)
    }

    /// Makes the database that all contexts share, if it is not there.
    pub(super) fn make_database(&self) -> Result<(), String> {
        let programs = servers::postgres_folder().ok_or("PostgreSQL is not there")?;
        let port = (self.gateway + POSTGRES).to_string();
        let psql = |database: &str, sql: &str| {
            let mut psql = command(programs.join("psql"));
            psql.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-q", "-d", database, "-c", sql]);
            psql
        };
        wait("PostgreSQL answers", || succeeds(&mut psql("postgres", "SELECT 1")))
            .map_err(|why| format!("{why}; see {}", self.folder.join("postgres.log").display()))?;
        if succeeds(&mut psql("highstreet", "SELECT 1")) {
            return Ok(());
        }
        run(&mut psql("postgres", "CREATE DATABASE highstreet"))
    }

    pub(super) fn is_ready(&self, admin: u16) -> bool {
        let mut ask = command(&self.program);
        succeeds(ask.args(["healthcheck", "--admin", &format!("127.0.0.1:{admin}")]).current_dir(&self.folder))
    }
}
