//! A child process, and waiting for what it does.

use std::future::Future;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const FIRST_PORT: u16 = 12_000;
const PORTS: u16 = 20_000;

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub struct Proc {
    child: Child,
    name: String,
}

/// Where Debian and others put it.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];

/// A port that was free a moment ago, that this process has not given out before, and that no outgoing connection
/// takes: Linux gives those ports from 32768 on, and whoever restarts a server wants its port to be free still.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(61);
    (0..u32::from(PORTS))
        .find_map(|_| {
            let turn = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = FIRST_PORT + u16::try_from(turn % u32::from(PORTS)).unwrap_or_default();
            TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
        })
        .unwrap_or_else(|| panic!("no free port"))
}

/// The library that moves the clock of a process it is preloaded into.
pub fn faketime() -> PathBuf {
    let named = std::env::var_os("HIGHSTREET_FAKETIME").map(PathBuf::from);
    let found = || FAKETIME.iter().map(PathBuf::from).find(|path| path.exists());
    named.or_else(found).unwrap_or_else(|| {
        panic!("no libfaketime found: install it (apt-get install faketime), or name libfaketimeMT.so.1 in HIGHSTREET_FAKETIME")
    })
}

/// What `look` finds, looking again and again; panics after 30 s.
pub async fn eventually<T, F>(what: &str, look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(PATIENCE, what, look).await
}

/// What `look` finds, looking again and again; panics after `patience`.
pub async fn within<T, F>(patience: Duration, what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let look = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(patience, look).await.unwrap_or_else(|_| panic!("not within {patience:?}: {what}"))
}

// === impl Proc ===

impl Proc {
    /// Starts `command`, with nothing to read.
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).spawn();
        Self { child: child.unwrap_or_else(|error| panic!("cannot start {name}: {error}")), name }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|error| panic!("cannot look after {}: {error}", self.name))
    }

    /// SIGKILL, and waits for its end: no time for anything.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal, such as `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.id().to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{signal} to {}", self.name);
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        self.kill();
    }
}
