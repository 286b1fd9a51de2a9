//! Finds the service that a call is for: how contexts in one process call each other without a socket, and how one
//! socket serves them all.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll};

use highstreet_grpc::{BoxError, PeerFailure, Reach, unavailable};
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::ContextName;

/// A gRPC service, whatever its type.
pub(crate) type AnyService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The services of this process, by name. Cheap to clone; clones see the same services.
#[derive(Clone, Default)]
pub struct Switchboard {
    services: Arc<RwLock<HashMap<String, Line>>>,
    /// Answers for services that are elsewhere.
    beyond: Arc<OnceLock<AnyService>>,
}

#[derive(Clone)]
enum Line {
    Up(AnyService),
    /// Its context is stopped.
    Down,
}

// === impl Switchboard ===

impl Switchboard {
    pub(crate) fn connect(&self, services: impl IntoIterator<Item = (String, AnyService)>) {
        let services = services.into_iter().map(|(name, service)| (name, Line::Up(service)));
        self.services.write().unwrap_or_else(PoisonError::into_inner).extend(services);
    }

    /// Lets `service` answer for every service that is not here. Once; who comes later is not heard.
    pub(crate) fn connect_beyond(&self, service: AnyService) {
        self.beyond.get_or_init(|| service);
    }

    pub(crate) fn disconnect(&self, names: impl IntoIterator<Item = String>) {
        let services = names.into_iter().map(|name| (name, Line::Down));
        self.services.write().unwrap_or_else(PoisonError::into_inner).extend(services);
    }

    /// How to reach `context` from within this process.
    pub(crate) fn reach(&self, context: ContextName) -> Reach {
        let this = self.clone();
        Reach::new(tower::service_fn(move |request: Request<Body>| {
            let line = this.line(&request);
            async move {
                match line {
                    Some(Line::Up(service)) => service.oneshot(request).await.map_err(|never| match never {}),
                    Some(Line::Down) => Err(away(format!("{context} is stopped"))),
                    None => Err(away(format!("{context} does not run in this process"))),
                }
            }
        }))
    }

    fn line(&self, request: &Request<Body>) -> Option<Line> {
        // `/package.Service/Method`
        let service = request.uri().path().get(1..)?.split('/').next()?;
        self.services.read().unwrap_or_else(PoisonError::into_inner).get(service).cloned()
    }
}

impl Service<Request<Body>> for Switchboard {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.line(&request) {
            Some(Line::Up(service)) => Box::pin(service.oneshot(request)),
            Some(Line::Down) => {
                let status = unavailable("CONTEXT_STOPPED", "this context is stopped; try again");
                Box::pin(async move { Ok(status.into_http()) })
            }
            None if let Some(beyond) = self.beyond.get() => Box::pin(beyond.clone().oneshot(request)),
            None => {
                let status = Status::unimplemented("no such service here; list them with grpcurl HOST:PORT list");
                Box::pin(async move { Ok(status.into_http()) })
            }
        }
    }
}

fn away(why: String) -> BoxError {
    Box::new(PeerFailure::Away(why))
}
