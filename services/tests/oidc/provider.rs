//! The npm package `oidc-provider`, on loopback.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use http::Method;
use tokio::net::TcpStream;

use crate::client::Web;
use crate::common::eventually;

/// `counter:a-secret-of-the-counter`, as provider.mjs knows it.
const CREDENTIALS: &str = "Basic Y291bnRlcjphLXNlY3JldC1vZi10aGUtY291bnRlcg==";
const NEEDED: &str = "the test with a real OpenID provider needs Node.js 20 or newer with npm (on Debian: apt-get install \
                      nodejs npm), and npm's registry for the packages in services/tests/oidc/provider/package.json";

/// Killed when it is dropped.
pub(crate) struct Provider {
    address: SocketAddr,
    child: Child,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider")
}

/// Installs the packages, if they are not there.
fn install() {
    if folder().join("node_modules/oidc-provider").is_dir() {
        return;
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder()).status();
    assert!(npm.is_ok_and(|status| status.success()), "npm ci failed: {NEEDED}");
}

async fn run(address: SocketAddr) -> Child {
    let mut node = Command::new("node");
    node.arg(folder().join("provider.mjs")).arg(address.port().to_string()).stdin(Stdio::null()).stdout(Stdio::null());
    let child = node.spawn().unwrap_or_else(|error| panic!("node does not start: {error}: {NEEDED}"));
    eventually("the provider listens", || async { TcpStream::connect(address).await.ok() }).await;
    child
}

// === impl Provider ===

impl Provider {
    pub(crate) async fn start() -> Self {
        install();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { address, child: run(address).await }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same provider with other keys: it makes them when it starts.
    pub(crate) async fn rotate(&mut self) {
        self.stop();
        self.child = run(self.address).await;
    }

    /// What a client gets for its credentials and a resource.
    pub(crate) async fn token(&self, resource: &str) -> String {
        let web = Web::new(&self.url());
        let ask = web
            .ask(Method::POST, "/token")
            .with("content-type", "application/x-www-form-urlencoded")
            .with("authorization", CREDENTIALS)
            .body(format!("grant_type=client_credentials&resource={resource}"));
        let answer = ask.send().await;
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        said["access_token"].as_str().unwrap_or_else(|| panic!("no token: {said}")).to_owned()
    }

    fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}
