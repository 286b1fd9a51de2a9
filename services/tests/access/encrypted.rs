//! Encryption, both ways, and certificates that change (CAP-13).

use std::fs;
use std::path::{Path, PathBuf};

use highstreet::ContextName;
use highstreet::config::{GroundArgs, PeerArgs, TlsArgs};
use highstreet_grpc::{Channel, ChannelSettings, PeerTls};
use highstreet_identity::Role;
use highstreet_wire::proto::payment::ListPaymentsRequest;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tonic::{Code, Request, Status};

use crate::common::eventually;
use crate::contexts::{Process, order};
use crate::people::{MINA, MINE, People};

/// An authority, which certifies who is on this machine.
struct Authority {
    file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

// === impl Authority ===

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = folder.join(format!("{name}.pem"));
        fs::write(&file, certificate.pem()).unwrap();
        Self { file, issuer: Issuer::new(params, key) }
    }

    /// Writes a certificate for this machine, and its key, to `NAME-certificate.pem` and `NAME-key.pem`.
    fn certify(&self, folder: &Path, name: &str) -> TlsArgs {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate_file, key_file) =
            (folder.join(format!("{name}-certificate.pem")), folder.join(format!("{name}-key.pem")));
        fs::write(&certificate_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        TlsArgs { tls_certificate: Some(certificate_file), tls_key: Some(key_file), ..TlsArgs::default() }
    }
}

fn peers(of: &Process) -> PeerArgs {
    PeerArgs { peers: vec![format!("payment={}", of.address).parse().unwrap()], trust_peers: false }
}

/// CAP-13: contexts show each other certificates of the mesh's authority, and speak to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn contexts_speak_to_whom_their_authority_knows() {
    let people = People::new();
    let (ours, another) = (Authority::new(people.folder(), "ours"), Authority::new(people.folder(), "another"));
    let door = TlsArgs { tls_client_ca: Some(ours.file.clone()), ..ours.certify(people.folder(), "payment") };
    let payment = Process::start(GroundArgs { tls: door, ..people.ground("payment") }, &[ContextName::Payment]).await;
    // Whoever calls from here does not care.
    let anybody = people.folder().join("anybody.pem");
    fs::write(&anybody, [fs::read(&ours.file).unwrap(), fs::read(&another.file).unwrap()].concat()).unwrap();
    let place = async |name: &str, tls: TlsArgs| {
        let ground = GroundArgs { peers: peers(&payment), ..people.ground(name) };
        let ordering = Process::start(GroundArgs { tls, ..ground }, &[ContextName::Ordering]).await;
        let guest = ordering.believed_by(anybody.clone()).guest(people.token(&[Role::Customer], MINE, Some(MINA)));
        guest.call("ordering.v1.OrderingService/PlaceOrder", order()).await.map_err(|status| status.code())
    };
    let known = TlsArgs { peer_ca: Some(ours.file.clone()), ..ours.certify(people.folder(), "ordering") };
    assert!(place("known", known.clone()).await.is_ok());
    let nameless = TlsArgs { peer_ca: Some(ours.file.clone()), ..TlsArgs::default() };
    assert_eq!(place("nameless", nameless).await.unwrap_err(), Code::Unavailable, "it shows no certificate");
    let stranger = TlsArgs { peer_ca: Some(ours.file.clone()), ..another.certify(people.folder(), "stranger") };
    assert_eq!(place("stranger", stranger).await.unwrap_err(), Code::Unavailable, "of another authority");
    let wary = TlsArgs { peer_ca: Some(another.file.clone()), ..known };
    assert_eq!(place("wary", wary).await.unwrap_err(), Code::Unavailable, "it does not believe payment");
}

/// CAP-13: a certificate is replaced while the server runs; who connects from then on sees the new one.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_again_when_they_change() {
    let people = People::new();
    let folder = people.folder();
    let (old, new) = (Authority::new(folder, "old"), Authority::new(folder, "new"));
    let tls = old.certify(folder, "payment");
    let payment = Process::start(GroundArgs { tls, ..people.ground("payment") }, &[ContextName::Payment]).await;
    let token = people.token(&[Role::Staff], MINE, None);
    let list = async |authority: &Authority| -> Result<(), Status> {
        let tls = Some(PeerTls::new(Some(authority.file.clone()), None).unwrap());
        let address = payment.address.parse().unwrap();
        let channel = Channel::new(address, ChannelSettings { tls, ..ChannelSettings::default() });
        let mut request = Request::new(ListPaymentsRequest { shop_id: MINE.into(), ..Default::default() });
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        PaymentServiceClient::new(channel.reach()).list_payments(request).await.map(drop)
    };
    list(&old).await.unwrap();
    assert!(list(&new).await.is_err());
    new.certify(folder, "payment");
    eventually("the new certificate is shown", || async { list(&new).await.ok() }).await;
    assert!(list(&old).await.is_err());
    // Files that cannot be used change nothing.
    fs::write(folder.join("payment-key.pem"), "no key").unwrap();
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(2);
    while tokio::time::Instant::now() < until {
        list(&new).await.unwrap();
    }
}
