//! What callers may rely on: errors, request ids, revisions, pages, deadlines, health, reflection.

use std::collections::BTreeMap;
use std::time::Duration;

use highstreet::ContextName;
use highstreet::config::ShopArgs;
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::ordering::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, OrderStatus, PlaceOrderRequest,
};
use highstreet_wire::proto::payment::{PayRequest, PaymentStatus};
use tonic::{Code, Request};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::v1;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::common::stories;
use crate::shop::{CUSTOMER, Cafe, SHOP, eventually, lattes, reason};

stories![
    every_bad_field_is_named_at_once,
    a_total_in_two_currencies_is_refused,
    the_method_is_the_orders_unless_another_is_named,
    what_is_not_there_is_not_found,
    a_repeat_gets_the_first_answer,
    many_repeats_at_once_make_one_order_and_one_charge,
    a_stale_revision_is_refused,
    pages_are_stable_while_orders_come_in,
    a_deadline_ends_the_call_and_not_the_work,
    a_correlation_id_is_returned_always,
    health_and_reflection_are_offered
];

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let cafe = Cafe::open().await;
    let mut request = lattes(0);
    request.shop_id = "sk anu".into();
    request.customer_phone = "call me".into();
    request.payment_method = 0;
    request.request_id = "7".into();
    let price = request.lines[0].unit_price.as_mut().unwrap();
    (price.currency_code, price.units) = ("won".into(), -1);
    let refused = cafe.place(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    let mut fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    fields.sort_unstable();
    let expected = [
        "customer_phone",
        "lines[0].quantity",
        "lines[0].unit_price",
        "lines[0].unit_price.currency_code",
        "payment_method",
        "request_id",
        "shop_id",
    ];
    assert_eq!(fields, expected);
}

/// Lines that cannot be summed up are at fault as a whole.
#[tokio::test]
async fn a_total_in_two_currencies_is_refused() {
    let cafe = Cafe::open().await;
    let mut request = lattes(1);
    request.lines.extend(lattes(1).lines);
    request.lines[1].unit_price.as_mut().unwrap().currency_code = "USD".into();
    let refused = cafe.place(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_TOTAL"));
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["lines"]);
}

/// `Pay` without a method pays as the payment was requested.
#[tokio::test]
async fn the_method_is_the_orders_unless_another_is_named() {
    let cafe = Cafe::open().await;
    for (named, paid_by) in
        [(PaymentMethod::Unspecified, PaymentMethod::Cash), (PaymentMethod::Card, PaymentMethod::Card)]
    {
        let order =
            cafe.place(PlaceOrderRequest { payment_method: PaymentMethod::Cash.into(), ..lattes(1) }).await.unwrap();
        let pay = PayRequest { payment_id: order.payment_id, method: named.into(), ..Default::default() };
        let payment = cafe.payments().pay(pay).await.unwrap().into_inner().payment.unwrap();
        assert_eq!((payment.status(), payment.method()), (PaymentStatus::Approved, paid_by));
    }
    let unknown = PayRequest { payment_id: Uuid::now_v7().to_string(), method: 99, ..Default::default() };
    assert_eq!(cafe.payments().pay(unknown).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let cafe = Cafe::open().await;
    let request = GetOrderRequest { order_id: Uuid::now_v7().to_string() };
    let refused = cafe.ordering().get_order(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ORDER_NOT_FOUND"));
    assert_eq!(refused.get_details_resource_info().unwrap().resource_type, "order");
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let cafe = Cafe::open().await;
    let request = PlaceOrderRequest { request_id: Uuid::now_v7().to_string(), ..lattes(1) };
    let first = cafe.place(request.clone()).await.unwrap();
    cafe.pay(&first).await.unwrap();
    cafe.traced(&first, "PAID").await;
    eventually("the order is paid", || async {
        cafe.get_order(&first).await.ok().filter(|order| order.status() == OrderStatus::Paid)
    })
    .await;
    assert_eq!(cafe.place(request.clone()).await.unwrap(), first, "the first answer, not the order as it is now");
    let reused = cafe.place(PlaceOrderRequest { lines: lattes(2).lines, ..request }).await.unwrap_err();
    assert_eq!((reused.code(), reason(&reused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
    assert_eq!(cafe.all_orders().await.len(), 1);
}

/// A repeat while the first is at work waits for it.
#[tokio::test]
async fn many_repeats_at_once_make_one_order_and_one_charge() {
    let latency = Duration::from_millis(100);
    let cafe = Cafe::with(ShopArgs { provider_latency: latency..=latency, ..ShopArgs::standard() }).await;
    let request_id = Uuid::now_v7().to_string();
    let request = PlaceOrderRequest { shop_id: cafe.shop(SHOP), request_id, ..lattes(1) };
    let mut repeats = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (mut ordering, request) = (cafe.ordering(), request.clone());
        repeats.spawn(async move { ordering.place_order(request).await.unwrap().into_inner().order.unwrap() });
    }
    let orders = repeats.join_all().await;
    assert!(orders.iter().all(|order| *order == orders[0]));

    let pay = PayRequest {
        payment_id: orders[0].payment_id.clone(),
        method: 1,
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let mut repeats = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (mut payments, pay) = (cafe.payments(), pay.clone());
        repeats.spawn(async move { payments.pay(pay).await.unwrap().into_inner().payment.unwrap() });
    }
    let payments = repeats.join_all().await;
    assert!(payments.iter().all(|payment| payment.status() == PaymentStatus::Approved));
    assert_eq!(cafe.money_moved(), (1, 0));
}

#[tokio::test]
async fn a_stale_revision_is_refused() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    let mut request = CancelOrderRequest { order_id: order.order_id.clone(), ..Default::default() };
    request.expected_revision = Some(order.revision + 1);
    let refused = cafe.ordering().cancel_order(request.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "REVISION_MISMATCH"));
    request.expected_revision = Some(order.revision);
    cafe.ordering().cancel_order(request).await.unwrap();
}

#[tokio::test]
async fn pages_are_stable_while_orders_come_in() {
    let cafe = Cafe::open().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(cafe.order(1).await.order_id);
    }
    let mut request = ListOrdersRequest { shop_id: cafe.shop(SHOP), page_size: 2, ..Default::default() };
    let mut listed = Vec::new();
    loop {
        let page = cafe.ordering().list_orders(request.clone()).await.unwrap().into_inner();
        listed.extend(page.orders.into_iter().map(|order| order.order_id));
        // Comes in between two pages, and is on neither.
        cafe.order(1).await;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    placed.reverse();
    assert_eq!(listed, placed);

    request.page_token = "nonsense".into();
    let refused = cafe.ordering().list_orders(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    request.page_token = String::new();
    request.status = OrderStatus::Cancelled.into();
    assert!(cafe.ordering().list_orders(request.clone()).await.unwrap().into_inner().orders.is_empty());
    request.status = 0;
    request.customer_phone = "+82 10 1234 5678".into();
    assert!(!CUSTOMER.starts_with('+'), "the same number, written differently");
    assert_eq!(cafe.ordering().list_orders(request).await.unwrap().into_inner().orders.len(), 2);
}

/// A caller that stops waiting is told so, and what was begun is finished.
#[tokio::test]
async fn a_deadline_ends_the_call_and_not_the_work() {
    let latency = Duration::from_millis(400);
    let cafe = Cafe::with(ShopArgs { provider_latency: latency..=latency, ..ShopArgs::standard() }).await;
    let order = cafe.order(1).await;
    let mut request =
        Request::new(PayRequest { payment_id: order.payment_id.clone(), method: 1, ..Default::default() });
    request.set_timeout(Duration::from_millis(50));
    let late = cafe.payments().pay(request).await.unwrap_err();
    assert!(matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled), "{late:?}");
    eventually("the payment is made", || async {
        cafe.payment(&order).await.filter(|it| it.status() == PaymentStatus::Approved)
    })
    .await;
    assert_eq!(cafe.money_moved(), (1, 0));
}

#[tokio::test]
async fn a_correlation_id_is_returned_always() {
    let cafe = Cafe::open().await;
    let mut request = Request::new(PlaceOrderRequest { shop_id: cafe.shop(SHOP), ..lattes(1) });
    request.metadata_mut().insert("x-correlation-id", "table-7".parse().unwrap());
    let answer = cafe.ordering().place_order(request).await.unwrap();
    assert_eq!(answer.metadata().get("x-correlation-id").unwrap(), "table-7");
    let answer =
        cafe.ordering().place_order(PlaceOrderRequest { shop_id: cafe.shop(SHOP), ..lattes(1) }).await.unwrap();
    assert!(!answer.metadata().get("x-correlation-id").unwrap().is_empty());
    let refused = cafe.ordering().get_order(GetOrderRequest::default()).await.unwrap_err();
    assert!(refused.metadata().get("x-correlation-id").is_some());
}

#[tokio::test]
async fn health_and_reflection_are_offered() {
    let cafe = Cafe::open().await;
    let mut health = HealthClient::new(cafe.channel.clone());
    for service in ["", "highstreet.ordering.v1.OrderingService", "highstreet.tracking.v1.TrackingService"] {
        assert!(health.check(HealthCheckRequest { service: service.into() }).await.is_ok(), "{service}");
    }

    let question = |list: &str| v1::ServerReflectionRequest {
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(list.into())),
        ..Default::default()
    };
    let mut reflection = ServerReflectionClient::new(cafe.channel.clone());
    let questions = tokio_stream::iter([question("")]);
    let mut answers = reflection.server_reflection_info(questions).await.unwrap().into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap().unwrap());
    assert!(answer.contains("highstreet.kitchen.v1.KitchenService"), "{answer}");

    // One service for each context, that of operators, and the whole.
    let service = |context: &str| {
        let (first, rest) = context.split_at(1);
        format!("highstreet.{context}.v1.{}{rest}Service", first.to_uppercase())
    };
    let offered = ContextName::ALL
        .map(|context| service(context.as_str()))
        .into_iter()
        .chain(["highstreet.operations.v1.OperationsService".to_owned(), String::new()]);
    let serving: BTreeMap<_, _> = offered.map(|name| (name, ServingStatus::Serving.into())).collect();
    // A gateway says so a moment after a context that was away is back, and another story may have taken one away.
    eventually("all of them are serving, and nothing else", || async {
        (statuses(&cafe).await == serving).then_some(())
    })
    .await;

    let unknown = health.check(HealthCheckRequest { service: "nobody".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

/// The status of every service, by name, as `List` tells it; tonic-health's client does not know that call.
async fn statuses(cafe: &Cafe) -> BTreeMap<String, i32> {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Listed {
        #[prost(btree_map = "string, message", tag = "1")]
        statuses: BTreeMap<String, HealthCheckResponse>,
    }
    let mut client = tonic::client::Grpc::new(cafe.channel.clone());
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/grpc.health.v1.Health/List");
    let codec = tonic_prost::ProstCodec::<(), Listed>::default();
    let listed = client.unary(Request::new(()), path, codec).await.unwrap().into_inner();
    listed.statuses.into_iter().map(|(name, health)| (name, health.status)).collect()
}
