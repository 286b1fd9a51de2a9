//! What comes at a service's own path: gRPC, gRPC-Web or Connect.

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt};

use crate::Way;
use crate::answer::Desk;
use crate::api::Api;
use crate::connect::{self, Form};
use crate::headers::{self, CORRELATION};
use crate::refused::Refused;
use highstreet_wire::json::pool;

const GRPC: &str = "application/grpc";
const GRPC_WEB: &str = "application/grpc-web";

/// Hands a request on that is gRPC-Web or Connect; and says what it should be if it is neither.
pub(crate) async fn answer(desk: Desk, mut request: Request<Body>) -> Response<Body> {
    if begins(&request, GRPC_WEB) {
        return web(desk.way, request).await;
    }
    let form = request.headers().get(CONTENT_TYPE).and_then(Form::of);
    let correlation = headers::correlation(request.headers_mut());
    let path = request.uri().path().to_owned();
    let mut response = match (Api::get().calls.get(&path), form) {
        (Some(call), Some(form)) if request.method() == Method::POST => {
            let (call, desk) = (call.clone(), desk.clone());
            connect::answer(desk, &call, form, request).await
        }
        (Some(_), None) if request.method() == Method::POST => {
            let message = "here are gRPC, gRPC-Web and, as application/json or application/proto, Connect";
            Refused::wrong_type(message).respond(pool())
        }
        (Some(_), _) => Refused::wrong_method(&[Method::POST]).respond(pool()),
        (None, _) => Refused::no_such_path(&path).respond(pool()),
    };
    response.headers_mut().entry(CORRELATION).or_insert(correlation);
    response
}

/// Whether it is gRPC as it is, without anything around it.
pub(crate) fn is_grpc(request: &Request<Body>) -> bool {
    begins(request, GRPC) && !begins(request, GRPC_WEB)
}

fn begins(request: &Request<Body>, with: &str) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(with.as_bytes()))
}

pub(crate) async fn grpc(way: Way, request: Request<Body>) -> Response<Body> {
    let Ok(response) = way.oneshot(request.map(tonic::body::Body::new)).await;
    response.map(Body::new)
}

async fn web(way: Way, request: Request<Body>) -> Response<Body> {
    let service = GrpcWebLayer::new().layer(way);
    match service.oneshot(request.map(tonic::body::Body::new)).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
