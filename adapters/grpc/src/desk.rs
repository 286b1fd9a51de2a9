//! Where calls about one kind of aggregate arrive: what all contexts' services have in common.

use std::sync::Arc;

use highstreet_domain::kernel::ports::{Clock, Ids, Kept, Listing};
use highstreet_domain::kernel::{self, Aggregate, Cause, Claim, ClaimKey, Handler, Id, Scope, Standing};
use tonic::{Request, Status};

use crate::call::Call;
use crate::opened::{Changing, Opened, Terms};
use crate::page::Wanted;
use crate::status::{not_found, of_failure, of_store};

/// The desk of one kind of aggregate.
pub struct Desk<A: Aggregate> {
    /// Carries out commands.
    pub handler: Handler<A>,
    /// Answers lists.
    pub listing: Arc<dyn Listing<A>>,
    /// Makes ids.
    pub ids: Arc<dyn Ids>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

// === impl Desk ===

impl<A: Aggregate> Desk<A> {
    /// Reads what every request that changes something brings along.
    pub(crate) fn open<R: Changing>(&self, request: Request<R>) -> Result<Opened<R>, Status> {
        let call = Call::of(&request, &*self.clock);
        Opened::new(request, call)
    }

    /// Carries out a command on something that gets a new id, made here.
    pub(crate) async fn create(
        &self,
        call: &Call,
        terms: Terms,
        command: A::Command,
    ) -> Result<(Id<A>, Standing<A>), Status> {
        let id = Id::new(self.ids.next());
        self.handle(id, self.request(call, terms, command)).await
    }

    /// Carries out a command on what has this id.
    pub(crate) async fn change(
        &self,
        call: &Call,
        terms: Terms,
        id: Id<A>,
        command: A::Command,
    ) -> Result<(Id<A>, Standing<A>), Status> {
        self.handle(id, self.request(call, terms, command)).await
    }

    /// What has this id, and exists for others and for whoever has this scope.
    pub(crate) async fn find(&self, scope: &Scope, id: Id<A>) -> Result<Standing<A>, Status> {
        let found = self.handler.find(id).await.map_err(|error| of_store(&error))?;
        let found = found.filter(|standing| standing.state.index().is_some_and(|index| scope.admits(&index)));
        found.ok_or_else(|| not_found(A::NAME, &id.to_string()))
    }

    /// A page of what `scope` admits, and the token of the next.
    pub(crate) async fn list(
        &self,
        scope: &Scope,
        wanted: &Wanted,
    ) -> Result<(Vec<(Id<A>, Standing<A>)>, String), Status> {
        let page = self.listing.page(&wanted.within(scope)?, &wanted.one_more()).await;
        let mut found = page.map_err(|error| of_store(&error))?;
        let next = wanted.cut(&mut found, |(id, standing)| (standing.created, id.uuid()));
        Ok((found, next))
    }

    /// A page of entries, and the token of the next.
    pub(crate) async fn entries(&self, id: Id<A>, wanted: &Wanted) -> Result<(Vec<Kept<A>>, String), Status> {
        let page = self.listing.entries(id, &wanted.one_more()).await;
        let mut found = page.map_err(|error| of_store(&error))?;
        let next = wanted.cut(&mut found, |kept| kept.place);
        Ok((found, next))
    }

    async fn handle(&self, id: Id<A>, request: Box<kernel::Request<A>>) -> Result<(Id<A>, Standing<A>), Status> {
        self.handler.handle(id, request).await.map_err(|failure| of_failure(id, &failure))
    }

    fn request(&self, call: &Call, terms: Terms, command: A::Command) -> Box<kernel::Request<A>> {
        let claim = terms.request_id.map(|(request_id, fingerprint)| Claim {
            key: ClaimKey::new(&call.caller, terms.method, request_id),
            fingerprint,
        });
        let cause = claim.map_or_else(|| Cause::unique(self.ids.next()), |claim| Cause::of_claim(claim.key));
        let mut request = Box::new(kernel::Request::new(command, cause, call.origin.clone()));
        request.claim = claim;
        request.expected_revision = terms.expected_revision;
        request.deadline = call.deadline;
        request.scope = call.scope.clone();
        request
    }
}
