//! Operators who ask the gateway about all contexts.

use std::collections::BTreeSet;

use highstreet::ContextName;
use highstreet::config::Role;
use highstreet_domain::kernel::ports::Bus;
use highstreet_testkit::servers::eventually;
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::operations::{
    ContextVitals, GetDeadLetterRequest, ListContextsRequest, ListDeadLettersRequest, ListPendingStepsRequest,
    RebuildViewRequest, ReplayDeadLetterRequest, RetryStepRequest,
};
use tonic::Code;

use crate::common::poison;
use crate::harness::{Load, Mesh, Plan, lattes};

/// CAP-12, CAP-3: one entry point shows what waits and what failed in every context, each once, and says which contexts
/// did not answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_answers_operators_for_all_contexts() {
    let mut mesh = Mesh::open().await;
    let calls = mesh.calls();
    let order = calls.place(lattes(1, "010-5555-5555")).await.unwrap();
    let mut operator = OperationsServiceClient::new(mesh.channel(Role::Gateway).reach());
    let steps = operator.list_pending_steps(ListPendingStepsRequest::default()).await.unwrap().into_inner();
    assert_eq!(steps.unreachable_contexts, Vec::<String>::new());
    let subjects: Vec<_> = steps.steps.iter().filter_map(|step| step.subject.clone()).collect();
    assert!(subjects.contains(&Reference { context: "ordering".into(), id: order.order_id.clone() }), "{subjects:?}");
    let subject = Some(Reference { context: "ordering".into(), id: order.order_id });
    let request = RetryStepRequest { subject, ..Default::default() };
    assert_eq!(operator.retry_step(request).await.unwrap_err().code(), Code::FailedPrecondition, "it is passed on");

    mesh.bus().await.publish(vec![poison()]).await.unwrap();
    let letters = eventually("four listeners lay it aside", || {
        let mut operator = operator.clone();
        async move {
            let request = ListDeadLettersRequest { page_size: 3, ..Default::default() };
            let first = operator.list_dead_letters(request.clone()).await.ok()?.into_inner();
            let request = ListDeadLettersRequest { page_token: first.next_page_token, ..request };
            let second = operator.list_dead_letters(request).await.ok()?.into_inner();
            let all = [first.dead_letters, second.dead_letters].concat();
            (all.len() == 4).then_some(all)
        }
    });
    let letters = letters.await;
    let listeners: BTreeSet<_> = letters.iter().map(|letter| letter.context.as_str()).collect();
    assert_eq!(listeners, BTreeSet::from(["kitchen", "loyalty", "notification", "tracking"]), "each once");
    let (context, dead_letter_id) = (letters[0].context.clone(), letters[0].dead_letter_id.clone());
    let request = GetDeadLetterRequest { context: context.clone(), dead_letter_id: dead_letter_id.clone() };
    let letter = operator.get_dead_letter(request).await.unwrap().into_inner().dead_letter.unwrap();
    assert_eq!(letter.payload, vec![0xff; 8]);
    let request = ReplayDeadLetterRequest { context, dead_letter_id };
    operator.replay_dead_letter(request.clone()).await.unwrap();
    assert_eq!(operator.replay_dead_letter(request).await.unwrap_err().code(), Code::NotFound);

    let seen = operator.list_contexts(ListContextsRequest::default()).await.unwrap().into_inner();
    let mut all = ContextName::ALL.map(ContextName::as_str);
    all.sort_unstable();
    assert_eq!(seen.contexts.iter().map(|it| it.context.as_str()).collect::<Vec<_>>(), all);
    for it in &seen.contexts {
        assert!(it.outbox.is_some() && it.due.is_some() && it.failing.is_some(), "its store answers: {it:?}");
        let context = ContextName::ALL.into_iter().find(|name| name.as_str() == it.context).unwrap();
        let callees: BTreeSet<_> = context.calls().iter().map(|(callee, _)| callee.as_str()).collect();
        assert_eq!(it.breakers.iter().map(|it| it.callee.as_str()).collect::<BTreeSet<_>>(), callees);
    }
    let loyalty = seen.contexts.iter().find(|it| it.context == "loyalty").unwrap();
    assert!(loyalty.lags.iter().any(|lag| lag.consumer == "loyalty" && lag.source == "ordering"), "{loyalty:?}");

    mesh.of(ContextName::Payment).kill();
    let seen = operator.list_contexts(ListContextsRequest::default()).await.unwrap().into_inner();
    assert_eq!((seen.contexts.len(), &seen.unreachable_contexts[..]), (all.len() - 1, &["payment".to_owned()][..]));
    let request = ListContextsRequest { context: "bakery".into() };
    assert_eq!(operator.list_contexts(request).await.unwrap_err().code(), Code::NotFound);
    let steps = operator.list_pending_steps(ListPendingStepsRequest::default()).await.unwrap().into_inner();
    assert_eq!(steps.unreachable_contexts, ["payment"]);
    assert!(!steps.steps.is_empty(), "the others are shown all the same");
    let request = ListPendingStepsRequest { context: "payment".into(), ..Default::default() };
    assert_eq!(operator.list_pending_steps(request).await.unwrap_err().code(), Code::Unavailable);
}

/// CAP-12: operators see how contexts are just when something is away: what nobody can know then is left out, and the rest
/// is said.
#[tokio::test(flavor = "multi_thread")]
async fn how_contexts_are_is_said_while_their_store_or_the_broker_is_away() {
    let mut mesh = Mesh::open().await;
    let operator = OperationsServiceClient::new(mesh.channel(Role::Gateway).reach());
    let look = || {
        let mut operator = operator.clone();
        async move { operator.list_contexts(ListContextsRequest::default()).await.unwrap().into_inner() }
    };
    mesh.postgres.kill();
    let seen = look().await;
    assert_eq!((seen.contexts.len(), seen.unreachable_contexts.len()), (ContextName::ALL.len(), 0), "{seen:?}");
    for it in &seen.contexts {
        assert!(it.outbox.is_none() && it.due.is_none() && it.failing.is_none(), "only its store knows: {it:?}");
    }
    assert!(seen.contexts.iter().any(|it| !it.lags.is_empty()), "the broker is there: {seen:?}");
    mesh.postgres.restart().await;
    mesh.nats.kill();
    let known = |it: &ContextVitals| it.outbox.is_some() && it.failing.is_some() && it.lags.is_empty();
    let without_broker = || async { Some(look().await).filter(|seen| seen.contexts.iter().all(known)) };
    let seen = eventually("stores are looked at again, and nobody asks the broker", without_broker).await;
    assert_eq!(seen.contexts.len(), ContextName::ALL.len());
}

/// CAP-8, CAP-12: a view is rebuilt under load, from the broker and into PostgreSQL, and nothing that happens meanwhile is
/// missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_rebuilt_under_load() {
    let mut mesh = Mesh::prepare(Plan::default().replicas_of(ContextName::Tracking, 2)).await;
    mesh.start_all().await;
    let load = Load::start(&mesh.calls(), 4);
    load.busy(30).await;
    let calls = mesh.calls();
    let order = calls.place(lattes(1, "010-6666-6666")).await.unwrap();
    calls.pay(&order).await.unwrap();
    // The staff may have gone on with it by then.
    let whole = || async { calls.trace(&order).await.ok().filter(|it| it.status != "ORDERED" && it.steps.len() >= 6) };
    let before = eventually("the whole trace", whole).await;
    mesh.ask(ContextName::Tracking, &format!("DELETE FROM views WHERE key = 'ordering/{}'", order.order_id));
    assert_eq!(calls.trace(&order).await.unwrap_err().code(), Code::NotFound);

    let mut operator = OperationsServiceClient::new(mesh.channel(Role::Gateway).reach());
    let request = RebuildViewRequest { context: "tracking".into(), view: "trace".into() };
    for _ in 0..3 {
        let rows = operator.rebuild_view(request.clone()).await.unwrap().into_inner().rows;
        assert!(rows > 30, "{rows}");
        load.busy(10).await;
    }
    let after = calls.trace(&order).await.unwrap();
    assert!(before.steps.iter().all(|step| after.steps.contains(step)), "{before:?} is not in {after:?}");
    assert_eq!(mesh.ask(ContextName::Tracking, "SELECT count(*) FROM views WHERE view <> 'trace'").trim(), "0");
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}
