//! The admin port over a real socket.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use highstreet_telemetry::{Check, Metrics, Phase, Readiness, admin};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Admin {
    address: SocketAddr,
    readiness: Readiness,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Admin {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let readiness = Readiness::new();
        let (stop, stopped) = oneshot::channel();
        let serving = admin::serve(listener, readiness.clone(), Metrics::install().unwrap(), async {
            let _ = stopped.await;
        });
        Self { address, readiness, stop, serving: tokio::spawn(serving) }
    }

    /// The status code and the whole answer, headers included.
    async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    async fn readyz(&self) -> (u16, Value) {
        let (code, answer) = self.get("/readyz").await;
        (code, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
    }
}

#[tokio::test]
async fn it_is_alive_whatever_else_it_is() {
    let admin = Admin::start().await;
    admin.readiness.report("store", Check::Failed("disk full".into()));
    let (code, answer) = admin.get("/livez").await;
    assert_eq!(code, 200);
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert_eq!(admin.get("/elsewhere").await.0, 404);
}

#[tokio::test]
async fn readiness_says_what_is_the_matter() {
    let admin = Admin::start().await;
    let lifecycle = |status: &str, detail: &str| json!({ "name": "lifecycle", "status": status, "detail": detail });

    assert_eq!(
        admin.readyz().await,
        (503, json!({ "status": "not ready", "checks": [lifecycle("failed", "starting")] }))
    );

    admin.readiness.enter(Phase::Ready);
    assert_eq!(admin.readyz().await, (200, json!({ "status": "ready", "checks": [lifecycle("ok", "")] })));

    admin.readiness.report("bus", Check::Degraded("away".into()));
    let bus = json!({ "name": "bus", "status": "degraded", "detail": "away" });
    assert_eq!(admin.readyz().await, (200, json!({ "status": "degraded", "checks": [lifecycle("ok", ""), bus] })));

    admin.readiness.report("bus", Check::Failed("gone".into()));
    let bus = json!({ "name": "bus", "status": "failed", "detail": "gone" });
    assert_eq!(admin.readyz().await, (503, json!({ "status": "not ready", "checks": [lifecycle("ok", ""), bus] })));

    admin.readiness.report("bus", Check::Ok);
    admin.readiness.enter(Phase::Draining);
    let (code, body) = admin.readyz().await;
    assert_eq!((code, &body["checks"][0]), (503, &lifecycle("failed", "draining")));
}

#[tokio::test]
async fn prometheus_reads_the_metrics() {
    let admin = Admin::start().await;
    metrics::counter!("test_scrapes_total").increment(2);
    admin.readiness.report("scraped", Check::Degraded("away".into()));
    let (code, answer) = admin.get("/metrics").await;
    assert_eq!(code, 200);
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("test_scrapes_total 2"), "{answer}");
    assert!(answer.contains(r#"highstreet_check_status{check="scraped"} 1"#), "{answer}");
    assert!(answer.contains("process_resident_memory_bytes "), "{answer}");
}

#[tokio::test]
async fn it_stops_when_told() {
    let admin = Admin::start().await;
    admin.stop.send(()).unwrap();
    admin.serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(admin.address).await.is_err());
}
