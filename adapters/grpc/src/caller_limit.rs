//! How much any one caller may ask for.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use highstreet_wire::call::Caller;
use http::{Request, Response};
use metrics::counter;
use tonic::transport::server::TcpConnectInfo;
use tower::{Layer, Service};

use crate::limit::{RATE_LIMITED, REFUSED};
use crate::status::exhausted;

/// After so many calls, callers that have been quiet are forgotten.
const FORGET_EVERY: usize = 10_000;

/// Refuses callers that ask for more than their share, and says when to come back. A caller is whoever a token says, or
/// an address where nobody is asked who they are. Contexts are not limited: they are slowed down by what people ask.
#[derive(Clone)]
pub struct CallerLimitLayer {
    shared: Arc<Shared>,
}

/// See [`CallerLimitLayer`].
#[derive(Clone)]
pub struct CallerLimitService<S> {
    inner: S,
    limits: CallerLimitLayer,
}

/// How often a caller may call one RPC, as it is written on a command line:
/// `highstreet.ordering.v1.OrderingService/PlaceOrder=10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodRate {
    /// The RPC's path.
    pub path: String,
    /// How often a second.
    pub per_second: NonZeroU32,
}

type Limiter = RateLimiter<u64, HashMapStateStore<u64>, DefaultClock>;

struct Shared {
    any: Option<Limiter>,
    methods: HashMap<String, Limiter>,
    hashed: std::hash::RandomState,
    calls: AtomicUsize,
}

// === impl CallerLimitLayer ===

impl CallerLimitLayer {
    /// At most `per_second` calls a second by each caller, any number if `None`, and of some RPCs so many.
    pub fn new(per_second: Option<NonZeroU32>, methods: &[MethodRate]) -> Self {
        let limiter = |most| Limiter::hashmap(Quota::per_second(most));
        let methods = methods.iter().map(|rate| (rate.path.clone(), limiter(rate.per_second))).collect();
        let shared = Shared {
            any: per_second.map(limiter),
            methods,
            hashed: std::hash::RandomState::new(),
            calls: AtomicUsize::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How long to wait, if the caller is too early.
    fn too_early<I>(&self, request: &Request<I>) -> Option<Duration> {
        let shared = &self.shared;
        let method = shared.methods.get(request.uri().path());
        if shared.any.is_none() && method.is_none() {
            return None;
        }
        let caller = shared.caller(request)?;
        shared.forget_now_and_then();
        let early =
            [shared.any.as_ref(), method].into_iter().flatten().find_map(|limit| limit.check_key(&caller).err());
        early.map(|early| early.wait_time_from(DefaultClock::default().now()))
    }
}

impl<S> Layer<S> for CallerLimitLayer {
    type Service = CallerLimitService<S>;

    fn layer(&self, inner: S) -> CallerLimitService<S> {
        CallerLimitService { inner, limits: self.clone() }
    }
}

// === impl Shared ===

impl Shared {
    /// Who calls; `None` for whoever is not limited.
    fn caller<I>(&self, request: &Request<I>) -> Option<u64> {
        let mut hasher = self.hashed.build_hasher();
        match request.extensions().get::<Caller>() {
            Some(caller) if caller.is_context() => return None,
            Some(caller) => caller.name.hash(&mut hasher),
            None => request.extensions().get::<TcpConnectInfo>()?.remote_addr()?.ip().hash(&mut hasher),
        }
        Some(hasher.finish())
    }

    fn forget_now_and_then(&self) {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.any.iter().chain(self.methods.values()).for_each(RateLimiter::retain_recent);
        }
    }
}

// === impl CallerLimitService ===

impl<S, I, O> Service<Request<I>> for CallerLimitService<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    O: Default + Send + 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<O>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        if let Some(wait) = self.limits.too_early(&request) {
            counter!(REFUSED, "why" => "caller").increment(1);
            let status = exhausted(RATE_LIMITED, "you call too often; try again in a moment", wait);
            return Box::pin(ready(Ok(status.into_http())));
        }
        Box::pin(self.inner.call(request))
    }
}

// === impl MethodRate ===

impl FromStr for MethodRate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str =
            "must be an RPC and how often a second, like highstreet.ordering.v1.OrderingService/PlaceOrder=10";
        let (method, rate) = text.split_once('=').ok_or(WANTED)?;
        let method = method.trim_start_matches('/');
        if method.split('/').filter(|part| !part.is_empty()).count() != 2 {
            return Err(WANTED);
        }
        let per_second = rate.parse().map_err(|_| WANTED)?;
        Ok(Self { path: format!("/{method}"), per_second })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use highstreet_domain::kernel::Scope;
    use tower::ServiceExt;

    use super::*;

    async fn status(layer: &CallerLimitLayer, path: &str, caller: &str) -> Option<String> {
        let answers = tower::service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
        let mut request = Request::builder().uri(path).body(()).unwrap();
        request.extensions_mut().insert(Caller { name: caller.into(), scope: Scope::Everything });
        let response = layer.layer(answers).oneshot(request).await.unwrap();
        response.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn every_caller_has_a_share_of_its_own() {
        let layer = CallerLimitLayer::new(NonZeroU32::new(2), &["/a.B/C=1".parse().unwrap()]);
        assert_eq!(status(&layer, "/a.B/D", "mina").await, None);
        assert_eq!(status(&layer, "/a.B/D", "mina").await, None);
        assert_eq!(status(&layer, "/a.B/D", "mina").await.as_deref(), Some("8"));
        assert_eq!(status(&layer, "/a.B/C", "jun").await, None);
        assert_eq!(status(&layer, "/a.B/C", "jun").await.as_deref(), Some("8"), "once a second");
        for _ in 0..10 {
            assert_eq!(status(&layer, "/a.B/C", "context:booking").await, None);
        }
    }

    #[test]
    fn rates_of_methods_are_read() {
        let rate: MethodRate = "a.B/C=10".parse().unwrap();
        assert_eq!((rate.path.as_str(), rate.per_second.get()), ("/a.B/C", 10));
        for bad in ["a.B/C", "C=10", "a.B/C=0", "a.B/C=x", "=1"] {
            assert!(bad.parse::<MethodRate>().is_err(), "{bad}");
        }
    }
}
