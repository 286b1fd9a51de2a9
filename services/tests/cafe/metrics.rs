//! What Prometheus is told of the calls.

use highstreet_telemetry::Metrics;
use highstreet_wire::proto::ordering::GetOrderRequest;
use tonic::{Code, Request};

use crate::shop::{Cafe, eventually};

/// Each call is counted by its service, its method and its status.
#[tokio::test]
async fn calls_are_counted_and_timed() {
    let metrics = Metrics::install().unwrap();
    let cafe = Cafe::open().await;
    cafe.order(1).await;
    cafe.ordering().get_order(GetOrderRequest::default()).await.unwrap_err();
    call_nobody(&cafe).await;
    let ordering = |method: &str, status: &str| {
        format!(
            "rpc_server_duration_seconds_count{{rpc_service=\"highstreet.ordering.v1.OrderingService\",\
             rpc_method=\"{method}\",grpc_status=\"{status}\"}}"
        )
    };
    let unknown = "rpc_method=\"unknown\",grpc_status=\"UNIMPLEMENTED\"}";
    let wanted = [
        &ordering("PlaceOrder", "OK"),
        &ordering("GetOrder", "INVALID_ARGUMENT"),
        unknown,
        "# HELP rpc_server_duration_seconds How long",
        "# HELP highstreet_breaker_open 1 while",
    ];
    for line in wanted {
        eventually(line, || async { metrics.render().contains(line).then_some(()) }).await;
    }
    assert!(!metrics.render().contains("nobody.v1.Nobody"), "callers make no labels");
}

async fn call_nobody(cafe: &Cafe) {
    let mut client = tonic::client::Grpc::new(cafe.channel.clone());
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/nobody.v1.Nobody/Call");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    assert_eq!(client.unary(Request::new(()), path, codec).await.unwrap_err().code(), Code::Unimplemented);
}
