//! Reads a small document over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Collected, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Key sets and discovery documents are a few kilobytes.
const MOST_BYTES: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads documents over HTTP.
#[derive(Clone)]
pub(crate) struct Fetch(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

// === impl Fetch ===

impl Fetch {
    pub(crate) fn new() -> Self {
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self(Client::builder(TokioExecutor::new()).build(https))
    }

    /// The document at `uri`, or what went wrong.
    pub(crate) async fn get(&self, uri: &Uri) -> Result<Bytes, String> {
        tokio::time::timeout(PATIENCE, self.read(uri)).await.unwrap_or_else(|_| Err("no answer in time".into()))
    }

    async fn read(&self, uri: &Uri) -> Result<Bytes, String> {
        let request = Request::get(uri.clone()).header("accept", "application/json").body(Empty::new());
        let request = request.map_err(|error| error.to_string())?;
        let response = self.0.request(request).await.map_err(|error| chain(&error))?;
        if response.status() != StatusCode::OK {
            return Err(format!("answered {}", response.status()));
        }
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        body.map(Collected::to_bytes).map_err(|error| error.to_string())
    }
}

/// An error with what it comes from.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
