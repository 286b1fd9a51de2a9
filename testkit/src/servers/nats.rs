//! A nats-server with JetStream.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::process::{Proc, eventually, free_port};

const VARIABLE: &str = "HIGHSTREET_NATS_SERVER";

/// A running nats-server with JetStream, in a folder of its own.
#[derive(Debug)]
pub struct NatsServer {
    port: u16,
    /// What its configuration says beside port and folder.
    extra: String,
    folder: TempDir,
    process: Option<Proc>,
}

// === impl NatsServer ===

impl NatsServer {
    /// Starts one, and waits until it answers.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts one with more in its configuration, such as `authorization { … }` or `tls { … }`.
    pub async fn start_with(extra: &str) -> Self {
        let mut server = Self::prepare(extra);
        server.restart().await;
        server
    }

    /// One that is not running before [`Self::restart`].
    pub fn prepare(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for nats-server: {error}"));
        Self { port: free_port(), extra: extra.to_owned(), folder, process: None }
    }

    /// Where it is, such as `nats://127.0.0.1:4222`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, with its configuration and what it keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process; panics if it is not running.
    pub fn process(&self) -> &Proc {
        self.process.as_ref().unwrap_or_else(|| panic!("nats-server is not running"))
    }

    /// SIGKILL: no time for anything.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it on the same port and folder, killing it first if it runs.
    pub async fn restart(&mut self) {
        self.kill();
        self.process = Some(Proc::start(&mut self.command()));
        let port = self.port;
        eventually("nats-server answers", || greeted(port)).await;
    }

    /// Starts it after it lost its disk.
    pub async fn restart_empty(&mut self) {
        self.kill();
        let kept = self.kept();
        if kept.exists() {
            fs::remove_dir_all(&kept).unwrap_or_else(|error| panic!("cannot empty {}: {error}", kept.display()));
        }
        self.restart().await;
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("jetstream")
    }

    fn command(&self) -> Command {
        let configuration = self.folder.path().join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{}\" }}\n{}\n",
            self.port,
            self.kept().display(),
            self.extra
        );
        fs::write(&configuration, text).unwrap_or_else(|error| panic!("cannot configure nats-server: {error}"));
        let mut command = Command::new(binary());
        command.arg("--config").arg(configuration).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// What it says first to whoever connects: it is told apart from a socket that is only bound.
async fn greeted(port: u16) -> Option<()> {
    let connection = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    connection.readable().await.ok()?;
    let mut greeting = [0; 4];
    connection.try_read(&mut greeting).ok()?;
    (&greeting == b"INFO").then_some(())
}

/// The program: as the environment says, or on the path, or where Debian puts it.
fn binary() -> PathBuf {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("nats-server")).find(|file| file.is_file());
    let debian = || Some(PathBuf::from("/usr/sbin/nats-server")).filter(|file| file.is_file());
    named.or(on_path).or_else(debian).unwrap_or_else(|| {
        panic!("no nats-server found: install it (apt-get install nats-server), or name it in {VARIABLE}")
    })
}
