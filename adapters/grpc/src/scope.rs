//! What callers may see, as the check at the door found.

use highstreet_domain::kernel::Scope;
use highstreet_wire::call::Caller;
use tonic::{Request, Status};

use crate::status::beyond_scope;

/// What a request's caller may see: all of it, where nobody checks who calls.
pub(crate) fn scope_of<R>(request: &Request<R>) -> Scope {
    request.extensions().get::<Caller>().map(|caller| caller.scope.clone()).unwrap_or_default()
}

/// A question, and what its caller may see of the answer.
pub(crate) fn asked<R>(request: Request<R>) -> (Scope, R) {
    (scope_of(&request), request.into_inner())
}

/// Refuses what is `shop`'s, or the customer's whose key is `owner`, where `scope` does not admit it.
pub(crate) fn refuse_beyond(scope: &Scope, shop: &str, owner: Option<&str>) -> Result<(), Status> {
    if scope.admits_of(shop, owner) { Ok(()) } else { Err(beyond_scope()) }
}
