//! The crate against the real server.
#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure")]

mod common;

#[allow(dead_code, unreachable_pub, reason = "its `main` is for people")]
#[path = "../examples/cinema.rs"]
mod cinema;

use std::time::Duration;

use cinema::Evening;
use common::{Server, token};
use highstreet_client::proto::Money;
use highstreet_client::proto::common::PaymentMethod;
use highstreet_client::proto::ordering::{ListOrdersRequest, OrderLine, PlaceOrderRequest};
use highstreet_client::proto::tracking::WatchTracesRequest;
use highstreet_client::{Patience, Street, Unusable, reason};
use tokio::task::JoinSet;
use tonic::{Code, Request, Status};
use uuid::Uuid;

const SHOP: &str = "skanu";

fn wish() -> PlaceOrderRequest {
    let line = OrderLine {
        product_id: "espresso".into(),
        product_name: "Espresso".into(),
        quantity: 1,
        unit_price: Some(Money { currency_code: "KRW".into(), units: 3000, nanos: 0 }),
    };
    PlaceOrderRequest {
        shop_id: SHOP.into(),
        customer_phone: "010-1111-2222".into(),
        lines: vec![line],
        payment_method: PaymentMethod::Card.into(),
        ..PlaceOrderRequest::default()
    }
}

fn everything() -> ListOrdersRequest {
    ListOrdersRequest { shop_id: SHOP.into(), ..ListOrdersRequest::default() }
}

async fn placed(street: &Street, wish: &PlaceOrderRequest) -> Result<String, Status> {
    let answer = street.ordering().place_order(wish.clone()).await?;
    Ok(answer.into_inner().order.unwrap().order_id)
}

#[tokio::test]
async fn the_cinemas_example_plays() {
    let server = Server::start(&[]).await;
    let evening = cinema::play(&Street::at(&server.address).unwrap()).await.unwrap();
    let expected =
        Evening { taken: Some("SEAT_TAKEN".into()), too_late: Some("BOOKING_ALREADY_COMPLETED".into()), points: 100 };
    assert_eq!(evening, expected);
}

#[tokio::test]
async fn a_request_is_taken_once_by_its_id_and_gets_one_of_its_own_without() {
    let server = Server::start(&[]).await;
    let street = Street::at(&server.address).unwrap();
    let mine = PlaceOrderRequest { request_id: Uuid::now_v7().to_string(), ..wish() };
    assert_eq!(placed(&street, &mine).await.unwrap(), placed(&street, &mine).await.unwrap());
    assert_ne!(placed(&street, &wish()).await.unwrap(), placed(&street, &wish()).await.unwrap());

    let nothing = PlaceOrderRequest { lines: vec![], ..wish() };
    let refused = placed(&street, &nothing).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_REQUEST")));
    assert!(refused.metadata().contains_key("x-correlation-id"), "what comes with a refusal is the caller's");
}

#[tokio::test]
async fn what_happens_is_streamed() {
    let server = Server::start(&[]).await;
    let street = Street::at(&server.address).unwrap();
    let watch = WatchTracesRequest { shop_id: SHOP.into(), ..WatchTracesRequest::default() };
    let mut changes = street.tracking().watch_traces(watch).await.unwrap().into_inner();
    // A watch begins with what happens from now on.
    let placing = async {
        loop {
            placed(&street, &wish()).await.unwrap();
        }
    };
    let change = tokio::select! {
        change = changes.message() => change.unwrap().unwrap(),
        () = placing => unreachable!("it goes on for ever"),
    };
    assert_eq!(change.trace.unwrap().shop_id, SHOP);
}

#[tokio::test]
async fn a_street_that_is_asked_too_much_is_waited_for_as_it_says() {
    let server = Server::start(&["--rate-limit", "5"]).await;
    let street = Street::at(&server.address).unwrap();
    let impatient = street.clone().with_patience(Patience::NONE);
    let patient = street.with_patience(Patience { attempts: 20, ..Patience::default() });
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        let patient = patient.clone();
        calls.spawn(async move { patient.ordering().list_orders(everything()).await.map(|_| ()) });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));

    let mut refused = Vec::new();
    for _ in 0..12 {
        refused.extend(impatient.ordering().list_orders(everything()).await.err().as_ref().and_then(reason));
    }
    refused.dedup();
    assert_eq!(refused, ["RATE_LIMITED"]);
}

#[tokio::test]
async fn a_street_that_asks_who_calls_is_shown_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let owner = token(folder.path(), &["--role", "owner", "--shop", SHOP]);
    let keys = folder.path().join("key.jwks.json");
    let server = Server::start(&["--auth-jwks", keys.to_str().unwrap()]).await;
    let stranger = Street::at(&server.address).unwrap();
    assert_eq!(stranger.ordering().list_orders(everything()).await.unwrap_err().code(), Code::Unauthenticated);
    let street = stranger.with_token(&owner).unwrap();
    assert!(street.ordering().list_orders(everything()).await.unwrap().into_inner().orders.is_empty());
    let watch = WatchTracesRequest { shop_id: SHOP.into(), ..WatchTracesRequest::default() };
    street.tracking().watch_traces(watch).await.expect("a stream shows it too");
    assert!(!format!("{street:?}").contains(owner.trim()), "a token is told to nobody");
}

/// Nobody listens there: the call is made again until its own deadline.
#[tokio::test]
async fn a_street_that_is_not_there_is_waited_for_until_the_calls_own_deadline() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let street = Street::at(format!("http://{nobody}")).unwrap();
    let mut request = Request::new(everything());
    request.set_timeout(Duration::from_millis(250));
    let begun = tokio::time::Instant::now();
    assert_eq!(street.ordering().list_orders(request).await.unwrap_err().code(), Code::Unavailable);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn what_cannot_be_used_is_refused() {
    let address = Street::at("street of mine").unwrap_err();
    assert!(matches!(&address, Unusable::Address(_)) && address.to_string().contains("http://host:port"));
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_refused() {
    let token = Street::at("http://127.0.0.1:1").unwrap().with_token("two\nlines").unwrap_err();
    assert!(matches!(token, Unusable::Token), "{token}");
}
