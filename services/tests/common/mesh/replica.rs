//! One process of the mesh.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highstreet::config::Role;
use highstreet_testkit::servers::{Proc, free_port, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The program.
pub(crate) const HIGHSTREET: &str = env!("CARGO_BIN_EXE_highstreet");
const START: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(20);
const ASK: Duration = Duration::from_secs(2);

/// One process of the mesh, running or not; keeps its addresses.
pub(crate) struct Replica {
    pub(crate) role: Role,
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    /// What it runs, from its next start.
    pub(crate) program: PathBuf,
    /// What it is started through: a program and its arguments, which become the server.
    pub(crate) through: Vec<String>,
    log: PathBuf,
    process: Option<Proc>,
}

/// What a role is called on the command line.
pub(crate) fn name_of(role: Role) -> &'static str {
    match role {
        Role::Context(context) => context.as_str(),
        Role::Gateway => "gateway",
    }
}

// === impl Replica ===

impl Replica {
    /// One that is not running yet; logs into `folder`.
    pub(crate) fn new(role: Role, number: usize, folder: &Path) -> Self {
        let address = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        Self {
            role,
            listen: address(),
            admin: address(),
            arguments: Vec::new(),
            variables: Vec::new(),
            program: HIGHSTREET.into(),
            through: Vec::new(),
            log: folder.join(format!("{}-{number}.log", name_of(role))),
            process: None,
        }
    }

    pub(crate) fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let program = self.program.to_string_lossy();
        let words = self.through.iter().map(String::as_str).chain([&*program]).collect::<Vec<_>>();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["serve", name_of(self.role)]);
        command.args(["--listen", &self.listen.to_string(), "--admin", &self.admin.to_string()]);
        command.args(&self.arguments).stdout(log.try_clone().unwrap()).stderr(log);
        command
            .env("TOKIO_WORKER_THREADS", "2")
            .env("HIGHSTREET_LOG", "warn,highstreet=info,highstreet_nats=info,highstreet_postgres=info")
            .envs(self.variables.clone());
        self.process = Some(Proc::start(&mut command));
    }

    /// Starts it, and waits until it is ready.
    pub(crate) async fn started(&mut self) {
        self.start();
        self.ready().await;
    }

    /// Waits until it is to be sent work.
    pub(crate) async fn ready(&self) {
        let what = format!("{} is ready", self.name());
        within(START, &what, || async { self.is_ready().await.then_some(()) }).await;
    }

    pub(crate) async fn is_ready(&self) -> bool {
        self.ask("/readyz").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// What Prometheus is told.
    pub(crate) async fn metrics(&self) -> String {
        self.ask("/metrics").await.unwrap_or_default()
    }

    /// SIGKILL: no time for anything.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM, and waits for it to end well.
    pub(crate) async fn stopped(&mut self) {
        let what = format!("{} ends", self.name());
        let Some(mut process) = self.process.take() else { return };
        process.signal("TERM");
        let ended = within(END, &what, || {
            let ended = process.ended();
            async move { ended }
        });
        let ended = ended.await;
        assert!(ended.success(), "{} ended with {ended}; see {}", self.name(), self.log.display());
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn name(&self) -> String {
        self.log.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What the admin port answers at `path`, head and body.
    pub(crate) async fn ask(&self, path: &str) -> Option<String> {
        let asked = async {
            let mut stream = TcpStream::connect(self.admin).await.ok()?;
            let question = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.admin);
            stream.write_all(question.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            Some(answer)
        };
        timeout(ASK, asked).await.ok()?
    }
}
