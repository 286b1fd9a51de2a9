//! A broker that shows who it is and lets in only whom it knows.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::{connect, messages, publish, settings};
use highstreet_domain::kernel::ports::Bus;
use highstreet_nats::{Identity, Settings, State, Tls};
use highstreet_testkit::servers::NatsServer;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_the_password_is_let_in() {
    let server = NatsServer::start_with("authorization { user: \"mesh\", password: \"open sesame\" }").await;
    let known = Settings::at(&server.url().replace("://", "://mesh:open%20sesame@"));
    publish(&connect(known).await, &messages(1..=1)).await;

    let stranger = connect(settings(&server)).await;
    let refused = stranger.publish(messages(2..=2)).await.expect_err("nobody knows it").to_string();
    assert!(refused.contains("authorization violation"), "it says why: {refused}");
    assert!(matches!(stranger.state(), State::Away(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_is_shown() {
    let server = NatsServer::start_with("authorization { token: \"sesame\" }").await;
    publish(&connect(Settings::at(&server.url().replace("://", "://sesame@"))).await, &messages(1..=1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_show_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let at = |file: &str| folder.path().join(file);
    let server = NatsServer::start_with(&format!(
        "tls {{ cert_file: \"{0}/broker.pem\", key_file: \"{0}/broker.key\", ca_file: \"{0}/ca.pem\", verify: true }}",
        folder.path().display()
    ))
    .await;
    let identity = Identity { certificate: at("mesh.pem"), key: at("mesh.key") };
    let tls = Tls { authority: Some(at("ca.pem")), identity: Some(identity) };
    publish(&connect(Settings { tls: Some(tls), ..settings(&server) }).await, &messages(1..=1)).await;

    let nameless = Tls { authority: Some(at("ca.pem")), identity: None };
    let stranger = connect(Settings { tls: Some(nameless), ..settings(&server) }).await;
    stranger.publish(messages(2..=2)).await.expect_err("it shows no certificate");
}

/// An authority, and what it signed for the broker and for the mesh.
fn certificates(folder: &Path) {
    let authority = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
                     -keyout ca.key -out ca.pem";
    openssl(folder, authority);
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("a file");
    for name in ["broker", "mesh"] {
        let request = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(folder, &format!("{request} -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        let signing = "x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names";
        openssl(folder, &format!("{signing} -in {name}.csr -out {name}.pem"));
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split_whitespace()).stderr(Stdio::null());
    assert!(command.status().is_ok_and(|status| status.success()), "openssl {arguments}");
}
