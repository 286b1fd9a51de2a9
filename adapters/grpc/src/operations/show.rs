//! What operators are shown.

use highstreet_domain::kernel::ports::DeadLetter;
use highstreet_domain::kernel::{PendingStep, Reference, Timestamp};
use highstreet_wire::convert::{duration, reference, timestamp};
use highstreet_wire::json;
use highstreet_wire::proto::operations as proto;

use super::letter_id::LetterId;

pub(super) fn pending_step(context: &str, aggregate: &str, step: &PendingStep, now: Timestamp) -> proto::PendingStep {
    proto::PendingStep {
        subject: Some(reference(&Reference::new(context, step.id.to_string()))),
        aggregate: aggregate.to_owned(),
        step: step.name.clone(),
        deadline: step.deadline.map(timestamp),
        since: Some(timestamp(step.since)),
        age: Some(duration(now.since(step.since))),
        attempts: number(step.attempts),
        next_attempt: Some(timestamp(step.next)),
        running: step.running,
        last_error: step.error.clone(),
        correlation_id: step.origin.correlation.clone(),
        step_id: step.key.to_string(),
    }
}

/// Without its payload.
pub(super) fn dead_letter(context: &str, letter: &DeadLetter, now: Timestamp) -> proto::DeadLetter {
    let message = letter.message.as_deref();
    proto::DeadLetter {
        dead_letter_id: LetterId::of(context, letter).to_string(),
        context: context.to_owned(),
        source: letter.source.clone(),
        event: message.map(|message| message.name.clone()).unwrap_or_default(),
        message_id: message.map(|message| message.id.to_string()).unwrap_or_default(),
        subject: message.map(|message| message.subject.to_string()).unwrap_or_default(),
        event_time: message.map(|message| timestamp(message.time)),
        failure_time: Some(timestamp(letter.time)),
        age: Some(duration(now.since(letter.time))),
        failures: number(letter.failures),
        last_error: letter.error.clone(),
        actor: message.map(|message| message.origin.actor.clone()).unwrap_or_default(),
        correlation_id: message.map(|message| message.origin.correlation.clone()).unwrap_or_default(),
        payload_json: String::new(),
        payload: Vec::new(),
        payload_error: String::new(),
    }
}

/// With its payload.
pub(super) fn whole(context: &str, letter: &DeadLetter, now: Timestamp) -> proto::DeadLetter {
    let told = match &letter.message {
        Some(message) => json::event(&message.source, &message.name, &message.body),
        None => Err("it is no event at all".into()),
    };
    let (payload_json, payload_error) = match told {
        Ok(json) => (json, String::new()),
        Err(why) => (String::new(), why),
    };
    let payload = letter.message.as_ref().map(|message| message.body.clone()).unwrap_or_default();
    proto::DeadLetter { payload_json, payload, payload_error, ..dead_letter(context, letter, now) }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
