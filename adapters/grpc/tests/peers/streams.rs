//! Bodies of all kinds: large ones, and streams in both directions.

use highstreet_testkit::servers::eventually;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{
    ListNotificationsRequest, WatchNotificationsRequest, WatchNotificationsResponse,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use crate::replica::{HANGS, Replica};
use crate::{channel_to, failure, list};

fn at(cursor: &str) -> WatchNotificationsResponse {
    WatchNotificationsResponse { cursor: cursor.into(), ..Default::default() }
}

#[tokio::test]
async fn large_messages_pass_whole_in_both_directions() {
    let replica = Replica::start().await;
    let client = NotificationServiceClient::new(channel_to([&replica]));
    let mut client = client.max_decoding_message_size(16 << 20).max_encoding_message_size(16 << 20);
    let large = (0..500_000).map(|place| place.to_string()).collect::<Vec<_>>().join(",");
    let request = || ListNotificationsRequest { shop_id: large.clone(), ..Default::default() };
    let (mut other, both) = (client.clone(), (request(), request()));
    let (one, other) = tokio::join!(client.list_notifications(both.0), other.list_notifications(both.1));
    assert!(one.unwrap().into_inner().next_page_token == large);
    assert!(other.unwrap().into_inner().next_page_token == large);
}

#[tokio::test]
async fn what_is_streamed_arrives_when_it_is_told_and_ends_with_the_trailers() {
    let replica = Replica::start().await;
    let mut client = NotificationServiceClient::new(channel_to([&replica]));
    let mut watching = client.watch_notifications(WatchNotificationsRequest::default()).await.unwrap().into_inner();
    for cursor in ["1", "2", "3"] {
        replica.seen.tell(Ok(at(cursor)));
        assert_eq!(watching.message().await.unwrap().unwrap().cursor, cursor);
    }
    let mut end = Status::out_of_range("no more");
    end.metadata_mut().insert_bin("x-end-bin", MetadataValue::from_bytes(&[1, 0]));
    replica.seen.tell(Err(end));
    let status = watching.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::OutOfRange, "no more"));
    assert_eq!(status.metadata().get_bin("x-end-bin").unwrap().to_bytes().unwrap(), &[1, 0][..]);
}

#[tokio::test]
async fn a_replica_that_dies_in_the_middle_breaks_the_stream() {
    let replica = Replica::start().await;
    let mut client = NotificationServiceClient::new(channel_to([&replica]));
    let mut watching = client.watch_notifications(WatchNotificationsRequest::default()).await.unwrap().into_inner();
    replica.seen.tell(Ok(at("1")));
    assert_eq!(watching.message().await.unwrap().unwrap().cursor, "1");
    replica.kill();
    let status = watching.message().await.unwrap_err();
    assert!(failure(&status).to_string().contains("broke"), "{status:?}");
}

#[tokio::test]
async fn a_caller_who_hangs_up_is_not_answered_any_more() {
    let replica = Replica::start().await;
    let channel = channel_to([&replica]);
    let mut client = NotificationServiceClient::new(channel.clone());
    let watching = client.watch_notifications(WatchNotificationsRequest::default()).await.unwrap();
    assert!(replica.seen.is_watched());
    drop(watching);
    eventually("nobody watches", || async { (!replica.seen.is_watched()).then_some(()) }).await;
    let call = tokio::spawn(async move { list(&channel, HANGS).await });
    eventually("it is called", || async { (replica.hanging() == 1).then_some(()) }).await;
    call.abort();
    eventually("the call has ended", || async { (replica.hanging() == 0).then_some(()) }).await;
}

#[tokio::test]
async fn callers_may_go_on_asking_while_they_are_answered() {
    let replica = Replica::start().await;
    let (ask, asked) = mpsc::unbounded_channel();
    let mut client = ServerReflectionClient::new(channel_to([&replica]));
    let symbol = "highstreet.notification.v1.NotificationService";
    let question = || ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(symbol.into())),
    };
    ask.send(question()).unwrap();
    let answers = client.server_reflection_info(UnboundedReceiverStream::new(asked)).await;
    let mut answers = answers.unwrap().into_inner();
    for _ in 0..3 {
        assert!(answers.message().await.unwrap().unwrap().message_response.is_some());
        ask.send(question()).unwrap();
    }
    drop(ask);
    answers.message().await.unwrap().unwrap();
    assert!(answers.message().await.unwrap().is_none());
}
