//! Streams, in both directions.

use highstreet_testkit::servers::eventually;
use highstreet_wire::proto::notification::{WatchNotificationsRequest, WatchNotificationsResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use crate::Door;
use crate::context::Context;

fn at(cursor: &str) -> WatchNotificationsResponse {
    WatchNotificationsResponse { cursor: cursor.into(), ..Default::default() }
}

#[tokio::test]
async fn what_is_streamed_arrives_when_it_is_told_and_ends_with_the_trailers() {
    let context = Context::start().await;
    let mut door = Door::before(&context);
    let watching = door.client.watch_notifications(WatchNotificationsRequest::default()).await;
    let mut watching = watching.unwrap().into_inner();
    for cursor in ["1", "2", "3"] {
        context.seen.tell(Ok(at(cursor)));
        // The next one is told only when this one has arrived.
        assert_eq!(watching.message().await.unwrap().unwrap().cursor, cursor);
    }
    let mut end = Status::out_of_range("no more");
    end.metadata_mut().insert_bin("x-end-bin", MetadataValue::from_bytes(&[1, 0]));
    context.seen.tell(Err(end));
    let status = watching.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::OutOfRange, "no more"));
    assert_eq!(status.metadata().get_bin("x-end-bin").unwrap().to_bytes().unwrap(), &[1, 0][..]);
}

#[tokio::test]
async fn a_context_that_dies_in_the_middle_ends_the_stream() {
    let mut context = Context::start().await;
    let mut door = Door::before(&context);
    let watching = door.client.watch_notifications(WatchNotificationsRequest::default()).await;
    let mut watching = watching.unwrap().into_inner();
    context.seen.tell(Ok(at("1")));
    assert_eq!(watching.message().await.unwrap().unwrap().cursor, "1");
    context.kill();
    let status = watching.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

#[tokio::test]
async fn a_watcher_who_hangs_up_is_not_told_any_more() {
    let context = Context::start().await;
    let mut door = Door::before(&context);
    let watching = door.client.watch_notifications(WatchNotificationsRequest::default()).await.unwrap();
    context.seen.is_watched().unwrap();
    drop(watching);
    eventually("nobody watches", || async { context.seen.is_watched().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn callers_may_go_on_asking_while_they_are_answered() {
    let context = Context::start().await;
    let door = Door::before(&context);
    let (ask, asked) = mpsc::unbounded_channel();
    let mut client = ServerReflectionClient::new(door.channel);
    let question = || ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(crate::SERVICE.into())),
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
