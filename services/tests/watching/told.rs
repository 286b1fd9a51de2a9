//! A mesh that tells a collector of everything: of traces that are whole, and of nobody's name.

use std::process::Command;
use std::time::Duration;

use highstreet::ContextName;
use highstreet::config::Role;
use highstreet_testkit::servers::within;
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::lending::RequestReservationRequest;
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{Order, OrderLine, PlaceOrderRequest};
use highstreet_wire::proto::payment::PayRequest;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::{Request, Status};

use crate::collector::{Collector, Span};
use crate::common::mesh::{HIGHSTREET, Mesh, Plan};
use crate::common::won;

const PATIENCE: Duration = Duration::from_secs(40);
const CALL: Duration = Duration::from_secs(10);
/// The trace that the caller is in, and the span.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ROOT: &str = "00f067aa0ba902b7";
/// A customer whom nobody else has, by number and by name.
const PHONE: &str = "010-9753-1864";
const NAME: &str = "Zaphod";

/// A mesh that tells a collector of everything, and logs all it can.
async fn talkative(collector: &Collector) -> Mesh {
    let told = ["--otlp-endpoint", &collector.url(), "--trace-sample", "1", "--grace", "2s"];
    let mut mesh = Mesh::prepare(Plan::default().all_with(&told)).await;
    for replica in &mut mesh.replicas {
        replica.variables.push(("HIGHSTREET_LOG".into(), "debug".into()));
    }
    mesh.start_all().await;
    mesh
}

/// CAP-17: one trace leads from the gateway through contexts, outboxes and the broker to whoever hears of it, spans and
/// logs name nobody, and a collector that hangs holds up nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_of_whole_traces_and_of_nobodys_name() {
    let collector = Collector::start().await;
    let mut mesh = talkative(&collector).await;
    let order = place_order(&mesh, PHONE).await.unwrap();
    pay(&mesh, &order).await.unwrap();
    the_trace_is_whole(&collector).await;
    lines_name_their_trace(&mesh).await;
    metrics_are_told(&collector).await;
    nobody_is_named(&collector, &mesh).await;
    nobody_waits_for_it(&collector, &mut mesh).await;
}

/// Waits for a span, and returns it.
async fn span(collector: &Collector, service: &str, kind: SpanKind, name: &str) -> Span {
    within(PATIENCE, &format!("{kind:?} {name} of {service}"), || async {
        let is_it = |span: &Span| span.service == format!("highstreet-{service}") && span.kind == kind;
        collector.trace(TRACE).into_iter().find(|span| is_it(span) && span.name == name)
    })
    .await
}

async fn the_trace_is_whole(collector: &Collector) {
    let place = "highstreet.ordering.v1.OrderingService/PlaceOrder";
    let request = "highstreet.payment.v1.PaymentService/RequestPayment";
    let span = async |service, kind, name| span(collector, service, kind, name).await;
    let gateway = span("gateway", SpanKind::Server, place).await;
    assert_eq!(gateway.parent, ROOT);
    let on_its_way = span("gateway", SpanKind::Client, place).await;
    assert_eq!(on_its_way.parent, gateway.id);
    let ordering = span("ordering", SpanKind::Server, place).await;
    assert_eq!(ordering.parent, on_its_way.id);
    let told = |key: &str| ordering.attributes[key].as_str();
    assert_eq!((told("rpc.system"), told("rpc.service")), ("grpc", "highstreet.ordering.v1.OrderingService"));
    assert_eq!((told("rpc.method"), told("rpc.grpc.status_code")), ("PlaceOrder", "0"));

    let append = span("ordering", SpanKind::Client, "append ordering").await;
    assert_eq!(
        (append.attributes["db.system.name"].as_str(), append.attributes["db.operation.name"].as_str()),
        ("postgresql", "append")
    );
    let step = span("ordering", SpanKind::Internal, "step order").await;
    assert_eq!(step.parent, ordering.id);
    assert_eq!(step.attributes["highstreet.outcome"], "answered");
    let asking = span("ordering", SpanKind::Client, request).await;
    assert_eq!((asking.parent.as_str(), asking.attributes["peer.service"].as_str()), (step.id.as_str(), "payment"));
    assert_eq!(span("payment", SpanKind::Server, request).await.parent, asking.id);

    // Through the outbox and the broker: paid there, marked as paid here, told to everybody.
    let (sent, heard) = hop(collector, "payment", "PaymentApproved", "ordering").await;
    assert_eq!(sent.attributes["messaging.system"], "nats");
    assert_eq!(heard.attributes["messaging.operation.type"], "process");
    for listener in ["kitchen", "loyalty", "notification", "tracking"] {
        let (sent, _) = hop(collector, "ordering", "OrderPaid", listener).await;
        assert_eq!(sent.parent, heard.id);
    }
    within(PATIENCE, "nothing hangs in the air", || async {
        let spans = collector.trace(TRACE);
        let is_there = |id: &String| id == ROOT || spans.iter().any(|other| other.id == *id);
        spans.iter().all(|span| is_there(&span.parent) && span.links.iter().all(is_there)).then_some(())
    })
    .await;
}

/// The span that sent an event, and the one in which a listener handled it.
async fn hop(collector: &Collector, source: &str, event: &str, listener: &str) -> (Span, Span) {
    let sent = span(collector, source, SpanKind::Producer, &format!("send {source}.{event}")).await;
    let heard = span(collector, listener, SpanKind::Consumer, &format!("process {source}.{event}")).await;
    assert_eq!(heard.links, std::slice::from_ref(&sent.id));
    assert_eq!(heard.parent, sent.id);
    (sent, heard)
}

/// Whoever reads a line finds the trace.
async fn lines_name_their_trace(mesh: &Mesh) {
    let place = mesh.places(ContextName::Notification)[0];
    within(PATIENCE, "a line with its trace", || async {
        let log = mesh.replicas[place].log();
        let ours = log.lines().find(|line| line.contains("\"notified\"") && line.contains(TRACE))?;
        let line: serde_json::Value = serde_json::from_str(ours).unwrap();
        (line["trace_id"] == TRACE && line["span_id"].as_str()?.len() == 16).then_some(())
    })
    .await;
}

async fn metrics_are_told(collector: &Collector) {
    for (service, metric) in [("ordering", "rpc_server_duration_seconds"), ("kitchen", "highstreet_consumer_lag")] {
        within(PATIENCE, &format!("{metric} of {service}"), || async {
            let metrics = collector.metrics_of(&format!("highstreet-{service}"));
            metrics.iter().any(|it| it == metric).then_some(())
        })
        .await;
    }
}

/// All shops' stories are played, and a customer says their name and number wherever there is room for it.
async fn nobody_is_named(collector: &Collector, mesh: &Mesh) {
    let gateway = mesh.addresses(Role::Gateway)[0];
    let demo = Command::new(HIGHSTREET).args(["demo", "all", "--target", &format!("http://{gateway}")]).output();
    let demo = demo.unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    place_order(mesh, &format!("{NAME} {PHONE}")).await.unwrap_err();
    say_it_everywhere(mesh).await;
    // Whatever follows from it is told within this time.
    let last = place_order(mesh, PHONE).await.unwrap();
    pay(mesh, &last).await.unwrap();
    within(PATIENCE, "the last of it is told", || async {
        let sent = collector.trace(TRACE).into_iter().filter(|span| span.name == "process ordering.OrderPaid");
        (sent.count() == 8).then_some(())
    })
    .await;
    let mut metrics = String::new();
    for replica in &mesh.replicas {
        metrics.push_str(&replica.metrics().await);
        let log = replica.log();
        assert!(log.contains("\"DEBUG\""), "{} says all it can", replica.name());
        without_names(&replica.name(), &log);
    }
    without_names("metrics", &metrics);
    let told = collector.text();
    for span in ["send sales.Purchased", "process lending.ReservationRequested", "send seating.SeatsHeld"] {
        assert!(told.contains(span), "all shops are told of: {span}");
    }
    without_names("the collector", &told);
}

async fn say_it_everywhere(mesh: &Mesh) {
    let request = RequestReservationRequest {
        shop_id: "library".into(),
        user_id: format!("{NAME} {PHONE}"),
        book_id: NAME.into(),
        request_id: NAME.into(),
    };
    let mut lending = LendingServiceClient::new(mesh.channel(Role::Gateway).reach());
    let mut request = Request::new(request);
    for header in ["x-correlation-id", "x-highstreet-caller", "x-highstreet-actor", "traceparent", "authorization"] {
        request.metadata_mut().insert(header, format!("{NAME} {PHONE}").parse().unwrap());
    }
    lending.request_reservation(request).await.unwrap_err();
    let mut client = tonic::client::Grpc::new(mesh.channel(Role::Gateway).reach());
    client.ready().await.unwrap();
    let path = format!("/highstreet.{NAME}/{PHONE}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(Request::new(()), path, codec).await.unwrap_err();
}

/// Fails if somebody is named, whoever it is.
fn without_names(place: &str, text: &str) {
    for line in text.lines() {
        let named = [NAME, "9753-1864", "97531864", "+8210"].iter().any(|word| line.contains(word)) || has_phone(line);
        assert!(!named, "{place} names somebody: {line}");
    }
}

/// Whether there is a `010-1234-5678` that is not part of an id.
fn has_phone(line: &str) -> bool {
    let digits = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    line.match_indices("010-").any(|(place, _)| {
        let before = line[..place].chars().next_back();
        let mut parts = line[place + 4..].splitn(2, '-');
        let first = parts.next().is_some_and(digits);
        let second = parts.next().and_then(|rest| rest.get(..4)).is_some_and(digits);
        first && second && !before.is_some_and(|letter| letter.is_ascii_hexdigit() || letter == '-')
    })
}

/// A collector that hangs, and whoever is asked meanwhile answers; and stops when told to.
async fn nobody_waits_for_it(collector: &Collector, mesh: &mut Mesh) {
    collector.hang();
    let place = mesh.places(ContextName::Ordering)[0];
    within(PATIENCE, "something is dropped", || async {
        let placed = tokio::time::timeout(CALL, place_order(mesh, PHONE)).await;
        assert!(matches!(placed, Ok(Ok(_))), "{placed:?}");
        let metrics = mesh.replicas[place].metrics().await;
        let dropped =
            metrics.lines().find_map(|line| line.strip_prefix("highstreet_telemetry_dropped_total{signal=\"spans\"} "));
        dropped.is_some_and(|dropped| dropped != "0").then_some(())
    })
    .await;
    // It ends well, and soon enough.
    mesh.of(ContextName::Ordering).stopped().await;
}

async fn place_order(mesh: &Mesh, phone: &str) -> Result<Order, Status> {
    let line = OrderLine {
        product_id: "latte".into(),
        product_name: "Latte".into(),
        quantity: 1,
        unit_price: Some(won(4500)),
    };
    let order = PlaceOrderRequest {
        shop_id: "skanu".into(),
        customer_phone: phone.into(),
        payment_method: PaymentMethod::Card.into(),
        lines: vec![line],
        ..Default::default()
    };
    let mut ordering = OrderingServiceClient::new(mesh.channel(Role::Gateway).reach());
    Ok(ordering.place_order(traced(order)).await?.into_inner().order.unwrap())
}

async fn pay(mesh: &Mesh, order: &Order) -> Result<(), Status> {
    let pay = PayRequest {
        payment_id: order.payment_id.clone(),
        method: PaymentMethod::Card.into(),
        ..PayRequest::default()
    };
    PaymentServiceClient::new(mesh.channel(Role::Gateway).reach()).pay(traced(pay)).await.map(drop)
}

fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("traceparent", format!("00-{TRACE}-{ROOT}-01").parse().unwrap());
    request
}

#[test]
fn phones_are_told_from_ids() {
    assert!(has_phone("of 010-1234-5678, today") && has_phone("010-1234-5678"));
    assert!(!has_phone("01a1f010-1234-7178") && !has_phone("010-12-34") && !has_phone("a-010-1234-5678"));
}
