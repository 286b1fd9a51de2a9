//! Streams that tell a page that something happened. What it is, the page asks itself: it may be long past otherwise.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{Stream, StreamExt};
use highstreet_wire::proto::notification::WatchNotificationsRequest;
use highstreet_wire::proto::tracking::WatchTracesRequest;
use tonic::{Status, Streaming};

use crate::calls::Calls;

/// Something happened.
pub(crate) type Stir = BoxStream<'static, ()>;

/// How often a silent stream shows that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Tells of whatever any of these tell. Ends with the first of them, so that the browser comes back and all are there
/// again.
pub(crate) fn tell(streams: Vec<Stir>) -> Response {
    if streams.is_empty() {
        // The browser tries again a little later.
        return Sse::new(futures_util::stream::empty::<Result<Event, Infallible>>()).into_response();
    }
    let ends = streams.into_iter().map(|stream| stream.map(Some).chain(futures_util::stream::iter([None])));
    let stirs = ends.map(StreamExt::boxed).collect::<SelectAll<_>>();
    let stirs = stirs.take_while(|stir| std::future::ready(stir.is_some()));
    Sse::new(events(stirs)).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}

fn events(stirs: impl Stream<Item = Option<()>>) -> impl Stream<Item = Result<Event, Infallible>> {
    // What happened before the stream was there is told at once.
    let first = futures_util::stream::iter([Some(())]);
    first.chain(stirs).map(|_| Ok(Event::default().event("changed").data("1")))
}

/// Whenever something happens to what is traced in a shop; to a customer's only, if one is named.
pub(crate) async fn traces(calls: &Calls, shop: &str, customer: &str) -> Result<Stir, Status> {
    let request = WatchTracesRequest { shop_id: shop.to_owned(), customer: customer.to_owned(), since: String::new() };
    calls.tracking().watch_traces(request).await.map(|answer| stirs(answer.into_inner()))
}

/// Whenever somebody in a shop is notified; this recipient only, if one is named.
pub(crate) async fn notifications(calls: &Calls, shop: &str, recipient: &str) -> Result<Stir, Status> {
    let request =
        WatchNotificationsRequest { shop_id: shop.to_owned(), recipient: recipient.to_owned(), since: String::new() };
    calls.notification().watch_notifications(request).await.map(|answer| stirs(answer.into_inner()))
}

fn stirs<T: Send + 'static>(answers: Streaming<T>) -> Stir {
    answers.take_while(|answer| std::future::ready(answer.is_ok())).map(drop).boxed()
}
