//! Which way messages go.

use highstreet_domain::notification::{Notifier, Role};

use super::gateway::{Answer, Gateway};
use super::{clock, sending, settings};
use crate::{RepeatedRoute, Route, Routing, WebhookUrl};

async fn gateway() -> Gateway {
    Gateway::start(Answer::Status(204, "")).await
}

fn route(to: &str, gateway: &Gateway) -> Route<WebhookUrl> {
    format!("{to}={}", gateway.url().uri()).parse().unwrap()
}

fn routing(routes: Vec<Route<WebhookUrl>>) -> Routing {
    Routing::default().with_webhooks(routes, &settings(), &clock()).unwrap()
}

#[tokio::test]
async fn the_most_specific_route_wins() {
    let (mut any, mut owners, mut skanu, mut owner) =
        (gateway().await, gateway().await, gateway().await, gateway().await);
    let routing = routing(vec![
        route("*/*", &any),
        route("*/owner", &owners),
        route("skanu/*", &skanu),
        route("skanu/owner", &owner),
    ]);
    for (shop, role, gateway) in [
        ("other", Role::Staff, &mut any),
        ("other", Role::Owner, &mut owners),
        ("skanu", Role::Staff, &mut skanu),
        ("skanu", Role::Owner, &mut owner),
    ] {
        assert_eq!(routing.send(&sending(shop, role)).await, Ok(Ok(())));
        assert!(gateway.received.try_recv().is_ok(), "{shop} {role:?}");
    }
    for gateway in [&mut any, &mut owners, &mut skanu, &mut owner] {
        assert!(gateway.received.try_recv().is_err());
    }
}

#[tokio::test]
async fn the_shop_counts_for_more_than_the_role() {
    let (mut owners, mut skanu) = (gateway().await, gateway().await);
    let routing = routing(vec![route("*/owner", &owners), route("skanu/*", &skanu)]);
    assert_eq!(routing.send(&sending("skanu", Role::Owner)).await, Ok(Ok(())));
    assert!(skanu.received.try_recv().is_ok());
    assert!(owners.received.try_recv().is_err());
}

#[tokio::test]
async fn what_no_route_takes_is_logged() {
    let mut owners = gateway().await;
    let routing = routing(vec![route("*/owner", &owners)]);
    assert_eq!(routing.send(&sending("skanu", Role::Customer)).await, Ok(Ok(())));
    assert!(owners.received.try_recv().is_err());
}

#[test]
fn two_routes_for_the_same_are_refused() {
    let routes = ["skanu/*=https://one.example", "skanu/*=https://two.example"];
    let routes = routes.map(|text| text.parse().unwrap()).to_vec();
    let repeated = Routing::default().with_webhooks(routes, &settings(), &clock()).unwrap_err();
    assert_eq!(repeated, RepeatedRoute { shop: "skanu".into(), role: "*".into() });
}
