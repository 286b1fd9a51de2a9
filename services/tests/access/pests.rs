//! Clients that do harm (CAP-7): the server goes on serving the others.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_identity::Role;
use http::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::common::{HighStreet, eventually, reason};
use crate::guest::{Guest, through};
use crate::people::{JUN, MINA, MINE, People};

const LIST: &str = "ordering.v1.OrderingService/ListOrders";
/// Longer than anybody may stay silent.
const PATIENCE: Duration = Duration::from_mins(1);

fn place(street: &HighStreet) -> String {
    street.url().trim_start_matches("http://").to_owned()
}

async fn open(change: impl FnOnce(&mut GroundArgs)) -> (HighStreet, People) {
    let people = People::new();
    let mut ground = people.ground("data");
    change(&mut ground);
    (HighStreet::on(ground, ShopArgs::standard()).await, people)
}

/// CAP-7: a caller that asks too often is told when to come back; others do not notice.
#[tokio::test(flavor = "multi_thread")]
async fn cap_7_every_caller_has_a_share() {
    let (street, people) = open(|ground| {
        ground.caller_rate_limit = NonZeroU32::new(50);
        ground.method_rate_limits = vec!["highstreet.ordering.v1.OrderingService/GetOrder=1".parse().unwrap()];
    })
    .await;
    let guest = |phone| {
        let token = Some(people.token(&[Role::Customer], MINE, Some(phone)));
        Guest { way: through(street.channel.clone()), token }
    };
    let (mina, jun) = (guest(MINA), guest(JUN));
    let mut refused = None;
    for _ in 0..200 {
        refused = refused.or(mina.call(LIST, json!({"shopId": MINE})).await.err());
    }
    let refused = refused.unwrap();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    jun.call(LIST, json!({"shopId": MINE})).await.unwrap();
    let get = async || {
        let rpc = "ordering.v1.OrderingService/GetOrder";
        jun.call(rpc, json!({"orderId": "01a1fce4-5392-741c-b965-5351d4237950"})).await.unwrap_err().code()
    };
    assert_eq!(get().await, Code::NotFound);
    assert_eq!(get().await, Code::ResourceExhausted, "once a second");
    eventually("she is let in again", || async { mina.call(LIST, json!({"shopId": MINE})).await.ok() }).await;
}

/// CAP-7: who connects and says nothing, or little by little, is sent away, and takes no place for long.
#[tokio::test(flavor = "multi_thread")]
async fn cap_7_silent_clients_are_sent_away() {
    let (street, people) = open(|ground| ground.most_connections = 4).await;
    let mut silent = TcpStream::connect(place(&street)).await.unwrap();
    let mut slow = TcpStream::connect(place(&street)).await.unwrap();
    slow.write_all(b"PRI * HT").await.unwrap();
    let mut wordy = TcpStream::connect(place(&street)).await.unwrap();
    wordy.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: b\r\n").await.unwrap();
    let token = people.token(&[Role::Staff], MINE, None);
    let fresh = async || {
        let channel = tonic::transport::Channel::from_shared(street.url()).unwrap().connect().await.ok()?;
        Guest { way: through(channel), token: Some(token.clone()) }.call(LIST, json!({"shopId": MINE})).await.ok()
    };
    assert!(fresh().await.is_none(), "all places are taken");
    for held in [&mut silent, &mut slow, &mut wordy] {
        let mut rest = Vec::new();
        // What is said in the end does not matter.
        let _ = tokio::time::timeout(PATIENCE, held.read_to_end(&mut rest)).await.expect("it is sent away");
    }
    eventually("there is place again", fresh).await;
}

/// CAP-7: who begins calls and takes them back at once, again and again, loses the connection; nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn cap_7_rapid_resets_do_no_harm() {
    let (street, people) = open(|_| {}).await;
    let socket = TcpStream::connect(place(&street)).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(socket).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut resets = 0;
    while resets < 100_000 {
        let Ok(ready) = sender.clone().ready().await else { break };
        sender = ready;
        let request = Request::post("http://x/highstreet.ordering.v1.OrderingService/ListOrders").body(()).unwrap();
        let Ok((_, mut stream)) = sender.send_request(request, false) else { break };
        let _ = stream.send_data(Bytes::from_static(&[0]), false);
        stream.send_reset(h2::Reason::CANCEL);
        resets += 1;
    }
    let ended = tokio::time::timeout(PATIENCE, ended).await.expect("the connection is closed").unwrap();
    assert!(ended.is_err() && resets < 100_000, "closed after {resets} resets: {ended:?}");
    let token = Some(people.token(&[Role::Staff], MINE, None));
    Guest { way: through(street.channel.clone()), token }.call(LIST, json!({"shopId": MINE})).await.unwrap();
}

/// CAP-7: what is too large is refused before it is read.
#[tokio::test(flavor = "multi_thread")]
async fn cap_7_what_is_too_large_is_refused() {
    let (street, people) = open(|_| {}).await;
    let token = Some(people.token(&[Role::Owner], MINE, None));
    let owner = Guest { way: through(street.channel.clone()), token };
    let reason = "x".repeat(5 << 20);
    let cancel = json!({"orderId": "01a1fce4-5392-741c-b965-5351d4237950", "reason": reason});
    let status = owner.call("ordering.v1.OrderingService/CancelOrder", cancel).await.unwrap_err();
    assert!([Code::OutOfRange, Code::ResourceExhausted].contains(&status.code()), "{status:?}");
    let heavy = Guest { token: Some("x".repeat(40_000)), ..owner.clone() };
    let status = heavy.call(LIST, json!({"shopId": MINE})).await.unwrap_err();
    assert!(![Code::Ok, Code::Unauthenticated].contains(&status.code()), "headers of 40 kB are not read: {status:?}");
    owner.call(LIST, json!({"shopId": MINE})).await.unwrap();
}
