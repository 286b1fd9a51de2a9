//! From a call's answer to the trace that shows what it led to.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use highstreet_wire::proto::tracking::WatchTracesRequest;
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use tokio_stream::StreamExt;
use tonic::Status;
use tonic::transport::Channel;

use crate::Outcome;
use crate::load::Load;

/// When each order was first seen with the event, by the order's id.
type Shown = Arc<Mutex<HashMap<String, Instant>>>;

/// Calls `call`, which returns the id of its order, with 0, 1, 2, … `rate` times a second, `most` times; and watches
/// on `tracking` when each order's trace shows `event`.
pub(crate) async fn measure<F, Fut>(
    tracking: Channel,
    shop: &str,
    event: &'static str,
    rate: f64,
    most: usize,
    call: F,
) -> Outcome<Load>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<String, Status>> + Send + 'static,
{
    let shown = Shown::default();
    let watching = tokio::spawn(watch(tracking, shop.to_owned(), event, shown.clone()));
    // Long enough for the watch to begin.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begin = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..most {
        tokio::time::sleep_until((begin + Duration::from_secs_f64(number as f64 / rate)).into()).await;
        let call = call(number);
        calls.spawn(async move { Ok::<_, Status>((call.await?, Instant::now())) });
    }
    let mut answered = Vec::new();
    while let Some(call) = calls.join_next().await {
        answered.push(call??);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    watching.abort();
    let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    let lag = |(order, at): &(String, Instant)| shown.get(order).map(|shown| shown.saturating_duration_since(*at));
    let lags: Vec<_> = answered.iter().filter_map(lag).collect();
    if lags.len() < answered.len() {
        return Err(format!(
            "of {} that were answered, {} were not shown",
            answered.len(),
            answered.len() - lags.len()
        )
        .into());
    }
    Ok(Load::from_latencies(lags))
}

async fn watch(channel: Channel, shop_id: String, event: &str, shown: Shown) -> Result<(), Status> {
    let request = WatchTracesRequest { shop_id, ..Default::default() };
    let mut changes = TrackingServiceClient::new(channel).watch_traces(request).await?.into_inner();
    while let Some(change) = changes.next().await {
        if let Some(trace) = change?.trace
            && trace.steps.iter().any(|step| step.event == event)
            && let Some(order) = trace.order
        {
            shown.lock().unwrap_or_else(PoisonError::into_inner).entry(order.id).or_insert_with(Instant::now);
        }
    }
    Ok(())
}
