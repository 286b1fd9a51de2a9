//! A cinema in a pod: its customers, and its story as `helm test` plays it.

use std::collections::BTreeMap;

use highstreet::ContextName;
use highstreet_domain::kernel::ports::Clock as _;
use highstreet_foundation::SystemClock;
use highstreet_identity::{LocalKey, Person, Role};
use highstreet_testkit::servers::{NatsServer, PostgresServer, free_port};
use highstreet_wire::proto::Money;
use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::booking::{Booking, CreateBookingRequest, GetBookingRequest};
use highstreet_wire::proto::common::PaymentMethod;
use serde_json::{Value, json};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

use crate::chart::{Objects, context, street_with};
use crate::node::{Node, Pod};

const MINA: &str = "010-1234-5678";
/// What the deployment of a whole street in one process is called here.
pub(crate) const STREET: &str = "street-all";

/// A whole street in one process that believes the tokens of its own key, with these values too.
pub(crate) fn street(more: &Value) -> Objects {
    let mut values = json!({"context": "all", "auth": {"tryOut": true}});
    values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    context("street", values).unwrap()
}

/// A visitor of the cinema, who has a token of the street's key.
pub(crate) struct Visitor {
    token: AsciiMetadataValue,
}

// === impl Visitor ===

impl Visitor {
    pub(crate) fn of(node: &Node) -> Self {
        let key = LocalKey::read(&node.secret("street-token-key", "token-key.pem")).unwrap();
        let mina = Person {
            subject: MINA.into(),
            roles: vec![Role::Customer],
            shops: vec!["*".into()],
            phone: Some(MINA.into()),
            customer: None,
        };
        let now = SystemClock.now().as_micros() / 1_000_000;
        let token = key.token("highstreet-local", "highstreet", &mina, now, now + 3600);
        Self { token: format!("Bearer {token}").parse().unwrap() }
    }

    pub(crate) async fn book(&self, pod: &Pod) -> Booking {
        let request = CreateBookingRequest {
            shop_id: "cgv".into(),
            customer: MINA.into(),
            screening_id: "soul".into(),
            quantity: 2,
            total_price: Some(Money { currency_code: "KRW".into(), units: 10_000, nanos: 0 }),
            payment_method: PaymentMethod::Card.into(),
            ..Default::default()
        };
        let answer = bookings(pod).await.create_booking(self.shown(request)).await.unwrap();
        answer.into_inner().booking.unwrap()
    }

    pub(crate) async fn find(&self, pod: &Pod, booking: &Booking) -> Result<Booking, Status> {
        let request = GetBookingRequest { booking_id: booking.booking_id.clone() };
        Ok(bookings(pod).await.get_booking(self.shown(request)).await?.into_inner().booking.unwrap())
    }

    fn shown<T>(&self, request: T) -> Request<T> {
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }
}

async fn bookings(pod: &Pod) -> BookingServiceClient<tonic::transport::Channel> {
    let endpoint: Endpoint = format!("http://{}", pod.listen).parse().unwrap();
    BookingServiceClient::new(endpoint.connect().await.unwrap())
}

/// `helm test` plays the shops' stories with a token of the key that the chart made, and they go as they should.
#[tokio::test(flavor = "multi_thread")]
async fn helm_test_plays_the_shops() {
    let mut node = Node::new();
    let objects = street(&json!({}));
    node.apply(&objects);
    let pod = node.start(&objects, STREET).await;
    assert_plays(&mut node, &objects, STREET, &pod);
}

/// The same with every context in a pod of its own, as the umbrella chart has them: on PostgreSQL and NATS, known to each
/// other by the key that the chart made, and reached through the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn helm_test_plays_the_shops_on_the_mesh() {
    let (postgres, nats) = tokio::join!(PostgresServer::start(), NatsServer::start());
    let mut node = Node::new();
    node.keep("street-store", "url", &postgres.url());
    let ports: BTreeMap<_, _> = ContextName::ALL.into_iter().map(|context| (context, free_port())).collect();
    // There are no names of services here.
    let peers: Value =
        ports.iter().map(|(it, port)| (it.to_string(), json!(format!("http://127.0.0.1:{port}")))).collect();
    let objects = street_with(&json!({"global": {
        "bus": {"url": nats.url()}, "peers": {"of": peers}, "auth": {"tryOut": true},
        "config": {"storeConnections": 4, "storeWriters": 1},
    }}));
    node.apply(&objects);
    let mut pods = Vec::new();
    for (context, port) in ports {
        pods.push(node.start_at(&objects, &format!("street-{context}"), port).await);
    }
    let gateway = node.start(&objects, "street-gateway").await;
    assert_plays(&mut node, &objects, "street-gateway", &gateway);
}

#[track_caller]
fn assert_plays(node: &mut Node, objects: &Objects, door: &str, pod: &Pod) {
    let played = node.test(objects, &format!("{door}-test"), door, pod);
    let (told, why) = (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "{told}\n{why}");
    assert!(told.contains("Playing against the server at"), "not against one of its own: {told}");
}

/// It fails where the story cannot be played: the key is another one than the street's.
#[tokio::test(flavor = "multi_thread")]
async fn helm_test_fails_where_the_shops_are_shut() {
    let (mut node, mut elsewhere) = (Node::new(), Node::new());
    let objects = street(&json!({}));
    node.apply(&objects);
    elsewhere.apply(&street(&json!({})));
    let pod = node.start(&objects, STREET).await;
    let played = elsewhere.test(&objects, "street-all-test", STREET, &pod);
    assert!(!played.status.success(), "{}", String::from_utf8_lossy(&played.stdout));
}
