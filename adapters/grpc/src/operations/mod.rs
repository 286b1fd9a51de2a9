//! Operations over gRPC: what operators see of every context of this process, and do about it; and of the contexts
//! elsewhere that are reached from here.

mod erasure;
mod letter_id;
mod lists;
mod offices;
mod show;
mod vitals;

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::Wanted;
use highstreet_domain::kernel::ports::{Clock, DeadLetter};
use highstreet_wire::proto::operations as proto;
use highstreet_wire::proto::operations::operations_service_server::OperationsService;
use tonic::{Request, Response, Status};

pub use offices::{Office, Offices};
pub use vitals::{Lag, Vitals};

use crate::call::Call;
use crate::fields::Fields;
use crate::status::{not_found, of_store, of_unmoved};
use letter_id::LetterId;
use lists::{Letters, PendingSteps, Walk};
use offices::Line;
use show::{pending_step, whole};

/// Operations, inbound.
#[derive(Clone)]
pub struct Operations {
    /// Where each context is looked after.
    pub offices: Offices,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A step of one context.
struct Target {
    context: String,
    step: Wanted,
}

#[async_trait]
impl OperationsService for Operations {
    async fn list_contexts(
        &self,
        request: Request<proto::ListContextsRequest>,
    ) -> Result<Response<proto::ListContextsResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let only = (!message.context.is_empty()).then_some(message.context);
        self.vitals(metadata, only).await.map(Response::new)
    }

    async fn list_pending_steps(
        &self,
        request: Request<proto::ListPendingStepsRequest>,
    ) -> Result<Response<proto::ListPendingStepsResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let mut fields = Fields::default();
        let kind = if message.failing_only { "failing" } else { "steps" };
        let walk = Walk::new(&mut fields, kind, &message.context, message.page_size, &message.page_token);
        fields.finish()?;
        let ask = PendingSteps { metadata, failing_only: message.failing_only, now: self.clock.now() };
        let (steps, next_page_token, unreachable_contexts) = self.offices.walk(walk, &ask).await?;
        Ok(Response::new(proto::ListPendingStepsResponse { steps, next_page_token, unreachable_contexts }))
    }

    async fn retry_step(
        &self,
        request: Request<proto::RetryStepRequest>,
    ) -> Result<Response<proto::RetryStepResponse>, Status> {
        let message = request.get_ref();
        let Target { context, step } = target(message.subject.as_ref(), &message.step_id)?;
        match self.offices.line(&context)? {
            Line::Elsewhere(mut office) => office.retry_step(request).await,
            Line::Here(office) => {
                let left = office.retry(step).await.map_err(|unmoved| of_unmoved(&context, step.stream, &unmoved))?;
                let now = self.clock.now();
                let step = left.map(|(aggregate, step)| pending_step(&context, aggregate, &step, now));
                Ok(Response::new(proto::RetryStepResponse { step }))
            }
        }
    }

    async fn abandon_step(
        &self,
        request: Request<proto::AbandonStepRequest>,
    ) -> Result<Response<proto::AbandonStepResponse>, Status> {
        let message = request.get_ref();
        let Target { context, step } = target(message.subject.as_ref(), &message.step_id)?;
        match self.offices.line(&context)? {
            Line::Elsewhere(mut office) => office.abandon_step(request).await,
            Line::Here(office) => {
                let origin = Call::of(&request, &*self.clock).origin;
                office.abandon(step, origin).await.map_err(|unmoved| of_unmoved(&context, step.stream, &unmoved))?;
                Ok(Response::new(proto::AbandonStepResponse {}))
            }
        }
    }

    async fn list_dead_letters(
        &self,
        request: Request<proto::ListDeadLettersRequest>,
    ) -> Result<Response<proto::ListDeadLettersResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let mut fields = Fields::default();
        let walk = Walk::new(&mut fields, "letters", &message.context, message.page_size, &message.page_token);
        fields.finish()?;
        let ask = Letters { metadata, now: self.clock.now() };
        let (dead_letters, next_page_token, unreachable_contexts) = self.offices.walk(walk, &ask).await?;
        Ok(Response::new(proto::ListDeadLettersResponse { dead_letters, next_page_token, unreachable_contexts }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<proto::GetDeadLetterRequest>,
    ) -> Result<Response<proto::GetDeadLetterResponse>, Status> {
        let message = request.get_ref();
        let id = letter(&message.context, &message.dead_letter_id)?;
        let context = message.context.clone();
        match self.offices.line(&context)? {
            Line::Elsewhere(mut office) => office.get_dead_letter(request).await,
            Line::Here(office) => {
                let letter = found(&office, &id).await?;
                Ok(Response::new(proto::GetDeadLetterResponse {
                    dead_letter: Some(whole(&context, &letter, self.clock.now())),
                }))
            }
        }
    }

    async fn replay_dead_letter(
        &self,
        request: Request<proto::ReplayDeadLetterRequest>,
    ) -> Result<Response<proto::ReplayDeadLetterResponse>, Status> {
        let message = request.get_ref();
        let id = letter(&message.context, &message.dead_letter_id)?;
        let context = message.context.clone();
        match self.offices.line(&context)? {
            Line::Elsewhere(mut office) => office.replay_dead_letter(request).await,
            Line::Here(office) => {
                let done = office.letters.replay(&id.listener, id.place).await.map_err(|error| of_store(&error))?;
                was_there(done, &message.dead_letter_id)?;
                Ok(Response::new(proto::ReplayDeadLetterResponse {}))
            }
        }
    }

    async fn discard_dead_letter(
        &self,
        request: Request<proto::DiscardDeadLetterRequest>,
    ) -> Result<Response<proto::DiscardDeadLetterResponse>, Status> {
        let message = request.get_ref();
        let id = letter(&message.context, &message.dead_letter_id)?;
        let context = message.context.clone();
        match self.offices.line(&context)? {
            Line::Elsewhere(mut office) => office.discard_dead_letter(request).await,
            Line::Here(office) => {
                let done = office.letters.discard(&id.listener, id.place).await.map_err(|error| of_store(&error))?;
                was_there(done, &message.dead_letter_id)?;
                Ok(Response::new(proto::DiscardDeadLetterResponse {}))
            }
        }
    }

    async fn erase_customer(
        &self,
        request: Request<proto::EraseCustomerRequest>,
    ) -> Result<Response<proto::EraseCustomerResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        // Boxed: it is seldom asked for, and goes through many hands.
        Box::pin(self.erase(metadata, message)).await
    }

    async fn rebuild_view(
        &self,
        request: Request<proto::RebuildViewRequest>,
    ) -> Result<Response<proto::RebuildViewResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        for (field, name) in [("context", &message.context), ("view", &message.view)] {
            if name.is_empty() {
                fields.wrong(field, "must be named");
            }
        }
        fields.finish()?;
        match self.offices.line(&message.context)? {
            Line::Elsewhere(mut office) => office.rebuild_view(request).await,
            Line::Here(office) => {
                let rows = office.rebuild(&message.view).await?;
                Ok(Response::new(proto::RebuildViewResponse { rows: rows.cast_signed() }))
            }
        }
    }
}

fn target(subject: Option<&highstreet_wire::proto::common::Reference>, step_id: &str) -> Result<Target, Status> {
    let mut fields = Fields::default();
    let key = (!step_id.is_empty()).then(|| fields.uuid("step_id", step_id)).flatten();
    let subject = fields.reference("subject", subject);
    let id = subject.as_ref().and_then(|subject| fields.uuid("subject.id", &subject.id));
    let step = |stream| Wanted { stream, key };
    let target = subject.zip(id).map(|(subject, id)| Target { context: subject.context, step: step(id) });
    fields.finish_with(target)
}

fn letter(context: &str, id: &str) -> Result<LetterId, Status> {
    let mut fields = Fields::default();
    if context.is_empty() {
        fields.wrong("context", "must name the context that could not handle it");
    }
    let read = LetterId::read(context, id).ok_or("must be the id of a dead letter of this context, as it is listed");
    let read = fields.check("dead_letter_id", read);
    fields.finish_with(read)
}

async fn found(office: &Office, id: &LetterId) -> Result<DeadLetter, Status> {
    let behind = office.letters.behind(&id.listener, id.place.saturating_sub(1), 1).await;
    let found = behind.map_err(|error| of_store(&error))?.pop().filter(|letter| letter.place == id.place);
    found.ok_or_else(|| not_found("dead_letter", &id.to_string()))
}

fn was_there(done: bool, id: &str) -> Result<(), Status> {
    if done { Ok(()) } else { Err(not_found("dead_letter", id)) }
}
