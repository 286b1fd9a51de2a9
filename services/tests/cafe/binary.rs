//! The `highstreet` command, as people run it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tempfile::tempdir;
use tokio::net::TcpStream;

use crate::shop::eventually;

pub(crate) const HIGHSTREET: &str = env!("CARGO_BIN_EXE_highstreet");

/// A server that is killed when it is dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Server {
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, |command| command.env("HIGHSTREET_LOG", "error")).await
    }

    async fn start_with(data: &Path, prepare: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let (address, admin) = (free_address(), free_address());
        let mut command = Command::new(HIGHSTREET);
        command
            .args(["serve", "--listen", &address.to_string(), "--admin", &admin.to_string()])
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null());
        let child = prepare(&mut command).spawn().unwrap();
        let server = Self { child, address, admin };
        eventually("the server listens", || async { TcpStream::connect(address).await.ok() }).await;
        server
    }

    fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    async fn ended(&mut self) -> ExitStatus {
        eventually("it ends", || {
            let ended = self.child.try_wait().unwrap();
            async move { ended }
        })
        .await
    }

    /// SIGKILL: no time for anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(HIGHSTREET).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs `serve` on free addresses, and expects one clear line and a failure.
fn refused(arguments: &[&str]) -> String {
    let (listen, admin) = (free_address().to_string(), free_address().to_string());
    let mut all = vec!["serve", "--listen", &listen, "--admin", &admin];
    all.extend(arguments);
    let output = run(&all);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().filter(|line| !line.is_empty()).count(), 1, "{said}");
    said
}

#[tokio::test]
async fn health_is_asked_and_a_signal_stops_it() {
    let data = tempdir().unwrap();
    let mut server = Server::start(data.path()).await;
    let admin = server.admin.to_string();
    eventually("it is ready", || async { run(&["healthcheck", "--admin", &admin]).status.success().then_some(()) })
        .await;
    server.terminate();
    assert!(server.ended().await.success());
    assert!(!run(&["healthcheck", "--admin", &admin]).status.success());
}

/// While it drains it answers, and says that it is not ready; a second signal ends it at once.
#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let data = tempdir().unwrap();
    let server =
        Server::start_with(data.path(), |command| command.args(["--drain", "10m"]).env("HIGHSTREET_LOG", "error"));
    let mut server = server.await;
    let admin = server.admin.to_string();
    let ready = || run(&["healthcheck", "--admin", &admin]).status.success();
    eventually("it is ready", || async { ready().then_some(()) }).await;
    server.terminate();
    eventually("it drains", || async { (!ready()).then_some(()) }).await;
    assert!(TcpStream::connect(server.address).await.is_ok(), "it still answers");
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(130));
}

#[tokio::test]
async fn what_cannot_be_started_says_why_in_one_line() {
    let data = tempdir().unwrap();
    let folder = data.path().join("data");
    let folder = folder.to_str().unwrap();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["serve", "--listen", &address, "--admin", &free_address().to_string(), "--data", folder]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("name another address with --listen"));

    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refused(&["--data", file.to_str().unwrap()]).contains("cannot write to the data folder"));

    assert!(run(&["serve", "bakery"]).status.code() == Some(2));
    let said = String::from_utf8(run(&["serve", "bakery"]).stderr).unwrap();
    assert!(said.contains("invalid value 'bakery'") && said.contains("ordering"), "{said}");

    let both = free_address().to_string();
    let output = run(&["serve", "--listen", &both, "--admin", &both, "--data", folder]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("are the same address"));

    let said = run(&["serve", "--listen", "localhost:8186"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8(said.stderr).unwrap().contains("write it like 127.0.0.1:8088"));

    let output = run(&["serve", "--listen", "0.0.0.0:1", "--admin", &free_address().to_string(), "--data", folder]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("nobody is asked who they are"));
}

#[tokio::test]
async fn a_folder_in_use_or_of_a_newer_version_is_left_alone() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path()).await;
    let folder = data.path().to_str().unwrap();
    assert!(refused(&["--data", folder]).contains("another process is using the data folder"));
    server.kill();

    let file = data.path().join("ordering.db");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(refused(&["--data", folder]).contains("was written by a newer version"));
}

/// What each of the five stories tells: its main path, a refusal, and what a cancellation leads to.
const TOLD: [&str; 24] = [
    "Convenience store",
    "replenishment.OrderReceived",
    "DELIVERY_ALREADY_SHIPPED",
    "OUT_OF_STOCK",
    "inventory.StockReturned",
    "Board of gs25",
    "Coffee shop SKANU",
    "ordering.OrderCompleted",
    "ORDER_ALREADY_COMPLETED",
    "payment.PaymentRefunded",
    "2 stamps",
    "1 × Espresso",
    "Library",
    "ListBooks",
    "RESERVATION_FAILED",
    "lending.ReservationCancelled",
    "Cinema: seats first",
    "100 points",
    "  1 ■ · · · · · · ·",
    "BOOKING_ALREADY_COMPLETED",
    "TICKET_CANCELLED",
    "Cinema: seats after the payment",
    "NOT_PAID",
    "SEAT_TAKEN",
];

/// Plays all five stories, and expects that they went as they should, with the server that `begins` names.
fn play_all(address: SocketAddr, begins: &str) {
    let output = run(&["demo", "all", "--target", &format!("http://{address}")]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with(begins), "{said}");
    for told in TOLD {
        assert!(said.contains(told), "{told} is missing in:\n{said}");
    }
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "the story is told on stdout, and nothing went wrong");
}

#[tokio::test]
async fn the_demo_plays_with_a_server_of_its_own() {
    play_all(free_address(), "No server at http://127.0.0.1:");
}

/// What a play leaves behind does not disturb the next one.
#[tokio::test]
async fn the_demo_plays_twice_against_the_same_server() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path()).await;
    play_all(server.address, "Playing against the server at http://127.0.0.1:");
    play_all(server.address, "Playing against the server at http://127.0.0.1:");
}

/// Told to come back a little later, whoever plays does.
#[tokio::test]
async fn the_demo_asks_again() {
    let data = tempdir().unwrap();
    let server =
        Server::start_with(data.path(), |command| command.args(["--rate-limit", "5"]).env("HIGHSTREET_LOG", "error"));
    let server = server.await;
    let output = run(&["demo", "cafe", "--target", &format!("http://{}", server.address)]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("(asking again)"), "{said}");
}

/// A story that does not go as it should ends with a failure, and says why.
#[tokio::test]
async fn the_demo_notices_what_goes_wrong() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), |command| {
        command.args(["--provider-decline-rate", "1"]).env("HIGHSTREET_LOG", "error")
    });
    let server = server.await;
    let output = run(&["demo", "cafe", "--target", &format!("http://{}", server.address)]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("did not go as it should: the payment was declined"), "{said}");
}

#[tokio::test]
async fn the_demo_plays_against_a_highstreet_only() {
    let output = run(&["demo", "cafe", "--target", "nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("write it like http://127.0.0.1:8088"));

    let data = tempdir().unwrap();
    let server = Server::start(data.path()).await;
    let output = run(&["demo", "cafe", "--target", &format!("http://{}", server.admin)]);
    assert!(!output.status.success());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains(&format!("no Highstreet answers at http://{}", server.admin))
    );
}

/// Ordering alone starts, and says what it cannot do.
#[tokio::test]
async fn a_context_without_its_callee_is_degraded() {
    const WHY: &str = "ordering calls payment, which does not run in this process, and nobody said where it does (--peer): \
                       PlaceOrder will answer UNAVAILABLE";
    let data = tempdir().unwrap();
    let log = data.path().join("log");
    let stderr = std::fs::File::create(&log).unwrap();
    let server =
        Server::start_with(data.path(), |command| command.arg("ordering").env("HIGHSTREET_LOG", "warn").stderr(stderr))
            .await;
    let admin = server.admin.to_string();
    let said = eventually("it is ready", || async {
        let asked = run(&["healthcheck", "--admin", &admin]);
        asked.status.success().then(|| String::from_utf8(asked.stdout).unwrap())
    })
    .await;
    assert!(said.contains("\"status\":\"degraded\"") && said.contains(WHY), "{said}");
    let logged = std::fs::read_to_string(&log).unwrap();
    assert_eq!(logged.matches(WHY).count(), 1, "{logged}");
}
