//! A Prometheus, with its rules and its alerts.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::{Proc, eventually, free_port};

const VARIABLE: &str = "HIGHSTREET_PROMETHEUS";
/// Where `cargo xtask` puts it.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/prometheus/usr/bin");

/// A running Prometheus that reads its targets and judges its rules every second, in a folder of its own.
#[derive(Debug)]
pub struct PrometheusServer {
    port: u16,
    folder: TempDir,
    _process: Proc,
}

/// An alert, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// Whether it fires, or waits to.
    pub firing: bool,
    /// What it is about, without its name.
    pub labels: Vec<(String, String)>,
}

// === impl PrometheusServer ===

impl PrometheusServer {
    /// Starts one that reads `/metrics` of `targets`, each under its name, with these rules.
    pub async fn start(targets: &[(String, SocketAddr)], rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for Prometheus: {error}"));
        let port = free_port();
        let mut settings = "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n\
                            rule_files: [rules.yaml]\nscrape_configs:\n  - job_name: highstreet\n    static_configs:\n"
            .to_owned();
        for (name, address) in targets {
            // Writing to a string cannot fail.
            let _ = writeln!(settings, "      - targets: ['{address}']\n        labels: {{ instance: '{name}' }}");
        }
        for (file, text) in [("prometheus.yaml", settings.as_str()), ("rules.yaml", rules)] {
            fs::write(folder.path().join(file), text).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
        }
        let mut command = Command::new(program("prometheus"));
        command
            .arg(format!("--config.file={}", folder.path().join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Self { port, folder, _process: Proc::start(&mut command) };
        eventually("Prometheus is ready", || async { server.get("/-/ready").await.map(drop) }).await;
        server
    }

    /// Its folder, with its settings and what it keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The alerts that fire, and those that wait to.
    pub async fn alerts(&self) -> Vec<Alert> {
        let Some(answer) = self.get("/api/v1/alerts").await else { return Vec::new() };
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        alerts.iter().map(alert).collect()
    }

    /// What an expression says now: the samples, or why it cannot be understood.
    pub async fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let asked = self.get(&format!("/api/v1/query?query={}", encoded(expression))).await;
        let answer = asked.ok_or_else(|| format!("Prometheus does not answer, or refuses: {expression}"))?;
        Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default())
    }

    /// The answer as JSON, and nothing where it is no JSON; `None` if there is none, or none that is well.
    async fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        // Of HTTP/1.0 no answer comes in pieces.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n").as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.split(' ').nth(1).filter(|status| *status == "200")?;
        Some(serde_json::from_str(body).unwrap_or_default())
    }
}

/// What `promtool` says.
pub fn promtool(arguments: &[&str]) -> Output {
    let output = Command::new(program("promtool")).args(arguments).output();
    output.unwrap_or_else(|error| panic!("cannot run promtool: {error}"))
}

fn alert(told: &Value) -> Alert {
    let labels = told["labels"].as_object().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Alert {
        name: text(&told["labels"]["alertname"]),
        firing: told["state"] == "firing",
        labels: labels.iter().filter(|(key, _)| *key != "alertname").map(|(key, it)| (key.clone(), text(it))).collect(),
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// One of its programs: as the environment says, or where `cargo xtask` puts it, or on the path.
fn program(name: &str) -> PathBuf {
    let named = std::env::var_os(VARIABLE).map(|folder| PathBuf::from(folder).join(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from(TOOLS)).chain(std::env::split_paths(&path));
    let mut found = folders.map(|folder| folder.join(name)).filter(|file| file.is_file());
    named.or_else(|| found.next()).unwrap_or_else(|| {
        panic!(
            "no {name} found: run `cargo xtask prometheus`, or name the folder of Prometheus' programs in {VARIABLE}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn expressions_are_encoded() {
        assert_eq!(encoded("a{b=\"ü\"} > 0"), "a%7Bb%3D%22%C3%BC%22%7D%20%3E%200");
    }
}
