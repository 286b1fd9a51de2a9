//! What operators see and do, over RPC and by `highstreet ops`.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use highstreet::ContextName;
use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::Bus;
use highstreet_provider::SimulatedOutage;
use highstreet_sqlite::EmbeddedBus;
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{NotificationStatus, ResendNotificationRequest};
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::operations::{
    AbandonStepRequest, DeadLetter, DiscardDeadLetterRequest, GetDeadLetterRequest, ListDeadLettersRequest,
    ListPendingStepsRequest, PendingStep, ReplayDeadLetterRequest, RetryStepRequest,
};
use highstreet_wire::proto::ordering::{Order, OrderPaid};
use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::binary::HIGHSTREET;
use crate::common::{HighStreet, order_paid, poison, reference};
use crate::shop::{Cafe, SHOP, eventually, reason};

fn operator(street: &HighStreet) -> OperationsServiceClient<Channel> {
    OperationsServiceClient::new(street.channel.clone())
}

async fn pending(street: &HighStreet, context: &str, failing_only: bool) -> Vec<PendingStep> {
    let request = ListPendingStepsRequest { context: context.into(), failing_only, ..Default::default() };
    operator(street).list_pending_steps(request).await.unwrap().into_inner().steps
}

async fn retry(street: &HighStreet, subject: &Reference) -> Result<Option<PendingStep>, Status> {
    let request = RetryStepRequest { subject: Some(subject.clone()), ..Default::default() };
    Ok(operator(street).retry_step(request).await?.into_inner().step)
}

async fn abandon(street: &HighStreet, subject: &Reference) -> Result<(), Status> {
    let request = AbandonStepRequest { subject: Some(subject.clone()), ..Default::default() };
    operator(street).abandon_step(request).await.map(drop)
}

/// What comes of it once the worker is not at it itself.
async fn unless_running<T>(mut attempt: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    loop {
        match attempt().await {
            Err(status) if reason(&status) == "STEP_RUNNING" => tokio::task::yield_now().await,
            done => return done,
        }
    }
}

async fn letters(street: &HighStreet, context: &str) -> Vec<DeadLetter> {
    let request = ListDeadLettersRequest { context: context.into(), ..Default::default() };
    operator(street).list_dead_letters(request).await.unwrap().into_inner().dead_letters
}

fn ops(street: &HighStreet, arguments: &[&str]) -> Output {
    let target = street.url();
    Command::new(HIGHSTREET).arg("ops").args(arguments).args(["--target", &target]).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// CAFE-A4, CAFE-N2: a refund that waits for the provider is seen with its attempts and its error, must not be
/// abandoned, and is made at once when it is retried.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_waits_is_seen_and_retried() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    cafe.platform().provider().set_outage(SimulatedOutage::Refuses);
    cafe.cancel(&order).await.unwrap();

    let step = eventually("the refund fails", || async { pending(&cafe, "payment", true).await.pop() }).await;
    assert_eq!((step.step.as_str(), step.aggregate.as_str()), ("Refund", "payment"));
    assert_eq!(step.last_error, "the simulated provider refuses connections");
    assert!(step.attempts > 0 && step.age.is_some() && step.since.is_some() && step.deadline.is_none(), "{step:?}");
    let subject = step.subject.clone().unwrap();
    assert_eq!(subject, reference("payment", &order.payment_id));

    let json: serde_json::Value =
        serde_json::from_str(&said(&ops(&cafe, &["pending", "--failing", "--json"]))).unwrap();
    assert_eq!(json["steps"][0]["subject"]["id"], order.payment_id.as_str(), "{json}");
    assert_eq!(json["steps"][0]["lastError"], "the simulated provider refuses connections");
    let table = said(&ops(&cafe, &["pending", "--context", "payment"]));
    assert!(table.starts_with("CONTEXT") && table.contains(&order.payment_id) && table.contains("Refund"), "{table}");

    let refused = unless_running(async || abandon(&cafe, &subject).await).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "STEP_MUST_BE_ANSWERED"));
    let left = unless_running(async || retry(&cafe, &subject).await).await.unwrap().unwrap();
    assert!(left.attempts > step.attempts, "tried once more, in vain: {left:?}");
    cafe.platform().provider().set_outage(SimulatedOutage::None);
    let done = unless_running(async || match retry(&cafe, &subject).await {
        // The worker was faster.
        Err(status) if reason(&status) == "STEP_NOT_FOUND" => Ok(None),
        done => done,
    });
    assert_eq!(done.await.unwrap(), None);
    assert_eq!(cafe.money_moved(), (1, 1));
    let gone = retry(&cafe, &subject).await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::NotFound, "STEP_NOT_FOUND"));
}

/// CAFE-F1: what waits for a time is seen with it, and is not hurried.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_seen_and_left_alone() {
    let mut cafe = Cafe::open().await;
    let orders = [cafe.order(1).await, cafe.order(2).await, cafe.order(3).await];
    // A message to the customer may be on its way at this moment: that is another context's step.
    let steps = pending(&cafe, "ordering", false).await;
    let ids = |steps: &[PendingStep]| -> BTreeSet<String> {
        steps.iter().map(|step| step.subject.clone().unwrap().id).collect()
    };
    assert_eq!(ids(&steps), orders.iter().map(|order| order.order_id.clone()).collect());
    assert!(steps.iter().all(|step| step.deadline.is_some() && step.attempts == 0 && !step.running), "{steps:?}");
    assert_eq!(pending(&cafe, "", true).await, [], "none of them failed");

    let (mut paged, mut token) = (Vec::new(), String::new());
    for _ in 0..3 {
        let request = ListPendingStepsRequest {
            context: "ordering".into(),
            page_size: 1,
            page_token: token,
            ..Default::default()
        };
        let page = operator(&cafe).list_pending_steps(request).await.unwrap().into_inner();
        assert_eq!((page.steps.len(), page.unreachable_contexts.len()), (1, 0));
        paged.extend(page.steps);
        token = page.next_page_token;
    }
    assert_eq!(ids(&paged), ids(&steps), "page by page, each once");

    let subject = reference("ordering", &orders[0].order_id);
    for refused in [retry(&cafe, &subject).await.unwrap_err(), abandon(&cafe, &subject).await.unwrap_err()] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "STEP_WAITS_FOR_A_TIME"));
    }
    let nowhere = retry(&cafe, &reference("bakery", &orders[0].order_id)).await.unwrap_err();
    assert_eq!((nowhere.code(), reason(&nowhere).as_str()), (Code::NotFound, "CONTEXT_NOT_FOUND"));
    let nonsense = retry(&cafe, &reference("ordering", "7")).await.unwrap_err();
    assert_eq!(nonsense.code(), Code::InvalidArgument);

    cafe.stop(ContextName::Kitchen).await;
    let mut page = operator(&cafe).list_pending_steps(ListPendingStepsRequest::default()).await.unwrap().into_inner();
    page.steps.retain(|step| step.aggregate == "order");
    assert_eq!((ids(&page.steps), page.unreachable_contexts), (ids(&steps), vec!["kitchen".to_owned()]));
    let output = ops(&cafe, &["pending"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("kitchen did not answer"), "{output:?}");
    let output = ops(&cafe, &["retry", "kitchen", &orders[0].order_id]);
    assert!(!output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "highstreet: this context is stopped; try again\n");
}

/// CAFE-F4: a message that cannot be sent is abandoned, and sent again when somebody asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_abandoned_and_resent() {
    // Taken and not listened at.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    let webhooks = vec![format!("{SHOP}/customer=http://{nobody}/hook").parse().unwrap()];
    let cafe = Cafe::with(ShopArgs { webhooks, webhook_secret: Some(secret), ..ShopArgs::standard() }).await;
    cafe.order(1).await;
    let step = eventually("sending fails", || async { pending(&cafe, "notification", true).await.pop() }).await;
    assert_eq!(step.step, "Send");
    assert!(step.last_error.contains(&nobody.to_string()), "{}", step.last_error);

    let id = step.subject.clone().unwrap().id;
    let output = unless_running(async || {
        let output = ops(&cafe, &["abandon", "notification", &id]);
        // As if it had been answered over RPC.
        if String::from_utf8_lossy(&output.stderr).contains("a run is at it") {
            abandon(&cafe, &reference("notification", &id)).await?;
        }
        Ok(output)
    });
    output.await.unwrap();
    let failed = || async { cafe.notifications().await.into_iter().find(|it| it.notification_id == id) };
    let failed = failed().await.unwrap();
    assert_eq!((failed.status(), failed.last_error.as_str()), (NotificationStatus::Failed, "abandoned by anonymous"));
    assert_eq!(pending(&cafe, "notification", false).await, []);
    let resend = ResendNotificationRequest { notification_id: id.clone(), ..Default::default() };
    NotificationServiceClient::new(cafe.channel.clone()).resend_notification(resend).await.unwrap();
    let again = eventually("it is tried again", || async { pending(&cafe, "notification", true).await.pop() }).await;
    // Whoever repeats what they asked for before ends no other step than they meant.
    assert_ne!(again.step_id, step.step_id);
    let output = ops(&cafe, &["abandon", "notification", &id, "--step", &step.step_id]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "highstreet: nothing waits there; it may have been done meanwhile\n"
    );
}

/// CAP-3: what nobody can read becomes a dead letter of each listener, is shown as JSON, and is discarded.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_shown_and_discarded() {
    let data = tempfile::tempdir().unwrap();
    let headless = OrderPaid { order_id: "nobody's".into(), ..Default::default() }.encode_to_vec();
    let bus = EmbeddedBus::open(&data.path().join("bus.db")).unwrap();
    bus.publish(vec![poison(), order_paid(headless)]).await.unwrap();
    drop(bus);
    let cafe = Cafe::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let all = eventually("both are laid aside by four listeners", || async {
        Some(letters(&cafe, "").await).filter(|letters| letters.len() == 8)
    });
    let all = all.await;
    let contexts: Vec<_> = all.iter().map(|letter| letter.context.as_str()).collect();
    let [kitchen, loyalty, notification, tracking] = ["kitchen", "loyalty", "notification", "tracking"];
    assert_eq!(contexts, [kitchen, kitchen, loyalty, loyalty, notification, notification, tracking, tracking]);
    assert!(
        all.iter().all(|letter| letter.failures == 5 && letter.source == "ordering" && letter.event == "OrderPaid")
    );
    assert!(all.iter().all(|letter| letter.payload.is_empty()), "a list is short");

    let of_kitchen = letters(&cafe, kitchen).await;
    let get = |letter: &DeadLetter| GetDeadLetterRequest {
        context: letter.context.clone(),
        dead_letter_id: letter.dead_letter_id.clone(),
    };
    let spoilt = operator(&cafe).get_dead_letter(get(&of_kitchen[0])).await.unwrap().into_inner().dead_letter.unwrap();
    assert_eq!((spoilt.payload_json.as_str(), spoilt.payload), ("", vec![0xff; 8]));
    assert!(spoilt.payload_error.starts_with("it is no highstreet.ordering.v1.OrderPaid"), "{}", spoilt.payload_error);
    let shown = said(&ops(&cafe, &["dead-letter", kitchen, &of_kitchen[1].dead_letter_id, "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let payload: serde_json::Value =
        serde_json::from_str(shown["deadLetter"]["payloadJson"].as_str().unwrap()).unwrap();
    assert_eq!(payload["orderId"], "nobody's");
    let shown = said(&ops(&cafe, &["dead-letter", kitchen, &of_kitchen[1].dead_letter_id]));
    assert!(shown.contains("ordering.OrderPaid") && shown.contains("header"), "{shown}");

    said(&ops(&cafe, &["discard", kitchen, &of_kitchen[0].dead_letter_id]));
    let request =
        DiscardDeadLetterRequest { context: kitchen.into(), dead_letter_id: of_kitchen[0].dead_letter_id.clone() };
    let gone = operator(&cafe).discard_dead_letter(request).await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::NotFound, "DEAD_LETTER_NOT_FOUND"));
    assert_eq!(letters(&cafe, kitchen).await.len(), 1);
    let table = said(&ops(&cafe, &["dead-letters"]));
    assert_eq!(table.lines().count(), 1 + 7, "{table}");
}

/// CAP-3: what a view cannot read is a dead letter too, of the context whose view it is.
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_views_are_found() {
    let data = tempfile::tempdir().unwrap();
    let spoilt = Message { source: "replenishment".into(), name: "OrderPlaced".into(), ..poison() };
    let bus = EmbeddedBus::open(&data.path().join("bus.db")).unwrap();
    bus.publish(vec![spoilt]).await.unwrap();
    drop(bus);
    let cafe = Cafe::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let of_tracking = eventually("the traces and the owner's board lay it aside", || async {
        Some(letters(&cafe, "tracking").await).filter(|letters| letters.len() == 2)
    });
    let of_tracking = of_tracking.await;
    assert!(of_tracking.iter().all(|letter| letter.context == "tracking" && letter.source == "replenishment"));
    let ids: Vec<_> = of_tracking.iter().map(|letter| letter.dead_letter_id.clone()).collect();
    assert!(ids[0].parse::<u64>().is_ok() && ids[1].starts_with("tracking-orders."), "{ids:?}");
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListDeadLettersRequest { context: "tracking".into(), page_size: 1, page_token };
        let page = operator(&cafe).list_dead_letters(request).await.unwrap().into_inner();
        paged.extend(page.dead_letters.into_iter().map(|letter| letter.dead_letter_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, ids);
    said(&ops(&cafe, &["replay", "tracking", &ids[1]]));
    let again = eventually("it cannot be read again", || async {
        Some(letters(&cafe, "tracking").await).filter(|letters| letters.len() == 2)
    });
    let again = again.await[1].dead_letter_id.clone();
    said(&ops(&cafe, &["discard", "tracking", &again]));
    assert_eq!(letters(&cafe, "tracking").await.len(), 1);
}

/// CAP-3, CAP-8: what failed for a fault that is mended is replayed, and is handled as if nothing had happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_replayed_when_its_fault_is_mended() {
    let data = tempfile::tempdir().unwrap();
    let mut cafe = Cafe::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let order = cafe.order(1).await;
    cafe.traced(&order, "ORDERED").await;
    cafe.stop(ContextName::Tracking).await;
    let file = rusqlite::Connection::open(data.path().join("tracking.db")).unwrap();
    let whole: Vec<u8> = file.query_row("SELECT state FROM views", [], |row| row.get(0)).unwrap();
    file.execute("UPDATE views SET state = x'00'", []).unwrap();
    cafe.start(ContextName::Tracking).await;
    cafe.pay(&order).await.unwrap();
    eventually("the row cannot be read", || async {
        letters(&cafe, "tracking").await.iter().any(|letter| letter.event == "OrderPaid").then_some(())
    })
    .await;

    cafe.stop(ContextName::Tracking).await;
    file.execute("UPDATE views SET state = ?1", [whole]).unwrap();
    cafe.start(ContextName::Tracking).await;
    for DeadLetter { context, dead_letter_id, .. } in letters(&cafe, "tracking").await {
        operator(&cafe).replay_dead_letter(ReplayDeadLetterRequest { context, dead_letter_id }).await.unwrap();
    }
    cafe.traced(&order, "PAID").await;
    assert_eq!(letters(&cafe, "tracking").await, []);
}

/// CAP-8, CAFE-F5: traces that are wrong, missing or too many are right again when their view was rebuilt from what was
/// published; meanwhile orders go on, and traces answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_rebuilt_while_it_serves() {
    let data = tempfile::tempdir().unwrap();
    let mut cafe = Cafe::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let orders = [cafe.order(1).await, cafe.order(2).await, cafe.order(3).await];
    for order in &orders {
        cafe.pay(order).await.unwrap();
    }
    let mut before = Vec::new();
    for order in &orders {
        let whole = || async {
            let trace = cafe.trace(&crate::shop::reference(order)).await?;
            (trace.status == "PAID" && trace.steps.len() >= 6).then_some(trace)
        };
        before.push(eventually("the whole trace", whole).await);
    }
    cafe.stop(ContextName::Tracking).await;
    let file = rusqlite::Connection::open(data.path().join("tracking.db")).unwrap();
    let key = |order: &Order| format!("ordering/{}", order.order_id);
    let wrong = "UPDATE views SET state = (SELECT state FROM views WHERE key = ?2) WHERE key = ?1";
    file.execute(wrong, [key(&orders[0]), key(&orders[2])]).unwrap();
    file.execute("DELETE FROM views WHERE key = ?1", [key(&orders[1])]).unwrap();
    let too_many = "INSERT INTO views SELECT NULL, view, 'ordering/nobody', version, cursor, state, shop, owner, \
                    reference, status, created, updated FROM views WHERE key = ?1";
    file.execute(too_many, [key(&orders[2])]).unwrap();
    cafe.start(ContextName::Tracking).await;
    assert_ne!(cafe.trace(&crate::shop::reference(&orders[0])).await, Some(before[0].clone()));
    assert!(cafe.trace(&reference("ordering", "nobody")).await.is_some());

    let target = cafe.url();
    let rebuilding = tokio::task::spawn_blocking(move || {
        let words = ["ops", "rebuild", "tracking", "trace", "--json", "--target", &target];
        Command::new(HIGHSTREET).args(words).output().unwrap()
    });
    let mut late = Vec::new();
    while !rebuilding.is_finished() {
        let order = cafe.order(1).await;
        cafe.pay(&order).await.unwrap();
        assert_eq!(cafe.trace(&crate::shop::reference(&orders[2])).await, Some(before[2].clone()), "it answers");
        late.push(order);
    }
    assert!(said(&rebuilding.await.unwrap()).contains("rows"));
    for (order, before) in orders.iter().zip(before) {
        let after = cafe.trace(&crate::shop::reference(order)).await.unwrap();
        // A row that was missing was made now.
        assert_eq!((&after.steps, &after.status, &after.order), (&before.steps, &before.status, &before.order));
    }
    assert!(cafe.trace(&reference("ordering", "nobody")).await.is_none(), "what nothing was published of is gone");
    for order in &late {
        cafe.traced(order, "PAID").await;
    }
    let left: i64 = file.query_row("SELECT count(*) FROM views WHERE view <> 'trace'", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "nothing is left beside");
    let bus = rusqlite::Connection::open(data.path().join("bus.db")).unwrap();
    let left: i64 =
        bus.query_row("SELECT count(*) FROM consumers WHERE consumer LIKE 'tracking.%'", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "nor on the bus");

    let output = ops(&cafe, &["rebuild", "tracking", "bakery"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "highstreet: there is no such view\n");
}

/// Nobody to ask is said in one line.
#[tokio::test]
async fn an_operator_without_a_server_is_told_so() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("http://{nobody}");
    let output = Command::new(HIGHSTREET).args(["ops", "pending", "--target", &target]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("highstreet: no server answers at {target}; name another with --target\n"));
}
