//! What comes at a service's own path and is not gRPC as it comes: gRPC-Web or Connect.

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

const GRPC_WEB: &str = "application/grpc-web";

/// Hands a request on that is gRPC-Web or Connect; and says what it should be if it is neither.
pub(crate) async fn answer(desk: Desk, mut request: Request<Body>) -> Response<Body> {
    if is_web(&request) {
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
            let message =
                "here are gRPC (over HTTP/2), gRPC-Web and, as application/json or application/proto, Connect";
            Refused::wrong_type(message).respond(pool())
        }
        (Some(_), _) => Refused::wrong_method(&[Method::POST]).respond(pool()),
        (None, _) => Refused::no_such_path(&path).respond(pool()),
    };
    response.headers_mut().entry(CORRELATION).or_insert(correlation);
    response
}

fn is_web(request: &Request<Body>) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(GRPC_WEB.as_bytes()))
}

async fn web(way: Way, request: Request<Body>) -> Response<Body> {
    let service = GrpcWebLayer::new().layer(way);
    match service.oneshot(request.map(tonic::body::Body::new)).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
