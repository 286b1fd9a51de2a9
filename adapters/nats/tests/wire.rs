//! What the broker has: events as any language reads them, and streams as the settings say.

mod common;

use std::time::Duration;

use async_nats::jetstream;
use common::{connect, join, message, messages, publish, receive_until, settings};
use futures_util::StreamExt;
use highstreet_domain::kernel::ports::Bus;
use highstreet_domain::kernel::{Message, Origin};
use highstreet_nats::{Retention, Settings};
use highstreet_testkit::servers::NatsServer;

#[tokio::test(flavor = "multi_thread")]
async fn any_subscriber_sees_a_cloud_event_in_binary_mode() {
    let server = NatsServer::start().await;
    let stranger = async_nats::connect(server.url()).await.expect("the broker is there");
    let mut subscriber = stranger.subscribe("highstreet.ordering.>").await.expect("a subscription");
    stranger.flush().await.expect("the broker knows of it");
    let trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let message = Message { origin: Origin { trace, ..message(1).origin }, ..message(1) };
    publish(&connect(settings(&server)).await, std::slice::from_ref(&message)).await;
    let seen = subscriber.next().await.expect("a message");
    assert_eq!(seen.subject.as_str(), format!("highstreet.ordering.v1.OrderPaid.{}", message.subject));
    assert_eq!(seen.payload, message.body);
    let headers = seen.headers.expect("headers");
    let mut headers: Vec<_> =
        headers.iter().map(|(name, values)| (name.to_string(), values[0].as_str().to_owned())).collect();
    headers.sort();
    let expected = [
        ("Nats-Msg-Id", message.id.to_string()),
        ("ce-actor", "mina".to_owned()),
        ("ce-causationid", "request".to_owned()),
        ("ce-correlationid", "story".to_owned()),
        ("ce-id", message.id.to_string()),
        ("ce-source", "/highstreet/ordering".to_owned()),
        ("ce-specversion", "1.0".to_owned()),
        ("ce-subject", message.subject.to_string()),
        ("ce-time", "2026-11-21T00:38:18.123457Z".to_owned()),
        ("ce-type", "highstreet.ordering.v1.OrderPaid".to_owned()),
        ("content-type", "application/protobuf".to_owned()),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_twice_is_kept_once() {
    let server = NatsServer::start().await;
    let bus = connect(settings(&server)).await;
    publish(&bus, &messages(1..=3)).await;
    publish(&bus, &messages(1..=4)).await;
    assert_eq!(receive_until(&mut *join(&bus).await, 4).await, [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_brought_up_to_date_and_keeps_what_operators_changed() {
    let server = NatsServer::start().await;
    publish(&connect(settings(&server)).await, &messages(1..=1)).await;
    let operator = jetstream::new(async_nats::connect(server.url()).await.expect("the broker is there"));
    let stream =
        async || operator.get_stream("HIGHSTREET_ORDERING").await.expect("the stream").cached_info().config.clone();
    let found = stream().await;
    assert_eq!(found.subjects, ["highstreet.ordering.>"]);
    assert_eq!((found.max_age, found.storage), (Duration::ZERO, jetstream::stream::StorageType::File));
    let described = jetstream::stream::Config { description: Some("the shop's orders".into()), ..found };
    operator.update_stream(described).await.expect("an operator may");

    let retention = Retention { max_age: Some(Duration::from_hours(1)), max_bytes: Some(1 << 20) };
    publish(&connect(Settings { retention, ..settings(&server) }).await, &messages(2..=2)).await;
    let found = stream().await;
    assert_eq!((found.max_age, found.max_bytes), (Duration::from_hours(1), 1 << 20));
    assert_eq!(found.description.as_deref(), Some("the shop's orders"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_wants_more_goes_on_where_it_was() {
    let server = NatsServer::start().await;
    let bus = connect(settings(&server)).await;
    publish(&bus, &messages(1..=2)).await;
    assert_eq!(receive_until(&mut *join(&bus).await, 2).await, [1, 2]);
    let more = common::subscription(&["OrderPaid", "OrderCancelled"]);
    let mut deliveries = bus.subscribe(&more).await.expect("a subscription is only noted");
    publish(&bus, &[Message { name: "OrderPlaced".into(), ..message(3) }]).await;
    publish(&bus, &[Message { name: "OrderCancelled".into(), ..message(4) }, message(5)]).await;
    assert_eq!(receive_until(&mut *deliveries, 5).await, [4, 5]);
}
