//! Somebody on the street: asks contexts over a bad network, and asks again.

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{Clock, Ids};
use highstreet_domain::kernel::{
    Aggregate, Cause, Claim, ClaimKey, Failure, Fingerprint, Handler, Id, Origin, Request, Standing, Unanswered,
};
use uuid::Uuid;

use super::host::Context;
use super::street::Street;
use super::witness::Witness;
use crate::Dice;

/// Somebody on the street.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) street: Arc<Street>,
    pub(super) witness: Witness,
    /// A phone number or a name; requests are told apart by it.
    pub(super) name: String,
    pub(super) dice: Dice,
}

/// What a context says.
pub(super) type Answer<A> = Result<(Id<A>, Standing<A>), Failure<<A as Aggregate>::Rejection>>;

/// What comes of asking it.
pub(super) type Answered<A> = Result<Answer<A>, Unanswered>;

// === impl Visitor ===

impl Visitor {
    /// Somebody else, under the same sky.
    pub(super) fn named(&self, name: String) -> Self {
        Self { name, ..self.clone() }
    }

    /// Asks a few times, under one `request_id` or none, until somebody says yes or no; true if it was yes.
    pub(super) async fn insist<A: Aggregate>(
        &self,
        context: &Context<A>,
        id: Id<A>,
        command: &A::Command,
        method: &str,
    ) -> bool {
        let request_id = self.request_id();
        for _ in 0..6 {
            match self.ask(context, id, command.clone(), request_id, method).await {
                Ok(Ok(_)) => return true,
                Ok(Err(Failure::Rejected(_))) => return false,
                _ => self.wait(Duration::from_secs(3)).await,
            }
        }
        false
    }

    /// Asks once.
    pub(super) async fn ask<A: Aggregate>(
        &self,
        context: &Context<A>,
        id: Id<A>,
        command: A::Command,
        request_id: Option<Uuid>,
        method: &str,
    ) -> Answered<A> {
        let claim = self.claim(request_id, method, &command);
        let request = Request { claim, ..self.request(command, request_id, method) };
        let what = format!("{} asks {method} of {id} under {request_id:?}", self.name);
        let work = move |handler: Handler<A>| async move { handler.handle(id, request).await };
        let answer = self.street.network.call(context, &what, work).await;
        self.street.chronicle.note(|| match &answer {
            Ok(Ok((_, standing))) => format!("{what} => {:?}", standing.state),
            Ok(Err(failure)) => format!("{what} => {failure}"),
            Err(unanswered) => format!("{what} => {}", unanswered.why),
        });
        answer
    }

    pub(super) fn request<A: Aggregate>(
        &self,
        command: A::Command,
        request_id: Option<Uuid>,
        method: &str,
    ) -> Request<A> {
        let cause = request_id.map_or_else(
            || Cause::unique(self.street.ids.next()),
            |request_id| Cause::of_claim(ClaimKey::new(&self.name, method, request_id)),
        );
        Request::new(command, cause, Arc::new(Origin { actor: self.name.clone(), ..Origin::default() }))
    }

    pub(super) fn claim(
        &self,
        request_id: Option<Uuid>,
        method: &str,
        content: &impl std::fmt::Debug,
    ) -> Option<Claim> {
        let key = ClaimKey::new(&self.name, method, request_id?);
        Some(Claim { key, fingerprint: Fingerprint::of(format!("{content:?}").as_bytes()) })
    }

    pub(super) fn request_id(&self) -> Option<Uuid> {
        self.dice.chance(75).then(|| self.street.ids.next())
    }

    pub(super) async fn wait(&self, most: Duration) {
        let time = self.street.clock.now().after(self.dice.up_to(most));
        self.street.clock.until(time).await;
    }

    /// Asks until it is done; false if it never is.
    pub(super) async fn keep_asking<A: Aggregate>(&self, context: &Context<A>, id: Id<A>, command: A::Command) -> bool {
        for _ in 0..self.dice.below(30) {
            self.wait(Duration::from_secs(5)).await;
            if let Ok(Ok(_)) = self.ask(context, id, command.clone(), None, "Serve").await {
                return true;
            }
        }
        false
    }
}
