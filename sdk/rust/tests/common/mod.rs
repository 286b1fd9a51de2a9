//! A street of a test's own: a process, free ports, a folder.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A server that is ended when it is dropped.
pub(crate) struct Server {
    child: Child,
    _folder: TempDir,
    pub(crate) address: String,
}

/// `highstreet`, as it was built with this test.
pub(crate) fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("HIGHSTREET") {
        return named.into();
    }
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    let program = folder.with_file_name("highstreet");
    assert!(program.exists(), "{} is missing: cargo build --package highstreet", program.display());
    program
}

/// A token made by `highstreet token` with the key in `folder`.
pub(crate) fn token(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new(program());
    let output = command.args(["token", "--key"]).arg(folder.join("key.pem")).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

// === impl Server ===

impl Server {
    /// Starts `highstreet serve` with these arguments, and waits until it is ready.
    pub(crate) async fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (listen, admin) = (free_address(), free_address());
        let mut command = Command::new(program());
        command.args(["serve", "--listen", &listen.to_string(), "--admin", &admin.to_string(), "--data"]);
        command.arg(folder.path().join("data")).args(more).env("HIGHSTREET_LOG", "error");
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, _folder: folder, address: format!("http://{listen}") };
        server.ready(admin).await;
        server
    }

    async fn ready(&mut self, admin: SocketAddr) {
        let asking = async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                pause.tick().await;
                assert!(self.child.try_wait().unwrap().is_none(), "the street ended before it was ready");
                if is_ready(admin).await {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.expect("the street is not ready in half a minute");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // This very process; it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether `/readyz` is answered with 200.
async fn is_ready(admin: SocketAddr) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let Ok(mut stream) = tokio::net::TcpStream::connect(admin).await else { return false };
    let question = format!("GET /readyz HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let asked = stream.write_all(question.as_bytes()).await.is_ok();
    asked && stream.read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
