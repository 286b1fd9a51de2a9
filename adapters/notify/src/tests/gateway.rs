//! A gateway that answers as a test wants, on a socket of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Barrier, mpsc};

use crate::WebhookUrl;

pub(super) struct Gateway {
    address: SocketAddr,
    /// What it was sent.
    pub(super) received: mpsc::UnboundedReceiver<Received>,
    /// The most calls there were at a time.
    pub(super) most_at_a_time: Arc<AtomicUsize>,
}

#[derive(Debug)]
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

#[derive(Clone)]
pub(super) enum Answer {
    /// With this status code and body.
    Status(u16, &'static str),
    /// Never.
    Hang,
    /// With 204, once this many calls are there.
    Together(Arc<Barrier>),
}

#[derive(Clone)]
struct Desk {
    answer: Answer,
    received: mpsc::UnboundedSender<Received>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gateway {
    pub(super) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let desk = Desk { answer, received: sender, now: Arc::default(), most: Arc::default() };
        let most_at_a_time = Arc::clone(&desk.most);
        tokio::spawn(serve(listener, desk));
        Self { address, received, most_at_a_time }
    }

    pub(super) fn url(&self) -> WebhookUrl {
        format!("http://{}/hook", self.address).parse().unwrap()
    }
}

async fn serve(listener: TcpListener, desk: Desk) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let desk = desk.clone();
        let service = service_fn(move |request| desk.clone().answer(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Desk {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let at_a_time = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(at_a_time, Ordering::SeqCst);
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        // A test that does not look has dropped the receiver.
        let _ = self.received.send(Received { headers: head.headers, body });
        let (status, text) = match &self.answer {
            Answer::Status(status, text) => (*status, *text),
            Answer::Hang => std::future::pending().await,
            Answer::Together(barrier) => {
                barrier.wait().await;
                (204, "")
            }
        };
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(Response::builder().status(status).body(text.into()).unwrap())
    }
}
