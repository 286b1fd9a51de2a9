//! Messages to a gateway, by signed POST.

use std::fmt;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::kernel::{Reference, Unanswered};
use highstreet_domain::notification::{Notifier, Refused, Sending};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant};

use crate::{Secret, WebhookUrl, chain};

/// How much of an answer is read.
const MOST_ANSWER_BYTES: usize = 16 * 1024;
/// How much of an answer an operator is shown.
const MOST_ANSWER_CHARS: usize = 200;

/// POSTs each message as JSON to one URL, signed by the Standard Webhooks convention; `webhook-id` is the same for
/// every attempt at a message.
pub struct Webhook {
    url: WebhookUrl,
    settings: WebhookSettings,
    clock: Arc<dyn Clock>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    turns: Semaphore,
}

/// How webhooks are called.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// What they are signed with.
    pub secret: Secret,
    /// How long a message waits for its turn, and how long a call may then take.
    pub timeout: Duration,
    /// How many calls are made at a time.
    pub concurrency: NonZeroU16,
}

/// A message as the gateway reads it.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    shop_id: &'a str,
    role: &'static str,
    recipient: &'a str,
    event: &'a str,
    root: &'a Reference,
    locale: &'static str,
    text: &'a str,
}

// === impl Webhook ===

#[async_trait]
impl Notifier for Webhook {
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered> {
        let Ok(_turn) = time::timeout(self.settings.timeout, self.turns.acquire()).await else {
            return Err(Unanswered::not_sent(self.say("too many calls are waiting for answers")));
        };
        let deadline = Instant::now() + self.settings.timeout;
        let response = match time::timeout_at(deadline, self.client.request(self.request(sending))).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => return Err(Unanswered::not_sent(self.say(&chain(&error)))),
            Ok(Err(error)) => return Err(Unanswered::unknown(self.say(&chain(&error)))),
            Err(_) => return Err(Unanswered::unknown(self.say("no answer in time"))),
        };
        let status = response.status();
        // Whatever becomes of the rest, the answer is known. A body that was read leaves its connection reusable.
        let rest = time::timeout_at(deadline, excerpt(response.into_body())).await.unwrap_or_default();
        self.verdict(status, &rest)
    }
}

impl Webhook {
    /// A webhook that goes to `url`.
    pub fn new(url: WebhookUrl, settings: WebhookSettings, clock: Arc<dyn Clock>) -> Self {
        let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
        let turns = Semaphore::new(settings.concurrency.get().into());
        Self { url, settings, clock, client, turns }
    }

    fn request(&self, sending: &Sending) -> Request<Full<Bytes>> {
        let body = body(sending);
        let id = sending.key.uuid().to_string();
        let timestamp = self.clock.now().as_micros().div_euclid(1_000_000).to_string();
        let signature = self.settings.secret.sign(&id, &timestamp, &body);
        Request::post(self.url.uri())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("highstreet/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(Full::from(body))
            .expect("the URL was parsed, and all headers are ASCII")
    }

    /// What an answer means: taken, not taken for now, or never.
    fn verdict(&self, status: StatusCode, rest: &str) -> Result<Result<(), Refused>, Unanswered> {
        let said = || self.say(format!("answered {status} {rest}").trim_end());
        match status {
            _ if status.is_success() => Ok(Ok(())),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Err(Unanswered::unknown(said()))
            }
            _ if status.is_server_error() => Err(Unanswered::unknown(said())),
            _ => Ok(Err(Refused(said()))),
        }
    }

    fn say(&self, what: &str) -> String {
        format!("{}: {what}", self.url.authority())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("url", &self.url).field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn body(sending: &Sending) -> Vec<u8> {
    let letter = &sending.letter;
    let body = Body {
        id: &sending.id,
        shop_id: letter.case.shop.as_str(),
        role: letter.recipient.role.as_str(),
        recipient: &letter.recipient.name,
        event: &letter.event,
        root: &letter.case.root,
        locale: letter.locale.as_str(),
        text: &letter.text,
    };
    serde_json::to_vec(&body).expect("strings can always be written as JSON")
}

/// The beginning of an answer, in one line; empty if it cannot be read.
async fn excerpt(body: Incoming) -> String {
    let bytes = Limited::new(body, MOST_ANSWER_BYTES).collect().await.map(Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_ANSWER_CHARS).collect()
}

// === impl WebhookSettings ===

impl WebhookSettings {
    /// Signed with `secret`; 5 seconds, and 32 calls at a time.
    pub const fn new(secret: Secret) -> Self {
        let concurrency = NonZeroU16::new(32).expect("32 is not 0");
        Self { secret, timeout: Duration::from_secs(5), concurrency }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use highstreet_domain::kernel::Outage;

    use super::*;
    use crate::tests::{a_sending, clock, settings};

    #[tokio::test]
    async fn a_message_whose_turn_does_not_come_is_not_sent() {
        let settings = WebhookSettings { timeout: Duration::from_millis(10), ..settings() };
        let webhook = Webhook::new("http://127.0.0.1:9/".parse().unwrap(), settings, clock());
        let _busy = webhook.turns.acquire_many(32).await.unwrap();
        assert_eq!(webhook.send(&a_sending()).await.unwrap_err().outage, Outage::NotSent);
    }
}
