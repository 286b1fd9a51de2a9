//! The server, in a process of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::{TempDir, tempdir};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);

/// Killed when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    folder: TempDir,
}

/// What a process takes, in kB.
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

// === impl Server ===

impl Server {
    /// As every shop is run; anybody may do anything, so that requests come as far as they can.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these options, too.
    pub(crate) async fn with(options: &[&str]) -> Self {
        let folder = tempdir().unwrap();
        let (address, admin) = (free_address(), free_address());
        let child = Command::new(env!("CARGO_BIN_EXE_highstreet"))
            .args(["serve", "--listen", &address.to_string(), "--admin", &admin.to_string()])
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(options)
            .env("HIGHSTREET_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { address, child, folder };
        let listens = async {
            let mut pause = tokio::time::interval(Duration::from_millis(10));
            while TcpStream::connect(address).await.is_err() {
                pause.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, listens).await.unwrap_or_else(|_| panic!("no server: {}", server.said()));
        server
    }

    pub(crate) fn memory(&self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let read = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_end_matches("kB").trim().parse().unwrap()
        };
        Memory { now: read("VmRSS:"), peak: read("VmHWM:") }
    }

    /// It runs, and no part of it has panicked.
    pub(crate) fn is_well(&mut self, seed: u64) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the server ended, {ended:?} (seed {seed}): {}", self.said());
        let said = self.said();
        let panics: Vec<_> = said.lines().filter(|line| line.contains("panick")).collect();
        assert!(panics.is_empty(), "(seed {seed}) {panics:#?}");
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
