//! The mesh of `cargo xtask mesh`, and what its supervisor does when a process of it hangs or ends.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Ports that a mesh takes from its first.
const SPAN: u16 = 100;
/// The chart's probes notice a process that hangs after half a minute, and give it another half to end.
const PATIENCE: Duration = Duration::from_mins(4);
const SHOP: &str = "skanu";

/// A mesh of its own, in a folder of its own; ended when it is dropped.
struct Mesh {
    folder: PathBuf,
    port: u16,
}

/// CAP-14: payment hangs, with orders that wait for it. It fails its liveness probe as the chart has it, is restarted, and
/// recovers; every order that was taken is there and can be paid, and none is paid twice. What merely ends is started
/// again too.
#[test]
fn what_hangs_is_restarted_and_nothing_is_lost() {
    let mesh = Mesh::up();
    let orders: Vec<String> = (0..5).map(|_| mesh.order().expect("an order")).collect();
    mesh.paid(&orders[0]);
    // Until it has started, its startup probe counts, which is more patient.
    eventually("payment has started", || mesh.told().contains("payment has started").then_some(()));

    let frozen = mesh.id("payment");
    send("STOP", frozen);
    assert!(mesh.order().is_err(), "an order was taken without its payment");
    let kitchen = mesh.id("kitchen");
    send("KILL", kitchen);

    eventually("what ended was started again", || {
        (mesh.id("kitchen") != kitchen && mesh.runs("kitchen")).then_some(())
    });
    eventually("what hung was started again", || (mesh.id("payment") != frozen).then_some(()));
    let told = mesh.told();
    assert!(told.contains("payment failed its liveness probe 3 times in a row"), "{told}");

    for order in &orders {
        mesh.paid(order);
    }
    let more = eventually("orders are taken again", || mesh.order().ok());
    mesh.paid(&more);
    let mut wanted: Vec<&String> = orders.iter().chain([&more]).collect();
    wanted.sort();
    let approved = format!("/v1/shops/{SHOP}/payments?status=PAYMENT_STATUS_APPROVED");
    let payments = mesh.ask("GET", &approved, None).expect("payments");
    let mut paid: Vec<String> = payments["payments"].as_array().expect("a list").iter().map(order_of).collect();
    paid.sort();
    assert!(paid.iter().eq(wanted), "{payments}");
}

/// Which order a payment is for.
fn order_of(payment: &Value) -> String {
    payment["order"]["id"].as_str().expect("an order").to_owned()
}

fn send(signal: &str, id: u32) {
    let status = Command::new("kill").args([format!("-{signal}"), id.to_string()]).status().expect("kill runs");
    assert!(status.success(), "kill -{signal} {id}: {status}");
}

#[allow(clippy::disallowed_methods, reason = "it bounds how long is waited, and decides nothing")]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

// === impl Mesh ===

impl Mesh {
    fn up() -> Self {
        let folder = std::env::temp_dir().join(format!("highstreet-mesh-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        // PostgreSQL runs as somebody else.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a folder that others can read");
        let mesh = Self { folder, port: free_span() };
        mesh.xtask("up");
        mesh
    }

    fn xtask(&self, what: &str) {
        let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let program = xtask.with_file_name("highstreet");
        assert!(program.exists(), "{} is not built: cargo build --package highstreet", program.display());
        let mut command = Command::new(xtask);
        command.args(["mesh", what, "--port", &self.port.to_string(), "--folder"]).arg(&self.folder);
        command.arg("--program").arg(program).env("TOKIO_WORKER_THREADS", "2");
        let status = command.status().expect("it runs");
        assert!(status.success(), "mesh {what}: {status}");
    }

    /// What the supervisor said.
    fn told(&self) -> String {
        fs::read_to_string(self.folder.join("supervisor.log")).unwrap_or_default()
    }

    /// The number of a process; `up` wrote it down, and the supervisor does.
    fn id(&self, name: &str) -> u32 {
        let read = || fs::read_to_string(self.folder.join(format!("{name}.pid"))).ok()?.parse().ok();
        eventually(&format!("the number of {name}"), read)
    }

    fn runs(&self, name: &str) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id(name))).unwrap_or_default();
        status.starts_with("Name:\thighstreet") && !status.contains("\nState:\tZ")
    }

    fn order(&self) -> Result<String, String> {
        let latte = json!({ "productId": "latte", "productName": "Latte", "quantity": 1,
            "unitPrice": { "currencyCode": "KRW", "units": "4500" } });
        let order =
            json!({ "customerPhone": "010-1234-5678", "paymentMethod": "PAYMENT_METHOD_CARD", "lines": [latte] });
        let answer = self.ask("POST", &format!("/v1/shops/{SHOP}/orders"), Some(order))?;
        Ok(answer["order"]["orderId"].as_str().expect("an id").to_owned())
    }

    /// Pays an order, again and again until it says that it is paid.
    fn paid(&self, order: &str) {
        let lookup = format!("/v1/payments:lookup?order.context=ordering&order.id={order}");
        let payment = eventually("the payment", || self.ask("GET", &lookup, None).ok());
        let id = payment["payment"]["paymentId"].as_str().expect("an id").to_owned();
        eventually("the order is paid", || {
            // Refused once it is paid, and while payment is away.
            let _ = self.ask("POST", &format!("/v1/payments/{id}:pay"), Some(json!({})));
            let found = self.ask("GET", &format!("/v1/orders/{order}"), None).ok()?;
            (found["order"]["status"] == "ORDER_STATUS_PAID").then_some(())
        });
    }

    /// What the gateway answers, in JSON.
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())?;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let length = body.len();
        let question = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(question.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| answer.clone())?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(answer);
        }
        serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.xtask("down")));
        if std::thread::panicking() || end.is_err() {
            eprintln!("all logs are in {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The first of enough ports that nobody uses now, below those that systems give to whoever asks for any.
fn free_span() -> u16 {
    let first = 12_000 + u16::try_from(std::process::id() % 150).expect("it is small") * SPAN;
    let spans = (first..30_000).step_by(usize::from(SPAN));
    let free = |first: &u16| (*first..first + SPAN).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    spans.into_iter().find(free).expect("a hundred free ports in a row")
}
