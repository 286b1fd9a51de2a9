//! One question, one answer.

use std::time::Duration;

use highstreet_testkit::servers::{eventually, free_port};
use highstreet_wire::proto::kitchen::GetPreparationRequest;
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::notification::{GetNotificationRequest, ListNotificationsRequest};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::Door;
use crate::context::{Context, HANGS};

fn page(token: &str) -> ListNotificationsRequest {
    ListNotificationsRequest { page_token: token.into(), ..Default::default() }
}

#[tokio::test]
async fn metadata_and_deadlines_arrive_as_they_were_sent() {
    let context = Context::start().await;
    let mut door = Door::before(&context);
    let mut request = Request::new(page("7"));
    request.set_timeout(Duration::from_millis(4321));
    request.metadata_mut().insert("x-mine", MetadataValue::from_static("1"));
    request.metadata_mut().insert_bin("x-mine-bin", MetadataValue::from_bytes(&[0, 1, 254]));
    let answer = door.client.list_notifications(request).await.unwrap();
    assert_eq!(answer.get_ref().next_page_token, "7");
    assert_eq!(answer.metadata().get("x-answer").unwrap(), "yes");
    assert_eq!(answer.metadata().get_bin("x-answer-bin").unwrap().to_bytes().unwrap(), &[0, 255, 7][..]);
    assert_eq!(context.seen.text("x-mine").as_deref(), Some("1"));
    assert_eq!(context.seen.text("grpc-timeout").as_deref(), Some("4321000u"));
    assert_eq!(context.seen.text("te").as_deref(), Some("trailers"));
    let metadata = context.seen.metadata.lock().unwrap().clone().unwrap();
    assert_eq!(metadata.get_bin("x-mine-bin").unwrap().to_bytes().unwrap(), &[0, 1, 254][..]);
}

#[tokio::test]
async fn errors_come_back_with_all_their_details() {
    let context = Context::start().await;
    let mut door = Door::before(&context);
    let status = door.client.get_notification(GetNotificationRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "schlecht, 나쁨"));
    let violations = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "notification_id");
    assert_eq!(status.metadata().get("x-refused").unwrap(), "yes");
}

#[tokio::test]
async fn a_service_that_nobody_has_is_said_to_be_unknown() {
    let context = Context::start().await;
    let door = Door::before(&context);
    let mut kitchen = KitchenServiceClient::new(door.channel);
    let status = kitchen.get_preparation(GetPreparationRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("highstreet.kitchen.v1.KitchenService"), "{status:?}");
}

#[tokio::test]
async fn a_context_that_is_away_is_unavailable_until_it_is_back() {
    let address = ([127, 0, 0, 1], free_port()).into();
    let mut door = Door::to(address);
    let status = door.client.list_notifications(page("1")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_error_info().unwrap().reason, "CONTEXT_UNAVAILABLE");
    let _context = Context::start_at(address).await;
    let client = door.client;
    eventually("it is back", || {
        let mut client = client.clone();
        async move { client.list_notifications(page("1")).await.ok() }
    })
    .await;
}

#[tokio::test]
async fn messages_of_three_megabytes_pass() {
    let context = Context::start().await;
    let door = Door::before(&context);
    let mut client = door.client.max_decoding_message_size(16 << 20).max_encoding_message_size(16 << 20);
    let large = "0123456789".repeat(300_000);
    let answer = client.list_notifications(page(&large)).await.unwrap();
    assert!(answer.into_inner().next_page_token == large);
}

#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_call() {
    let context = Context::start().await;
    let door = Door::before(&context);
    let mut client = door.client;
    let call = tokio::spawn(async move {
        client.list_notifications(ListNotificationsRequest { shop_id: HANGS.into(), ..Default::default() }).await
    });
    let hanging = || *context.seen.hanging.lock().unwrap();
    eventually("it is called", || async { (hanging() == 1).then_some(()) }).await;
    call.abort();
    eventually("the call has ended", || async { (hanging() == 0).then_some(()) }).await;
}
