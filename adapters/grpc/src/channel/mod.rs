//! A way to a callee in other processes: HTTP/2 connections to every address that its name stands for.
//!
//! A call goes to the less loaded of two connections taken at random. Only connections that stand are looked at, so
//! that a replica that is away costs nobody anything while another is there; where none stands, one attempt is made
//! and waited for, and a callee that is not there is known within a millisecond. Calls that a callee provably did not
//! look at, because it was just going, are sent to another replica at once: a rolling restart loses none.
//!
//! Tonic's own balancing was tried for this and left: its endpoints count as ready while they cannot be reached, all
//! have the same load, and without any endpoint calls wait for their deadline.

mod incoming;
mod keeper;
mod link;
mod outgoing;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Request, Response, Uri, Version, request};
use tokio::net::lookup_host;
use tokio::task::AbortHandle;
use tonic::body::Body;
use tower::Service;

use crate::addresses::Addresses;
use crate::peer::{BoxError, PeerFailure, Reach};
use crate::tls::PeerTls;
use keeper::{Board, Keeper};
use link::{Failed, Link};
use outgoing::Outgoing;

/// How often a call is given to a connection that turns out to be closing, before its callee counts as away.
const MOST_TRIES: usize = 8;

/// A callee in other processes. Connects when it is first called; clones share the connections, which close when the
/// last clone is gone and the last call is answered.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

/// How connections are made and kept.
#[derive(Clone, Debug)]
pub struct ChannelSettings {
    /// How many connections to each address. One carries what a core can send.
    pub connections: usize,
    /// How long an address may take to accept a connection.
    pub connect_timeout: Duration,
    /// How often names are looked up again. Sooner after a connection failed.
    pub resolve_every: Duration,
    /// How often a connection is asked whether it still stands, calls or no calls.
    pub keep_alive: Duration,
    /// How long the answer to that may take, and a new connection's first one.
    pub keep_alive_timeout: Duration,
    /// How much of one answer may be under way unread, in bytes.
    pub window: u32,
    /// How connections to `https://` addresses are encrypted; without it there are none.
    pub tls: Option<PeerTls>,
}

/// Finds the addresses that a host's name and a port stand for.
pub type Names =
    Arc<dyn Fn(String, u16) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> + Send + Sync>;

struct Shared {
    addresses: Addresses,
    names: Names,
    settings: ChannelSettings,
    board: Arc<Board>,
    keeper: OnceLock<AbortHandle>,
}

// === impl ChannelSettings ===

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            connections: 1,
            connect_timeout: Duration::from_secs(1),
            resolve_every: Duration::from_secs(5),
            keep_alive: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(5),
            window: 1 << 20,
            tls: None,
        }
    }
}

// === impl Channel ===

impl Channel {
    /// The way to `addresses`, as DNS knows them. Connects nowhere yet.
    pub fn new(addresses: Addresses, settings: ChannelSettings) -> Self {
        let dns = |host: String, port| async move { Ok(lookup_host((host, port)).await?.collect()) };
        Self::with_names(addresses, settings, Arc::new(move |host, port| Box::pin(dns(host, port))))
    }

    /// The way to `addresses`, as `names` knows them.
    pub fn with_names(addresses: Addresses, settings: ChannelSettings, names: Names) -> Self {
        Self {
            shared: Arc::new(Shared {
                addresses,
                names,
                settings,
                board: Arc::new(Board::default()),
                keeper: OnceLock::new(),
            }),
        }
    }

    /// The same, for whom any way will do.
    pub fn reach(&self) -> Reach {
        Reach::new(self.clone())
    }

    /// Whether anybody is there now; says why not. Waits for one attempt where there is no connection.
    pub async fn reachable(&self) -> Result<(), PeerFailure> {
        self.link().await.map(drop)
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Body>, PeerFailure> {
        let (head, body) = request.into_parts();
        let mut outgoing = Some(Outgoing::new(body));
        let mut why = String::new();
        for _ in 0..MOST_TRIES {
            let link = self.link().await?;
            match link.call(address(&head, &link)?, &mut outgoing).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => {
                    if !link.is_open() {
                        self.shared.board.look();
                    }
                    why = match failed {
                        Failed::Unknown(why) => return Err(PeerFailure::Broken(why)),
                        Failed::Unsent(why) => why,
                    };
                }
            }
            if !outgoing.as_mut().is_some_and(Outgoing::rewind) {
                break;
            }
            tracing::debug!(address = %link.address, %why, "not sent there; sent elsewhere");
        }
        Err(PeerFailure::Away(why))
    }

    /// A connection that stands; waits for one attempt to make it if there is none.
    async fn link(&self) -> Result<Arc<Link>, PeerFailure> {
        let Shared { addresses, names, settings, board, keeper } = &*self.shared;
        if let Some(link) = board.pick() {
            return Ok(link);
        }
        keeper.get_or_init(|| {
            let keeper = Keeper::new(addresses.clone(), names.clone(), settings.clone(), board.clone());
            tokio::spawn(keeper.keep()).abort_handle()
        });
        let mut news = board.subscribe();
        let asked = board.ask();
        loop {
            if let Some(link) = board.pick() {
                return Ok(link);
            }
            if let Some(why) = news.borrow_and_update().away_since(asked) {
                return Err(PeerFailure::Away(why));
            }
            news.changed().await.map_err(|_| PeerFailure::Away("given up".into()))?;
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.shared.addresses)
    }
}

/// A request's head as it is sent on `link`.
fn address(head: &request::Parts, link: &Link) -> Result<Request<()>, PeerFailure> {
    let path = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let uri = Uri::builder().scheme(link.scheme.clone()).authority(link.authority.clone()).path_and_query(path).build();
    let mut request = Request::new(());
    *request.uri_mut() = uri.map_err(|error| PeerFailure::Away(error.to_string()))?;
    *request.method_mut() = head.method.clone();
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = head.headers.clone();
    Ok(request)
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.send(request).await.map_err(Into::into) })
    }
}

// === impl Shared ===

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.abort();
        }
    }
}
