//! What comes late does not bring anybody back: messages of what began before somebody was forgotten are heard without
//! them.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use uuid::Uuid;

use super::erasure::{Forgotten, PERSONAL, Redact, time_in};
use super::ports::Retell;
use super::{Message, Phone, Timestamp};

/// Recognises people by digests.
struct Recognised<'a>(Vec<&'a Forgotten>);

/// `message` as it is to be heard. Whoever came back after they were forgotten is somebody new: what began after that
/// is heard as it is.
pub fn heard_late(message: &Arc<Message>, forgotten: &[Forgotten], retell: Retell) -> Arc<Message> {
    let began = began(message);
    let recognised = Recognised(forgotten.iter().filter(|it| began < it.since()).collect());
    if recognised.0.is_empty() {
        return message.clone();
    }
    let body = retell(&recognised, &message.source, &message.name, &message.body);
    let actor = recognised.redact("actor", &message.origin.actor);
    let subject = recognised.redact("subject", &message.subject.to_string());
    if body.is_none() && actor.is_none() && subject.is_none() {
        return message.clone();
    }
    let mut heard = Message::clone(message);
    heard.body = body.unwrap_or(heard.body);
    heard.origin.actor = actor.unwrap_or(heard.origin.actor);
    heard.subject = subject.and_then(|subject| Uuid::parse_str(&subject).ok()).unwrap_or(heard.subject);
    Arc::new(heard)
}

/// When what a message tells of began: ids keep the time of what they are made for.
fn began(message: &Message) -> Timestamp {
    let cause = || time_in(Uuid::parse_str(&message.origin.causation).ok()?);
    time_in(message.subject).or_else(cause).unwrap_or(message.time)
}

impl Redact for Recognised<'_> {
    fn redact(&self, field: &str, text: &str) -> Option<String> {
        let key = match Uuid::parse_str(text) {
            Ok(id) => id.to_string(),
            Err(_) if PERSONAL.contains(&field) || Phone::parse(text).is_ok() => Phone::key_of(text),
            Err(_) => return None,
        };
        let theirs = |it: &&&Forgotten| it.digest == Forgotten::digest(it.erasure, &key);
        self.0.iter().find(theirs).map(|it| it.instead.clone())
    }

    fn may_be_in(&self, _bytes: &[u8]) -> bool {
        // Nothing is known but digests.
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Erasure, Origin, pseudonym};
    use super::*;

    const ERASED: Uuid = Uuid::from_u128(0x0195_0000_0005_7000_8000_0000_0000_0009);

    fn order_at(millis: u128, customer: &str) -> Arc<Message> {
        Arc::new(Message {
            id: Uuid::from_u128(1),
            source: "ordering".into(),
            name: "OrderPaid".into(),
            subject: Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0001 + (millis << 80)),
            time: Timestamp::from_micros(i64::MAX),
            origin: Origin { actor: customer.into(), ..Origin::default() },
            body: customer.as_bytes().to_vec(),
        })
    }

    fn retell(redact: &dyn Redact, _source: &str, _name: &str, body: &[u8]) -> Option<Vec<u8>> {
        redact.redact("customer", core::str::from_utf8(body).ok()?).map(String::into_bytes)
    }

    #[test]
    fn whoever_was_forgotten_stays_forgotten_and_may_come_back() {
        let forgotten = Erasure::new(ERASED, Phone::parse("010-1234-5678").ok().as_ref(), &[]).forgotten();
        let heard = |message| heard_late(&message, &forgotten, retell);
        let late = heard(order_at(4, "+82 10 1234 5678"));
        assert_eq!(late.body, pseudonym(ERASED).into_bytes(), "however late it is published");
        assert_eq!(late.origin.actor, pseudonym(ERASED));
        assert_eq!(heard(order_at(4, "010-9999-9999")), order_at(4, "010-9999-9999"), "nobody else");
        assert_eq!(
            heard(order_at(5, "010-1234-5678")),
            order_at(5, "010-1234-5678"),
            "ordered after that: a new customer"
        );
    }

    #[test]
    fn a_stream_that_moved_is_heard_of_where_it_is() {
        let message = order_at(4, "nobody");
        let to = Uuid::from_u128(7);
        let erasure = Erasure::new(ERASED, Phone::parse("010-1234-5678").ok().as_ref(), &[]);
        let forgotten = erasure.with_moved([(message.subject, to)]).forgotten();
        assert_eq!(heard_late(&message, &forgotten, retell).subject, to);
    }
}
