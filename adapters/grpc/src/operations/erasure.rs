//! Forgetting a customer: in one context, or in all that run here or are reached from here.

use std::time::Duration;

use highstreet_domain::kernel::ports::{Erased, OpenCase};
use highstreet_domain::kernel::{Erasure, Forgetter, Phone, Swept};
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::operations as proto;
use prost_types::Duration as WireDuration;
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};
use uuid::Uuid;

use super::Operations;
use super::lists::{is_away, passed_on};
use super::offices::Line;
use crate::fields::Fields;
use crate::status::{of_store, open_cases};

/// As long as a name in a request may be.
const LONGEST: usize = 200;

/// A round through contexts.
struct Round<'a> {
    /// What the caller brought along.
    metadata: MetadataMap,
    asked: &'a proto::EraseCustomerRequest,
    erasure: Erasure,
}

impl Operations {
    /// Goes once through all contexts that are asked.
    pub(super) async fn erase(
        &self,
        metadata: MetadataMap,
        asked: proto::EraseCustomerRequest,
    ) -> Result<Response<proto::EraseCustomerResponse>, Status> {
        let mut erasure = read(&asked)?;
        let only = (!asked.context.is_empty()).then(|| asked.context.clone());
        let contexts = only.clone().map_or_else(|| self.offices.contexts(), |only| vec![only]);
        let round = Round { metadata, asked: &asked, erasure: erasure.clone() };
        let mut answer = proto::EraseCustomerResponse { ..proto::EraseCustomerResponse::default() };
        // Nobody erases anything while somebody waits for something.
        let mut there = Vec::new();
        for context in contexts {
            match self.look(&round, &context).await {
                Ok((open, begun)) => {
                    answer.open_cases.extend(open);
                    // Given none, it goes on with what was begun.
                    if let Some(begun) = begun.filter(|_| asked.erasure_id.is_empty() || asked.look_only) {
                        erasure = erasure.under(begun);
                    }
                    there.push(context);
                }
                Err(status) if only.is_none() && is_away(&status) => answer.unreachable_contexts.push(context),
                Err(status) => return Err(status),
            }
        }
        if !answer.open_cases.is_empty() && !asked.even_if_open && !asked.look_only {
            return Err(open_cases(&answer.open_cases));
        }
        answer.erasure_id = erasure.id().to_string();
        if asked.look_only {
            return Ok(Response::new(answer));
        }
        let mut round = Round { erasure, ..round };
        let mut wait = Duration::ZERO;
        for context in there {
            match self.sweep(&mut round, &context).await {
                Ok(done) => {
                    wait = wait.max(done.wait.map_or(Duration::ZERO, |wait| wait.try_into().unwrap_or_default()));
                    answer.contexts.push(done);
                }
                Err(status) if only.is_none() && is_away(&status) => answer.unreachable_contexts.push(context),
                Err(status) => return Err(status),
            }
        }
        answer.complete = wait.is_zero() && answer.unreachable_contexts.is_empty();
        answer.wait = told(if answer.complete { Duration::ZERO } else { wait.max(Duration::from_secs(1)) });
        Ok(Response::new(answer))
    }

    /// The customer's open cases in a context, and the erasure that was begun there before, if one was.
    async fn look(&self, round: &Round<'_>, context: &str) -> Result<(Vec<proto::OpenCase>, Option<Uuid>), Status> {
        match self.offices.line(context)? {
            Line::Here(office) => {
                let open = office.forgetter.open(&round.erasure).await.map_err(|error| of_store(&error))?;
                let begun = office.forgetter.begun_before(&round.erasure).await.map_err(|error| of_store(&error))?;
                Ok((open.iter().map(|case| open_case(context, case)).collect(), begun))
            }
            Line::Elsewhere(mut office) => {
                let asked = round.asked_of(context, true);
                let found = office.erase_customer(passed_on(&round.metadata, asked)).await?.into_inner();
                let begun = Uuid::parse_str(&found.erasure_id).ok().filter(|begun| *begun != round.erasure.id());
                Ok((found.open_cases, begun))
            }
        }
    }

    async fn sweep(&self, round: &mut Round<'_>, context: &str) -> Result<proto::ErasedContext, Status> {
        let done = match self.offices.line(context)? {
            Line::Here(office) => erased(context, forget(&office.forgetter, &round.erasure).await?),
            Line::Elsewhere(mut office) => {
                let asked = round.asked_of(context, false);
                let answer = office.erase_customer(passed_on(&round.metadata, asked)).await?.into_inner();
                answer.contexts.into_iter().next().unwrap_or_default()
            }
        };
        // Those that come later may refer to what moved here.
        round.erasure = round.erasure.clone().with_moved(moves(&done.moved));
        Ok(done)
    }
}

async fn forget(forgetter: &Forgetter, erasure: &Erasure) -> Result<Swept, Status> {
    forgetter.forget(erasure).await.map_err(|error| of_store(&error))
}

// === impl Round ===

impl Round<'_> {
    /// The same of one context elsewhere.
    fn asked_of(&self, context: &str, look_only: bool) -> proto::EraseCustomerRequest {
        proto::EraseCustomerRequest {
            context: context.to_owned(),
            erasure_id: self.erasure.id().to_string(),
            look_only,
            // It was looked for everywhere before.
            even_if_open: true,
            moved: self.erasure.moved().map(moved).collect(),
            ..self.asked.clone()
        }
    }
}

// === Requests and answers ===

fn read(asked: &proto::EraseCustomerRequest) -> Result<Erasure, Status> {
    let mut fields = Fields::default();
    let phone = fields.optional("phone", &asked.phone, Phone::parse);
    if asked.phone.is_empty() && asked.names.is_empty() {
        fields.wrong("phone", "or names must say who is to be forgotten");
    }
    for (at, name) in asked.names.iter().enumerate() {
        if !(2..=LONGEST).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            fields.wrong(format!("names[{at}]"), "must be 2 to 200 characters without control characters");
        }
    }
    let id = match asked.erasure_id.as_str() {
        "" => Some(Uuid::now_v7()),
        given => fields.uuid("erasure_id", given).and_then(|id| {
            let timed = (id.get_version_num() == 7).then_some(id);
            fields.check("erasure_id", timed.ok_or("must be the erasure_id of an earlier answer"))
        }),
    };
    let id = fields.finish_with(id)?;
    Ok(Erasure::new(id, phone.as_ref(), &asked.names).with_moved(moves(&asked.moved)))
}

fn moves(moved: &[proto::MovedStream]) -> Vec<(Uuid, Uuid)> {
    let parse = |it: &proto::MovedStream| Some((Uuid::parse_str(&it.from).ok()?, Uuid::parse_str(&it.to).ok()?));
    moved.iter().filter_map(parse).collect()
}

fn moved((from, to): (Uuid, Uuid)) -> proto::MovedStream {
    proto::MovedStream { from: from.to_string(), to: to.to_string() }
}

fn open_case(context: &str, case: &OpenCase) -> proto::OpenCase {
    let subject = Some(Reference { context: context.to_owned(), id: case.id.to_string() });
    proto::OpenCase { subject, status: case.status.clone() }
}

fn erased(context: &str, swept: Swept) -> proto::ErasedContext {
    let Erased { streams, events, entries, rows, messages, letters, moved: moves } = swept.erased;
    proto::ErasedContext {
        context: context.to_owned(),
        streams: streams.cast_signed(),
        events: events.cast_signed(),
        entries: entries.cast_signed(),
        rows: rows.cast_signed(),
        messages: messages.cast_signed(),
        dead_letters: letters.cast_signed(),
        moved: moves.into_iter().map(moved).collect(),
        wait: told(swept.wait),
    }
}

fn told(wait: Duration) -> Option<WireDuration> {
    WireDuration::try_from(wait).ok()
}
