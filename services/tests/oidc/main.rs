//! A real `OpenID` provider: what it issues is believed, as far as it is meant for this street (CAP-13).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../json/client.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod client;
#[path = "../common/mod.rs"]
mod common;
#[path = "../access/guest.rs"]
mod guest;
mod provider;
#[path = "../fuzz/server.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod server;

use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::common::{eventually, reason};
use crate::guest::{Guest, through};
use crate::provider::Provider;
use crate::server::Server;

const LIST: &str = "ordering.v1.OrderingService/ListOrders";

/// Lists a shop's orders with a token.
async fn list(channel: &Channel, token: String, shop: &str) -> Result<Value, Status> {
    Guest { way: through(channel.clone()), token: Some(token) }.call(LIST, json!({"shopId": shop})).await
}

/// CAP-13: a client of a real provider gets in with its client credentials, by nothing but the provider's address; with
/// what is meant for others, is out of date or says another shop it does not. Keys are changed while the server runs.
#[tokio::test(flavor = "multi_thread")]
async fn cap_13_a_real_provider_lets_its_clients_in() {
    let mut provider = Provider::start().await;
    let url = provider.url();
    let server = Server::with(&["--auth-issuer", &url, "--auth-audience", "highstreet"]).await;
    let channel = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();

    let before = provider.token("urn:highstreet").await;
    list(&channel, before.clone(), "skanu").await.unwrap();
    let elsewhere = list(&channel, before.clone(), "lotte").await.unwrap_err();
    assert_eq!((elsewhere.code(), reason(&elsewhere).as_str()), (Code::NotFound, "NOT_YOURS"));
    for resource in ["urn:bakery", "urn:highstreet:expired"] {
        let refused = list(&channel, provider.token(resource).await, "skanu").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{resource}: {refused:?}");
    }

    provider.rotate().await;
    let after = provider.token("urn:highstreet").await;
    eventually("the new key is believed", || async { list(&channel, after.clone(), "skanu").await.ok() }).await;
    let forgotten = list(&channel, before, "skanu").await.unwrap_err();
    assert_eq!(forgotten.code(), Code::Unauthenticated, "the key is gone: {forgotten:?}");
}
