//! A mesh, and a Prometheus that looks at it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use highstreet::config::Role;
use highstreet_testkit::servers::{PrometheusServer, free_port};
use rcgen::{CertificateParams, KeyPair};

use crate::common::mesh::{HIGHSTREET, Mesh, Plan};
use crate::files::{ALERTS, read};

/// A mesh with a second gateway, which is encrypted, and a Prometheus that looks at all of it.
pub(crate) struct Watched {
    pub(crate) mesh: Mesh,
    pub(crate) prometheus: PrometheusServer,
}

/// Where the second gateway stands among the processes.
const SECOND_GATEWAY: usize = 15;
/// How long certificates are good.
pub(crate) const DAY: Duration = Duration::from_hours(24);
pub(crate) const YEAR: Duration = Duration::from_hours(24 * 365);

// === impl Watched ===

impl Watched {
    /// Opens it. The second gateway's certificate is good for so long.
    pub(crate) async fn open(good_for: Duration) -> Self {
        let mut mesh = Mesh::prepare(Plan::default().gateways(2)).await;
        let (certificate, key) = certificate(mesh.folder.path());
        certify(&certificate, &key, good_for);
        let gateway = &mut mesh.replicas[SECOND_GATEWAY];
        assert!(gateway.role == Role::Gateway);
        let shown = [("--tls-certificate", certificate), ("--tls-key", key)];
        gateway
            .arguments
            .extend(shown.iter().flat_map(|(flag, file)| [(*flag).to_owned(), file.display().to_string()]));
        // Nobody answers there: what is told is dropped.
        gateway.arguments.extend(["--otlp-endpoint".to_owned(), format!("http://127.0.0.1:{}", free_port())]);
        mesh.start_all().await;
        let targets: Vec<_> = mesh.replicas.iter().map(|replica| (replica.name(), replica.admin)).collect();
        let prometheus = PrometheusServer::start(&targets, &hurried(&read(ALERTS))).await;
        Self { mesh, prometheus }
    }

    /// Gives the second gateway a certificate that is good for so long.
    pub(crate) fn certify_anew(&self, good_for: Duration) {
        let (certificate, key) = certificate(self.mesh.folder.path());
        certify(&certificate, &key, good_for);
    }

    /// Plays the stories of all shops.
    pub(crate) fn play(&self) {
        let gateway = self.mesh.addresses(Role::Gateway)[0];
        let demo = Command::new(HIGHSTREET).args(["demo", "all", "--target", &format!("http://{gateway}")]).output();
        let demo = demo.unwrap();
        assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    }

    /// What all processes say of their metrics, one after the other.
    pub(crate) async fn metrics(&self) -> String {
        let mut text = String::new();
        for replica in &self.mesh.replicas {
            let answer = replica.metrics().await;
            text.push_str(answer.split_once("\r\n\r\n").map_or("", |(_, body)| body));
        }
        text
    }
}

fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("gateway.pem"), folder.join("gateway.key"))
}

/// Writes a certificate that is good for so long, and its key.
#[allow(clippy::disallowed_methods, reason = "Prometheus and certificates know the machine's time")]
fn certify(certificate: &Path, key: &Path, good_for: Duration) {
    let made = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = (SystemTime::now() + good_for).into();
    let signed = params.self_signed(&made).unwrap();
    std::fs::write(key, made.serialize_pem()).unwrap();
    std::fs::write(certificate, signed.pem()).unwrap();
}

/// The rules, for somebody who cannot wait: they look back ten seconds, and fire after one.
fn hurried(rules: &str) -> String {
    let wait = |line: &str| match line.trim_start().strip_prefix("for: ") {
        Some(_) => format!("{}for: 1s", &line[..line.len() - line.trim_start().len()]),
        None => line.replace("[5m]", "[10s]"),
    };
    rules.lines().map(|line| wait(line) + "\n").collect()
}
