//! Messages by mail.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use highstreet_domain::kernel::Unanswered;
use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::notification::{Notifier, Refused, Sending};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use thiserror::Error;
use tokio::time;

use crate::chain;
use crate::smtp_url::SmtpUrl;

/// How long a subject may be, in characters: mail programs show little more.
const LONGEST_SUBJECT: usize = 70;

/// An e-mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(Address);

/// A text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it must be an e-mail address, such as mina@example.com")]
pub struct InvalidAddress;

/// Mails each message by one server. Its `Message-ID` is the same for every attempt, so that whoever gets a repeat can
/// recognise it.
pub struct Smtp {
    settings: SmtpSettings,
    clock: Arc<dyn Clock>,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// The server that takes it.
    pub url: SmtpUrl,
    /// Who it is from.
    pub from: MailAddress,
    /// How long it may take to hand a message over.
    pub timeout: Duration,
}

/// Mail to one address.
pub(crate) struct Post {
    pub(crate) smtp: Arc<Smtp>,
    pub(crate) to: MailAddress,
}

// === impl Smtp ===

impl Smtp {
    /// Mail by the server that `settings` name. It is not asked before there is something to send.
    pub fn new(settings: SmtpSettings, clock: Arc<dyn Clock>) -> Self {
        // An attempt ends when the notifier's own time is over, and not a moment later.
        let transport = settings.url.transport().timeout(Some(settings.timeout)).build();
        Self { settings, clock, transport }
    }

    /// Mails a message to `to`.
    pub(crate) async fn mail(&self, sending: &Sending, to: &MailAddress) -> Result<Result<(), Refused>, Unanswered> {
        let message = match self.message(sending, to) {
            Ok(message) => message,
            Err(error) => return Ok(Err(Refused(format!("no mail can be made of it: {error}")))),
        };
        match time::timeout(self.settings.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Ok(())),
            Ok(Err(error)) => self.verdict(&error),
            Err(_) => Err(Unanswered::unknown(self.say("no answer in time"))),
        }
    }

    fn message(&self, sending: &Sending, to: &MailAddress) -> Result<Message, lettre::error::Error> {
        let SmtpSettings { from, .. } = &self.settings;
        let letter = &sending.letter;
        let seconds = u64::try_from(self.clock.now().as_micros() / 1_000_000).unwrap_or(0);
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        Message::builder()
            .from(Mailbox::new(Some(letter.case.shop.to_string()), from.0.clone()))
            .to(Mailbox::new(None, to.0.clone()))
            .subject(subject(&letter.text))
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{}@{}>", sending.key.uuid(), from.0.domain())))
            // Nobody's holiday notice is to answer it (RFC 3834).
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
    }

    /// What an error means: never taken, or not taken for now.
    fn verdict(&self, error: &SmtpError) -> Result<Result<(), Refused>, Unanswered> {
        let said = self.say(&chain(error));
        match error.status().map(u16::from) {
            // It is the mesh that the server does not know, and somebody can set that right.
            Some(530 | 534 | 535 | 538) => Err(Unanswered::unknown(said)),
            _ if error.is_permanent() => Ok(Err(Refused(said))),
            _ => Err(Unanswered::unknown(said)),
        }
    }

    fn say(&self, what: &str) -> String {
        format!("{}: {what}", self.settings.url)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The first sentence of a text, or as much of it as a subject holds.
fn subject(text: &str) -> String {
    let first = text.split_inclusive(['.', '!', '?']).next().unwrap_or(text);
    let first = first.trim_end_matches('.');
    if first.chars().count() <= LONGEST_SUBJECT {
        return first.to_owned();
    }
    first.chars().take(LONGEST_SUBJECT - 1).chain(['…']).collect()
}

// === impl SmtpSettings ===

impl SmtpSettings {
    /// By the server at `url`, from `from`; 6 seconds.
    pub const fn new(url: SmtpUrl, from: MailAddress) -> Self {
        Self { url, from, timeout: Duration::from_secs(6) }
    }
}

// === impl Post ===

#[async_trait]
impl Notifier for Post {
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered> {
        self.smtp.mail(sending, &self.to).await
    }
}

// === impl MailAddress ===

impl FromStr for MailAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        text.parse().map(Self).map_err(|_| InvalidAddress)
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Personal data: where the mail goes may be told, to whom may not.
        write!(f, "MailAddress(…@{})", self.0.domain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_first_sentence() {
        assert_eq!(subject("주문이 결제되었습니다. 음료를 준비하고 있습니다."), "주문이 결제되었습니다");
        assert_eq!(subject("Order completed. Enjoy!"), "Order completed");
        assert_eq!(subject("Enjoy! Soon."), "Enjoy!");
        let long = subject(&"주".repeat(200));
        assert_eq!((long.chars().count(), long.ends_with('…')), (LONGEST_SUBJECT, true));
    }
}
