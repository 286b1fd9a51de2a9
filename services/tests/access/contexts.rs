//! Contexts in processes of their own show each other who they are.

use std::path::PathBuf;

use highstreet::config::{GroundArgs, PeerArgs, ShopArgs};
use highstreet::{ContextName, Door, Platform, Street};
use highstreet_grpc::{Channel, ChannelSettings, PeerTls};
use highstreet_identity::Role;
use serde_json::{Value, json};
use tonic::Code;

use crate::guest::Guest;
use crate::people::{MINA, MINE, People};

/// A process that runs these contexts.
pub(crate) struct Process {
    street: Street,
    pub(crate) address: String,
    /// Whose word its guests take for who it is, where they cannot look.
    authority: Option<PathBuf>,
}

// === impl Process ===

impl Process {
    pub(crate) async fn start(ground: GroundArgs, contexts: &[ContextName]) -> Self {
        let encrypted = ground.tls.tls_certificate.is_some();
        let platform = Platform::open(ground, ShopArgs::standard()).await.unwrap();
        let street = Street::open(platform, contexts).await.unwrap();
        let door = Door::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let (listening, serving) = door.open(&street, std::future::pending()).unwrap();
        tokio::spawn(serving);
        let scheme = if encrypted { "https" } else { "http" };
        Self { street, address: format!("{scheme}://{}", listening.address), authority: None }
    }

    pub(crate) fn believed_by(self, authority: PathBuf) -> Self {
        Self { authority: Some(authority), ..self }
    }

    pub(crate) fn guest(&self, token: String) -> Guest {
        let tls = PeerTls::new(self.authority.clone(), None).unwrap();
        let settings = ChannelSettings { tls: Some(tls), ..ChannelSettings::default() };
        Guest { way: Channel::new(self.address.parse().unwrap(), settings).reach(), token: Some(token) }
    }
}

pub(crate) fn order() -> Value {
    let price = json!({"currencyCode": "KRW", "units": "4500"});
    let line = json!({"productId": "latte", "productName": "Latte", "quantity": 1, "unitPrice": price});
    json!({"shopId": MINE, "customerPhone": MINA, "lines": [line], "paymentMethod": "PAYMENT_METHOD_CARD"})
}

/// CAP-13, CAP-5: ordering calls payment in another process as itself; without the mesh's key it is not let in.
#[tokio::test(flavor = "multi_thread")]
async fn a_context_calls_another_as_itself() {
    let people = People::new();
    let payment = Process::start(people.ground("payment"), &[ContextName::Payment]).await;
    let peers = PeerArgs { peers: vec![format!("payment={}", payment.address).parse().unwrap()], trust_peers: false };
    let ground = GroundArgs { peers, ..people.ground("ordering") };
    let ordering = Process::start(ground.clone(), &[ContextName::Ordering]).await;
    let mina = people.token(&[Role::Customer], MINE, Some(MINA));
    let guest = ordering.guest(mina.clone());
    let placed = guest.call("ordering.v1.OrderingService/PlaceOrder", order()).await.unwrap();
    // The payment is Mina's, who never called payment.
    let asked = json!({"paymentId": placed["order"]["paymentId"]});
    let found = payment.guest(mina.clone()).call("payment.v1.PaymentService/GetPayment", asked).await.unwrap();
    assert_eq!(found["payment"]["payer"], MINA);

    ordering.street.close(std::time::Duration::from_secs(2)).await;
    let mut unknown = ground;
    unknown.auth.auth_mesh_keys.clear();
    unknown.data = people.folder().join("unknown");
    let stranger = Process::start(unknown, &[ContextName::Ordering]).await.guest(mina);
    let status = stranger.call("ordering.v1.OrderingService/PlaceOrder", order()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}
