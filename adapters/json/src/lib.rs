//! JSON over HTTP, gRPC-Web, Connect and the API's documentation, all of it from the descriptors.
//!
//! Where an RPC is over HTTP is said beside it, in its `google.api.http` option; what its messages look like as JSON,
//! by protobuf. So nothing here knows any context, and nothing has to be done here for a new one. A [`Way`] leads to
//! every service; [`router`] makes of it the paths of JSON and of the documentation, and [`doors`] what answers at the
//! services' own paths.

mod access;
mod answer;
mod api;
mod body;
mod codec;
mod comments;
mod connect;
mod cors;
mod docs;
mod door;
mod field;
mod headers;
mod openapi;
mod pages;
mod query;
mod refused;
mod routes;
mod rule;
mod settings;
mod stream;
mod strict;
mod template;
mod text;
mod wrong;

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::handler::HandlerWithoutStateExt;
use axum::routing::any;
use http::{Request, Response};
use tower::util::BoxCloneSyncService;

pub use settings::{JsonError, JsonSettings, Origin, OriginError};

use crate::answer::Desk;
use crate::api::Api;
use crate::cors::Crossing;

/// What the paths of every RPC begin with.
const PREFIX: &str = "v1";

/// The way to every gRPC service, whoever guards it.
pub type Way = BoxCloneSyncService<Request<tonic::body::Body>, Response<tonic::body::Body>, Infallible>;
/// What answers at the paths that nothing else is at.
pub type Doors = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Who may call what, as a table in Markdown.
pub fn access_page() -> String {
    let (roles, rows) = docs::roles_table(Api::get());
    let mut page = format!(
        "# Who may call what\n\nWritten from each RPC's `access` option by `cargo xtask docs`; a test fails when they \
         differ.\n\n{}\n\n| RPC | HTTP | {} | contexts |\n|---|---|{}---|\n",
        docs::conventions(),
        roles.join(" | "),
        "---|".repeat(roles.len()),
    );
    for row in rows {
        let line = format!(
            "| {}.{} | `{}` | {} | {} |\n",
            row.context,
            row.name,
            row.http,
            row.marks.join(" | "),
            row.contexts
        );
        page.push_str(&line);
    }
    page
}

/// Who may call the RPC that is called `name` in `package`, such as `highstreet.ordering.v1`: roles, then contexts.
pub fn callers(package: &str, name: &str) -> Vec<String> {
    let services = highstreet_wire::json::pool().services().filter(|service| service.package_name() == package);
    let mut methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let method = methods.find(|method| method.name() == name);
    method.map(|method| access::of(&method).callers()).unwrap_or_default()
}

/// The paths of every RPC that has one, as JSON; with them `/openapi.json` and `/docs`.
pub fn router(way: Way, settings: JsonSettings) -> Result<Router, JsonError> {
    let settings = settings.checked()?;
    let crossing = Crossing::new(&settings.origins);
    let desk = Desk::new(way, &settings);
    let answer = any(move |request: Request<Body>| async move {
        crossing.through(request, |request| desk.answer(request)).await
    });
    Ok(pages::router().route(&format!("/{PREFIX}/{{*path}}"), answer))
}

/// What answers at the services' own paths, where it is not gRPC as it comes: gRPC-Web and Connect; and says that there
/// is nothing at any other.
pub fn doors(way: Way, settings: &JsonSettings) -> Doors {
    let crossing = Crossing::new(&settings.origins);
    let desk = Desk::new(way, settings);
    let answer = move |request: Request<Body>| async move {
        crossing.through(request, |request| door::answer(desk.clone(), request)).await
    };
    Doors::new(answer.into_service())
}
