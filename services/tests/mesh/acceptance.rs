//! What the coffee shop is for, with every context in a process of its own.

use highstreet::ContextName::{self, Kitchen, Loyalty, Ordering, Payment};
use highstreet_testkit::servers::eventually;
use highstreet_wire::proto::ordering::Order;
use highstreet_wire::proto::payment::PayRequest;
use tonic::Request;
use tonic::metadata::MetadataValue;
use uuid::Uuid;

use crate::controls::{everything_happened, what_is_wrong_is_found};
use crate::harness::{Calls, Load, Mesh, Plan, lattes};

/// CAFE-A1, CAFE-A2, CAP-1: in all shops orders, purchases, reservations and bookings are made, carried out and cancelled
/// by fifteen processes that hear of each other by a real broker, and nobody's call fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_day_goes_well_across_processes() {
    a_busy_day(Plan::default()).await;
}

/// CAP-9: payment keeps its payments in a file, all others in PostgreSQL.
#[tokio::test(flavor = "multi_thread")]
async fn stores_are_mixed_in_one_deployment() {
    a_busy_day(Plan::default().with(Payment, &["--store", "payment=sqlite"])).await;
}

async fn a_busy_day(plan: Plan) {
    let mesh = Mesh::with(plan).await;
    let load = Load::everywhere(&mesh.calls(), 6);
    load.busy(60).await;
    load.busy_everywhere(20).await;
    let calls = load.calls.clone();
    let notes = load.stop().await;
    let books = mesh.settle(&notes).await;
    assert_eq!(calls.counted().failed, [""; 0]);
    everything_happened(&books);
    what_is_wrong_is_found(&books, &notes);
}

fn with_correlation<T>(message: T, correlation: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-correlation-id", MetadataValue::try_from(correlation).unwrap());
    request
}

async fn order_and_pay(calls: &Calls, phone: &str, [ordering, paying]: [&str; 2]) -> Order {
    let placed = calls.ordering().place_order(with_correlation(lattes(1, phone), ordering)).await.unwrap();
    let answered = placed.metadata().get("x-correlation-id").map(|it| it.to_str().unwrap().to_owned());
    assert_eq!(answered.as_deref(), Some(ordering), "it is answered, too");
    let order = placed.into_inner().order.unwrap();
    let request = PayRequest { payment_id: order.payment_id.clone(), method: 1, ..Default::default() };
    calls.payments().pay(with_correlation(request, paying)).await.unwrap();
    order
}

/// CAP-2: the events of a case carry the correlation of the call that led to them and the id of what caused them,
/// through calls and messages, however many cases of one customer are open at once.
#[tokio::test(flavor = "multi_thread")]
async fn correlations_go_from_end_to_end() {
    const CASES: usize = 8;
    let mesh = Mesh::open().await;
    let calls = mesh.calls();
    let cases: Vec<[String; 2]> = (0..CASES).map(|_| [(); 2].map(|()| Uuid::now_v7().to_string())).collect();
    let paid = cases.iter().map(|[ordering, paying]| order_and_pay(&calls, "010-5555-5555", [ordering, paying]));
    let orders = futures_util::future::join_all(paid).await;
    for (order, [ordering, paying]) in orders.iter().zip(&cases) {
        eventually("the order is made", || async {
            calls.trace(order).await.ok().filter(|trace| trace.status == "PAID" && trace.steps.len() >= 6)
        })
        .await;
        let origins = |context: ContextName, id: &str, name: &str| {
            let of = format!("s.id = '{id}' AND e.name = '{name}'");
            let what = "e.origin::json->>'correlation' || ' ' || (e.origin::json->>'causation' <> '')";
            mesh.ask(context, &format!("SELECT {what} FROM events e JOIN streams s USING (stream) WHERE {of}"))
        };
        assert_eq!(origins(Ordering, &order.order_id, "OrderPlaced"), format!("{ordering} true"));
        assert_eq!(origins(Payment, &order.payment_id, "PaymentRequested"), format!("{ordering} true"));
        assert_eq!(origins(Payment, &order.payment_id, "PaymentApproved"), format!("{paying} true"));
        assert_eq!(origins(Ordering, &order.order_id, "OrderPaid"), format!("{paying} true"));
        let by = format!("SELECT count(*) FROM events WHERE origin::json->>'correlation' = '{paying}'");
        for context in [Kitchen, Loyalty] {
            assert_eq!(mesh.ask(context, &by), "1", "what {context} did about it");
        }
    }
}
