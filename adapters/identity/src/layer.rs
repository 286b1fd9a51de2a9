//! The check at the door.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use highstreet_domain::kernel::Scope;
use highstreet_wire::call::{Caller, ERROR_DOMAIN};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::{Layer, Service};

use crate::access::{AccessTable, Rpc, admit};
use crate::claims::Identity;
use crate::verifier::{Refused, Verifier};

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
const BEARER: &str = "bearer ";

/// Lets through who may call, as a [`Caller`]; refuses everybody else.
#[derive(Clone)]
pub struct AccessLayer {
    verifier: Arc<Verifier>,
    table: Arc<AccessTable>,
}

/// See [`AccessLayer`].
#[derive(Clone)]
pub struct AccessService<S> {
    inner: S,
    access: AccessLayer,
}

// === impl AccessLayer ===

impl AccessLayer {
    /// Believes what `verifier` finds good, and lets in whom `table` names.
    pub fn new(verifier: Arc<Verifier>, table: AccessTable) -> Self {
        Self { verifier, table: Arc::new(table) }
    }

    /// Whom to let through; nobody in particular where anybody may.
    async fn check(&self, path: &str, headers: &HeaderMap) -> Result<Option<Caller>, Status> {
        let access = match self.table.find(path) {
            Rpc::Public => return Ok(None),
            Rpc::For(access) => access,
            // Only whoever is known is told what there is not.
            Rpc::Unknown => {
                self.identify(headers).await?;
                return Err(Status::unimplemented("no such RPC here; list them with grpcurl HOST:PORT list"));
            }
        };
        let identity = self.identify(headers).await?;
        let scope: Scope = admit(access, &identity)
            .map_err(|why| refusal(Code::PermissionDenied, "ACCESS_DENIED", &why.to_string()))?;
        Ok(Some(Caller { name: identity.subject.clone(), scope }))
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Arc<Identity>, Status> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(refusal(
                Code::Unauthenticated,
                "TOKEN_MISSING",
                "say who you are: authorization: Bearer <token>, once",
            ));
        };
        let token = value.to_str().ok().and_then(|value| {
            let (scheme, token) = value.split_at_checked(BEARER.len())?;
            scheme.eq_ignore_ascii_case(BEARER).then_some(token.trim())
        });
        let Some(token) = token else {
            return Err(refusal(Code::Unauthenticated, "TOKEN_INVALID", "the authorization must be: Bearer <token>"));
        };
        self.verifier.verify(token).await.map_err(|refused| match refused {
            Refused::NoKeys(_) => refusal(Code::Unavailable, "KEYS_UNAVAILABLE", &refused.to_string()),
            Refused::NotGood(_) => refusal(Code::Unauthenticated, "TOKEN_INVALID", &refused.to_string()),
            Refused::Expired => refusal(Code::Unauthenticated, "TOKEN_EXPIRED", &refused.to_string()),
        })
    }
}

fn refusal(code: Code, reason: &'static str, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, ERROR_DOMAIN, []);
    if code == Code::Unavailable {
        details.set_retry_info(Some(TRY_AGAIN_AFTER));
    }
    Status::with_error_details(code, message, details)
}

impl<S> Layer<S> for AccessLayer {
    type Service = AccessService<S>;

    fn layer(&self, inner: S) -> AccessService<S> {
        AccessService { inner, access: self.clone() }
    }
}

// === impl AccessService ===

impl<S, I, O> Service<Request<I>> for AccessService<S>
where
    S: Service<Request<I>, Response = Response<O>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    I: Send + 'static,
    O: Default + Send + 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<O>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        // The one that was found ready is used; its clone stays.
        let inner = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, inner);
        let access = self.access.clone();
        Box::pin(async move {
            match access.check(request.uri().path(), request.headers()).await {
                Ok(caller) => {
                    request.extensions_mut().remove::<Caller>();
                    caller.map(|caller| request.extensions_mut().insert(caller));
                    inner.call(request).await
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}
