//! Where calls about one kind of aggregate arrive: what all contexts' services have in common.

use std::sync::Arc;

use highstreet_domain::kernel::ports::{Clock, Ids, Kept, Listing};
use highstreet_domain::kernel::{Aggregate, Cause, Claim, ClaimKey, Fingerprint, Handler, Id, Request, Standing};
use prost::Message;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use crate::call::Call;
use crate::fields::Fields;
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
    /// Who has to be asked before a call is answered.
    pub dependency: Dependency,
}

/// Who has to be asked, as callers are told when it is away.
#[derive(Clone, Copy, Debug)]
pub struct Dependency {
    /// Its name, in the middle of a sentence.
    pub name: &'static str,
    /// For programs, in `SCREAMING_SNAKE_CASE`.
    pub reason: &'static str,
}

/// On which terms a call wants to be carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    request_id: Option<(Uuid, Fingerprint)>,
    expected_revision: Option<u64>,
}

// === impl Dependency ===

impl Dependency {
    /// Nobody is asked.
    pub const NONE: Self = Self { name: "a service this depends on", reason: "UNAVAILABLE" };
}

// === impl Terms ===

impl Terms {
    /// Reads `request_id` (taken out of `request`, so that the rest is its content) and `expected_revision`.
    pub(crate) fn read<R: Message>(
        fields: &mut Fields,
        request_id: &str,
        content: &R,
        expected_revision: Option<i64>,
    ) -> Self {
        let request_id = (!request_id.is_empty())
            .then(|| fields.uuid("request_id", request_id))
            .flatten()
            .map(|id| (id, Fingerprint::of(&content.encode_to_vec())));
        let expected_revision = expected_revision.and_then(|revision| {
            fields.check("expected_revision", u64::try_from(revision).map_err(|_| "must not be negative"))
        });
        Self { request_id, expected_revision }
    }
}

// === impl Desk ===

impl<A: Aggregate> Desk<A> {
    pub(crate) fn call(&self, metadata: &MetadataMap) -> Call {
        Call::of(metadata, &*self.clock)
    }

    /// Carries out a command on something that gets a new id, made here.
    pub(crate) async fn create(
        &self,
        call: &Call,
        method: &'static str,
        terms: Terms,
        command: A::Command,
    ) -> Result<(Id<A>, Standing<A>), Status> {
        let id = Id::new(self.ids.next());
        self.handle(id, self.request(call, method, terms, command)).await
    }

    /// Carries out a command on what has this id.
    pub(crate) async fn change(
        &self,
        call: &Call,
        method: &'static str,
        terms: Terms,
        id: Id<A>,
        command: A::Command,
    ) -> Result<(Id<A>, Standing<A>), Status> {
        self.handle(id, self.request(call, method, terms, command)).await
    }

    /// What has this id and exists for others.
    pub(crate) async fn find(&self, id: Id<A>) -> Result<Standing<A>, Status> {
        let found = self.handler.find(id).await.map_err(|error| of_store(&error))?;
        found.filter(|standing| standing.state.index().is_some()).ok_or_else(|| not_found(A::NAME, &id.to_string()))
    }

    /// A page, and the token of the next.
    pub(crate) async fn list(&self, wanted: &Wanted) -> Result<(Vec<(Id<A>, Standing<A>)>, String), Status> {
        let page = self.listing.page(&wanted.filter, &wanted.one_more()).await;
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

    async fn handle(&self, id: Id<A>, request: Request<A>) -> Result<(Id<A>, Standing<A>), Status> {
        self.handler.handle(id, request).await.map_err(|failure| of_failure(id, &failure, self.dependency))
    }

    fn request(&self, call: &Call, method: &'static str, terms: Terms, command: A::Command) -> Request<A> {
        let claim = terms.request_id.map(|(request_id, fingerprint)| Claim {
            key: ClaimKey::new(&call.origin.actor, method, request_id),
            fingerprint,
        });
        let cause = claim.map_or_else(|| Cause::unique(self.ids.next()), |claim| Cause::of_claim(claim.key));
        let mut request = Request::new(command, cause, call.origin.clone());
        request.claim = claim;
        request.expected_revision = terms.expected_revision;
        request.deadline = call.deadline;
        request
    }
}
