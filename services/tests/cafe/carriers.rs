//! Notifications over real carriers: a webhook's receiver and a mail server, which work, fail, hang and come back.

use highstreet::config::ShopArgs;
use highstreet_testkit::servers::{MailServer, Manner, Receiver};
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{Notification, NotificationStatus, ResendNotificationRequest};
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::operations::{ListPendingStepsRequest, PendingStep};

use crate::shop::{Cafe, SHOP, eventually};

async fn only(cafe: &Cafe) -> Option<Notification> {
    let all = cafe.notifications().await;
    assert!(all.len() < 2, "{all:?}");
    all.into_iter().next()
}

async fn in_state(cafe: &Cafe, status: NotificationStatus) -> Notification {
    let what = status.as_str_name();
    eventually(what, || async { only(cafe).await.filter(|notification| notification.status() == status) }).await
}

/// What sending waits for, once it failed so often.
async fn failed(cafe: &Cafe, attempts: i32) -> PendingStep {
    eventually("it fails", || async {
        let request =
            ListPendingStepsRequest { context: "notification".into(), failing_only: true, ..Default::default() };
        let mut operator = OperationsServiceClient::new(cafe.channel.clone());
        let step = operator.list_pending_steps(request).await.ok()?.into_inner().steps.pop()?;
        (step.attempts >= attempts).then_some(step)
    })
    .await
}

async fn resend(cafe: &Cafe, notification: &Notification) {
    let notification_id = notification.notification_id.clone();
    let request = ResendNotificationRequest { notification_id, ..Default::default() };
    NotificationServiceClient::new(cafe.channel.clone()).resend_notification(request).await.unwrap();
}

async fn with_webhook(receiver: &Receiver) -> Cafe {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    let webhooks = vec![format!("{SHOP}/customer={}", receiver.url()).parse().unwrap()];
    Cafe::with(ShopArgs { webhooks, webhook_secret: Some(secret), ..ShopArgs::standard() }).await
}

async fn with_mail(server: &MailServer) -> Cafe {
    let mail = vec![format!("{SHOP}/customer=mina@example.com").parse().unwrap()];
    let smtp_url = Some(server.url().parse().unwrap());
    let smtp_from = Some("skanu@example.com".parse().unwrap());
    Cafe::with(ShopArgs { mail, smtp_url, smtp_from, ..ShopArgs::standard() }).await
}

/// CAFE-F4, CAFE-N1: a receiver that fails, hangs and comes back gets the message once.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_comes_back_gets_the_message_once() {
    let receiver = Receiver::start().await;
    receiver.set(Manner::Answers(503));
    let cafe = with_webhook(&receiver).await;
    cafe.order(1).await;
    let step = failed(&cafe, 2).await;
    assert!(step.last_error.contains("answered 503"), "{}", step.last_error);
    receiver.set(Manner::Hangs);
    let tried = receiver.tried();
    eventually("it is asked while it hangs", || async { (receiver.tried() > tried).then_some(()) }).await;
    assert_eq!(receiver.taken(), []);
    receiver.set(Manner::Works);
    in_state(&cafe, NotificationStatus::Sent).await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert!(taken[0].body.contains("OrderPlaced"), "{taken:?}");
}

/// CAFE-F4: what a receiver refuses is failed, listed with its reason, and sent when somebody asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_is_listed_and_resent() {
    let receiver = Receiver::start().await;
    receiver.set(Manner::Answers(422));
    let cafe = with_webhook(&receiver).await;
    cafe.order(1).await;
    let refused = in_state(&cafe, NotificationStatus::Failed).await;
    assert!(refused.last_error.contains("422"), "{}", refused.last_error);
    assert_eq!(receiver.tried(), 1, "once is enough");
    receiver.set(Manner::Works);
    resend(&cafe, &refused).await;
    in_state(&cafe, NotificationStatus::Sent).await;
    assert_eq!(receiver.taken().len(), 1);
}

/// CAFE-F4, CAFE-N1: a mail server that is busy, hangs and comes back takes the mail once.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_comes_back_takes_the_mail_once() {
    let server = MailServer::start().await;
    server.set(Manner::Answers(451));
    let cafe = with_mail(&server).await;
    cafe.order(1).await;
    let step = failed(&cafe, 2).await;
    assert!(step.last_error.contains("not now"), "{}", step.last_error);
    server.set(Manner::Hangs);
    let tried = server.tried();
    eventually("it is asked while it hangs", || async { (server.tried() > tried).then_some(()) }).await;
    assert_eq!(server.taken(), []);
    server.set(Manner::Works);
    in_state(&cafe, NotificationStatus::Sent).await;
    let taken = server.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].to, ["mina@example.com"]);
}

/// CAFE-F4: an answer that is lost means a repeat, which is known by its `Message-ID`.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_was_lost_is_repeated_under_its_id() {
    let server = MailServer::start().await;
    server.set(Manner::HangsUp);
    let cafe = with_mail(&server).await;
    cafe.order(1).await;
    failed(&cafe, 1).await;
    server.set(Manner::Works);
    in_state(&cafe, NotificationStatus::Sent).await;
    let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned();
    let ids: Vec<_> = server.taken().iter().map(|mail| id(&mail.text)).collect();
    assert!(ids.len() > 1 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

/// CAFE-F4: what a mail server refuses is failed, listed with its reason, and sent under a new id when somebody asks.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_server_refuses_is_listed_and_resent() {
    let server = MailServer::start().await;
    server.set(Manner::Answers(550));
    let cafe = with_mail(&server).await;
    cafe.order(1).await;
    let refused = in_state(&cafe, NotificationStatus::Failed).await;
    assert!(refused.last_error.contains("not now, or never"), "{}", refused.last_error);
    server.set(Manner::Works);
    resend(&cafe, &refused).await;
    in_state(&cafe, NotificationStatus::Sent).await;
    assert_eq!(server.taken().len(), 1);
}
