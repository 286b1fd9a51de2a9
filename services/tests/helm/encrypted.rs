//! Pods that show certificates and ask for them.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::node::{Node, Pod};
use crate::shops::{STREET, street};

/// An authority, and what it certifies for `localhost`: its own certificate, that one, and the key of that.
fn certified() -> [String; 3] {
    let mut params = CertificateParams::new(vec!["street".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let root = params.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(params, root_key);
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    [root.pem(), certificate.pem(), key.serialize_pem()]
}

async fn is_answered(pod: &Pod, tls: ClientTlsConfig) -> bool {
    let endpoint: Endpoint = format!("https://localhost:{}", pod.listen.port()).parse().unwrap();
    let Ok(channel) = endpoint.tls_config(tls.domain_name("localhost")).unwrap().connect().await else { return false };
    HealthClient::new(channel).check(HealthCheckRequest::default()).await.is_ok()
}

/// With mutual TLS probes go on being answered, on the plain port: the pod becomes ready. On the other port only those
/// are answered who show a certificate of the authority.
#[tokio::test(flavor = "multi_thread")]
async fn pods_with_mutual_tls_are_ready_and_keep_strangers_out() {
    let [authority, certificate, key] = certified();
    let mut node = Node::new();
    for (name, value) in [("ca.crt", &authority), ("tls.crt", &certificate), ("tls.key", &key)] {
        node.keep("street-tls", name, value);
    }
    let objects = street(&json!({"tls": {"secret": "street-tls", "clientCertificates": true}}));
    node.apply(&objects);
    let pod = node.start(&objects, STREET).await;
    let believing = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&authority));
    assert!(is_answered(&pod, believing.clone().identity(Identity::from_pem(&certificate, &key))).await);
    assert!(!is_answered(&pod, believing).await, "it shows no certificate");
    let [_, strange, strange_key] = certified();
    let stranger = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&authority));
    assert!(
        !is_answered(&pod, stranger.identity(Identity::from_pem(&strange, &strange_key))).await,
        "of another authority"
    );
}
