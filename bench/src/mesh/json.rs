//! The same calls in JSON, as a plain HTTP/1.1 client makes them: a connection for each caller.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tonic::Status;

use crate::cafe::SHOP;
use crate::load::{self, Load};
use crate::{Outcome, Plan};

/// A connection for each caller.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Vec<Mutex<SendRequest<Full<Bytes>>>>>);

// === impl Connections ===

impl Connections {
    pub(crate) async fn open(address: SocketAddr, callers: usize) -> Outcome<Self> {
        let mut connections = Vec::new();
        for _ in 0..callers {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            connections.push(Mutex::new(sender));
        }
        Ok(Self(Arc::new(connections)))
    }

    async fn send(&self, caller: usize, method: Method, path: String, body: String) -> Result<Bytes, Status> {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| Status::internal(error.to_string()))?;
        let mut sender = self.0[caller % self.0.len()].lock().await;
        let answer = sender.send_request(request).await.map_err(|error| Status::unavailable(error.to_string()))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let body = body.to_bytes();
        if status.is_success() { Ok(body) } else { Err(Status::internal(String::from_utf8_lossy(&body).into_owned())) }
    }

    /// Places orders.
    pub(crate) async fn place(&self, plan: &Plan) -> Outcome<Load> {
        let this = self.clone();
        load::run(plan.callers, plan.time, usize::MAX, move |caller, number| {
            let this = this.clone();
            async move {
                let path = format!("/v1/shops/{SHOP}/orders");
                this.send(caller, Method::POST, path, an_order(number)).await.map(drop)
            }
        })
        .await
    }

    /// Gets one order again and again.
    pub(crate) async fn get(&self, plan: &Plan, order: &str) -> Outcome<Load> {
        let (this, path) = (self.clone(), format!("/v1/orders/{order}"));
        load::run(plan.callers, plan.time, usize::MAX, move |caller, _| {
            let (this, path) = (this.clone(), path.clone());
            async move { this.send(caller, Method::GET, path, String::new()).await.map(drop) }
        })
        .await
    }
}

fn an_order(number: usize) -> String {
    let phone = format!("010-{:04}-{:04}", number / 10_000 % 10_000, number % 10_000);
    let price = json!({"currencyCode": "KRW", "units": "4500"});
    let line = json!({"productId": "latte", "productName": "Latte", "quantity": 1, "unitPrice": price});
    json!({"customerPhone": phone, "paymentMethod": "PAYMENT_METHOD_CARD", "lines": [line]}).to_string()
}
