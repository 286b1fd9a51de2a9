//! What a webhook sends, and what it makes of the answers.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use highstreet_domain::kernel::{Outage, Unanswered};
use highstreet_domain::notification::{Notifier, Refused};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::gateway::{Answer, Gateway};
use super::{SECRET, a_sending, clock, settings};
use crate::{Secret, Webhook, WebhookSettings, WebhookUrl};

type Outcome = Result<Result<(), Refused>, Unanswered>;

fn webhook(url: WebhookUrl) -> Webhook {
    Webhook::new(url, settings(), clock())
}

async fn sent_to(answer: Answer) -> Outcome {
    let gateway = Gateway::start(answer).await;
    webhook(gateway.url()).send(&a_sending()).await
}

fn outage(outcome: Outcome) -> Outage {
    outcome.unwrap_err().outage
}

#[tokio::test]
async fn a_gateway_reads_the_message_and_can_prove_who_sent_it() {
    let mut gateway = Gateway::start(Answer::Status(204, "")).await;
    let sending = a_sending();
    assert_eq!(webhook(gateway.url()).send(&sending).await, Ok(Ok(())));

    let received = gateway.received.recv().await.unwrap();
    let header = |name: &str| received.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("webhook-id"), sending.key.uuid().to_string());
    assert_eq!(header("webhook-timestamp"), "1614265330");
    let secret: Secret = SECRET.parse().unwrap();
    let signature = secret.sign(header("webhook-id"), header("webhook-timestamp"), &received.body);
    assert_eq!(header("webhook-signature"), signature);
    assert_eq!(
        serde_json::from_slice::<Value>(&received.body).unwrap(),
        json!({
            "id": sending.id,
            "shop_id": "skanu",
            "role": "customer",
            "recipient": "010-1234-5678",
            "event": "OrderPaid",
            "root": { "context": "ordering", "id": "o1" },
            "locale": "ko",
            "text": "주문이 결제되었습니다.",
        })
    );
}

#[tokio::test]
async fn what_may_get_better_is_unanswered() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert_eq!(outage(sent_to(Answer::Status(status, "")).await), Outage::Unknown, "{status}");
    }
}

#[tokio::test]
async fn what_will_not_get_better_is_refused() {
    for status in [301, 307, 400, 401, 404, 410, 422] {
        assert!(matches!(sent_to(Answer::Status(status, "")).await, Ok(Err(_))), "{status}");
    }
    let Ok(Err(Refused(why))) = sent_to(Answer::Status(422, "no such\nrecipient")).await else { panic!("not refused") };
    assert!(why.ends_with(": answered 422 Unprocessable Entity no such recipient"), "{why}");
}

#[tokio::test]
async fn a_gateway_that_hangs_may_have_sent_it() {
    let gateway = Gateway::start(Answer::Hang).await;
    let settings = WebhookSettings { timeout: Duration::from_millis(50), ..settings() };
    let hook = Webhook::new(gateway.url(), settings, clock());
    assert_eq!(outage(hook.send(&a_sending()).await), Outage::Unknown);
}

#[tokio::test]
async fn a_gateway_that_hangs_up_may_have_sent_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
    });
    assert_eq!(outage(webhook(url).send(&a_sending()).await), Outage::Unknown);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_has_sent_nothing() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap()).parse().unwrap();
    let unanswered = webhook(url).send(&a_sending()).await.unwrap_err();
    assert_eq!(unanswered.outage, Outage::NotSent);
    assert!(unanswered.why.contains("refused"), "{}", unanswered.why);
}

#[tokio::test]
async fn a_gateway_that_is_not_who_it_should_be_is_sent_nothing() {
    let mut gateway = Gateway::start(Answer::Status(204, "")).await;
    let url = format!("https://{}/", gateway.url().authority()).parse().unwrap();
    assert_eq!(outage(webhook(url).send(&a_sending()).await), Outage::NotSent);
    assert!(gateway.received.try_recv().is_err());
}

#[tokio::test]
async fn no_more_calls_are_made_at_a_time_than_allowed() {
    let gateway = Gateway::start(Answer::Together(Arc::new(Barrier::new(2)))).await;
    let settings = WebhookSettings { concurrency: NonZeroU16::new(2).unwrap(), ..settings() };
    let hook = Arc::new(Webhook::new(gateway.url(), settings, clock()));
    let mut sends = JoinSet::new();
    for _ in 0..6 {
        let hook = Arc::clone(&hook);
        sends.spawn(async move { hook.send(&a_sending()).await });
    }
    assert!(sends.join_all().await.iter().all(|outcome| *outcome == Ok(Ok(()))));
    assert_eq!(gateway.most_at_a_time.load(Ordering::SeqCst), 2);
}
