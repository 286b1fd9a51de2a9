//! One HTTP/2 connection to one replica of a callee.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use h2::{Ping, PingPong, Reason, SendStream};
use http::uri::{Authority, Scheme};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;
use tonic::body::Body;

use super::ChannelSettings;
use super::incoming::{Incoming, Sending};
use super::outgoing::{Outgoing, Unfinished};
use crate::gathered::Gathered;
use crate::tls::Wire;

/// Of all streams together: more than they can fill, so that a caller who does not read holds up nobody but himself.
const CONNECTION_WINDOW: u32 = 1 << 30;

/// A connection that calls can be made on, until it closes.
#[derive(Debug)]
pub(super) struct Link {
    requests: SendRequest<Bytes>,
    pub(super) address: SocketAddr,
    pub(super) authority: Authority,
    pub(super) scheme: Scheme,
    under_way: AtomicUsize,
    closed: AtomicBool,
}

/// A call that was given to a link. Counted until its answer has been read, or dropped.
pub(super) struct UnderWay(Arc<Link>);

/// Why a call on a link has no answer.
pub(super) enum Failed {
    /// The callee has not looked at it, and another replica may be asked.
    Unsent(String),
    /// It may have been carried out.
    Unknown(String),
}

// === impl Link ===

impl Link {
    /// Connects, and calls `ended` once the connection takes no more calls. It stands once the callee has said a word:
    /// a system takes connections for a process that is going and serves nobody any more, and what is sent there is lost.
    pub(super) async fn connect(
        (address, authority): (SocketAddr, Authority),
        encrypted: bool,
        settings: &ChannelSettings,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Arc<Self>, String> {
        let connecting = async {
            let socket = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            socket.set_nodelay(true).map_err(|error| error.to_string())?;
            let mut builder = h2::client::Builder::new();
            builder
                .enable_push(false)
                .initial_window_size(settings.window)
                .initial_connection_window_size(CONNECTION_WINDOW);
            let wire = match (&settings.tls, encrypted) {
                (_, false) => Wire::Plain(socket),
                (Some(tls), true) => Wire::Encrypted(Box::new(tls.connect(socket, &authority).await?)),
                (None, true) => return Err("it is to be encrypted, and nobody said how".to_owned()),
            };
            builder.handshake::<_, Bytes>(Gathered::new(wire)).await.map_err(|error| error.to_string())
        };
        let late = |_| format!("no connection within {:?}", settings.connect_timeout);
        let (requests, mut connection) = timeout(settings.connect_timeout, connecting).await.map_err(late)??;
        let silent = |_| format!("connected, and no answer within {:?}", settings.keep_alive_timeout);
        let pings = timeout(settings.keep_alive_timeout, answered(&mut connection)).await.map_err(silent)??;
        let link = Arc::new(Self {
            requests,
            address,
            authority,
            scheme: if encrypted { Scheme::HTTPS } else { Scheme::HTTP },
            under_way: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        });
        let alive = keep_alive(pings, settings.keep_alive, settings.keep_alive_timeout);
        // Weak, so that a link that nobody calls on any more can close.
        let this = Arc::downgrade(&link);
        tokio::spawn(async move {
            // Dropping the connection fails every call on it.
            let why = tokio::select! {
                end = connection => end.err().map(|error| error.to_string()),
                () = alive => Some("it does not answer pings".to_owned()),
            };
            tracing::debug!(%address, ?why, "connection closed");
            if let Some(link) = this.upgrade() {
                link.close();
            }
            ended();
        });
        Ok(link)
    }

    pub(super) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn load(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Sends a call and waits until its answer begins.
    pub(super) async fn call(
        self: &Arc<Self>,
        request: Request<()>,
        outgoing: &mut Option<Outgoing>,
    ) -> Result<Response<Body>, Failed> {
        let under_way = UnderWay::new(self);
        // A clone has no call of its own that would have to go out first.
        let begun = self.requests.clone().send_request(request, false);
        let (mut answer, mut stream) = begun.map_err(|error| {
            // The callee has said that it takes no more, or is gone.
            self.close();
            Failed::Unsent(error.to_string())
        })?;
        let Some(body) = outgoing else { return Err(Failed::Unsent("without a body".into())) };
        let mut sent = false;
        let answered = poll_fn(|context| {
            if !sent {
                match body.poll_send(&mut stream, context) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(()) | Err(Unfinished::Callee)) => sent = true,
                    Poll::Ready(Err(Unfinished::Caller(error))) => {
                        stream.send_reset(Reason::CANCEL);
                        return Poll::Ready(Err(Failed::Unknown(format!("the caller stopped: {error}"))));
                    }
                }
            }
            Pin::new(&mut answer).poll(context).map_err(|error| self.judge(body, &error))
        })
        .await?;
        let sending = if sent { None } else { outgoing.take().map(|rest| send_rest(rest, stream)) };
        Ok(answered.map(|incoming| Body::new(Incoming::new(incoming, under_way, sending))))
    }

    /// Whether the callee can have acted on a call that failed.
    fn judge(&self, body: &Outgoing, error: &h2::Error) -> Failed {
        let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        // Streams that a GOAWAY leaves out fail with it; those that it lets finish do not.
        let left_out = error.is_go_away();
        if !error.is_reset() {
            self.close();
        }
        if body.is_untouched() || error.is_remote() && (refused || left_out) {
            Failed::Unsent(error.to_string())
        } else {
            Failed::Unknown(error.to_string())
        }
    }
}

/// Goes on sending while the answer is read: callers that stream may listen before they have said all.
fn send_rest(mut rest: Outgoing, mut stream: SendStream<Bytes>) -> Sending {
    rest.forget();
    let sending = tokio::spawn(async move {
        if let Err(Unfinished::Caller(_)) = poll_fn(|context| rest.poll_send(&mut stream, context)).await {
            stream.send_reset(Reason::CANCEL);
        }
    });
    Sending(sending.abort_handle())
}

/// Waits for the callee's first answer, to a ping.
async fn answered(
    connection: &mut Connection<Gathered<Wire<TlsStream<TcpStream>>>, Bytes>,
) -> Result<PingPong, String> {
    let mut pings = connection.ping_pong().ok_or("its pings are somebody else's")?;
    tokio::select! {
        end = connection => Err(end.map_or_else(|error| error.to_string(), |()| "closed at once".to_owned())),
        pong = pings.ping(Ping::opaque()) => pong.map_err(|error| error.to_string()),
    }?;
    Ok(pings)
}

/// Returns once a ping was not answered: a cut network says nothing by itself.
async fn keep_alive(mut pings: PingPong, every: Duration, patience: Duration) {
    loop {
        sleep(every).await;
        match timeout(patience, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection has ended, and says so itself.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}

// === impl UnderWay ===

impl UnderWay {
    fn new(link: &Arc<Link>) -> Self {
        link.under_way.fetch_add(1, Ordering::Relaxed);
        Self(link.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
