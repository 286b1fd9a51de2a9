//! Streams, as a browser and as a script read them.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::client::Web;
use crate::common::HighStreet;
use crate::street::{Gateway, order, text};

/// The text of a stream, block by block.
struct Blocks {
    body: Incoming,
    read: String,
    end: &'static str,
}

impl Blocks {
    /// The next block, which ends with `end`; `None` after the last.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.find(self.end) {
                let rest = self.read.split_off(at + self.end.len());
                let mut block = std::mem::replace(&mut self.read, rest);
                block.truncate(at);
                return Some(block);
            }
            let frame = self.body.frame().await?.unwrap();
            self.read.push_str(std::str::from_utf8(frame.data_ref()?).unwrap());
        }
    }

    /// The next event that is not just a sign of life: its fields.
    async fn event(&mut self) -> Vec<(String, String)> {
        loop {
            let block = self.next().await.expect("one more event");
            let fields = block.lines().filter_map(|line| line.split_once(':'));
            let fields: Vec<_> = fields.filter(|(name, _)| !name.is_empty()).collect();
            if !fields.is_empty() {
                return fields.iter().map(|(name, value)| ((*name).into(), value.trim_start().into())).collect();
            }
        }
    }
}

fn field<'a>(event: &'a [(String, String)], name: &str) -> Option<&'a str> {
    event.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
}

async fn events(web: &Web, last: Option<&str>) -> Blocks {
    let mut ask = web.get("/v1/shops/skanu/traces:watch").with("accept", "text/event-stream");
    if let Some(last) = last {
        ask = ask.with("last-event-id", last);
    }
    let (parts, body) = ask.begin().await.into_parts();
    assert_eq!(parts.status, 200);
    assert_eq!(parts.headers["content-type"], "text/event-stream");
    assert_eq!(parts.headers["cache-control"], "no-cache");
    Blocks { body, read: String::new(), end: "\n\n" }
}

/// The id of the first event in which the order's trace has come to `status`.
async fn watched(blocks: &mut Blocks, status: &str) -> String {
    loop {
        let event = blocks.event().await;
        let trace: Value = serde_json::from_str(field(&event, "data").unwrap()).unwrap();
        assert_eq!(trace["cursor"], field(&event, "id").unwrap());
        if trace["trace"]["status"] == status {
            return field(&event, "id").unwrap().to_owned();
        }
    }
}

/// CAFE-F5, CAP-10: a browser follows the progress by server-sent events, through the gateway; cut off, it goes on
/// behind the last event that it saw.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_by_events_is_taken_up_where_it_was_left() {
    let street = HighStreet::open().await;
    let gateway = Gateway::before(&street.url()).await;
    let web = Web::new(&gateway.url);
    let mut watching = events(&web, None).await;
    let placed = order(&web).await;
    let last = watched(&mut watching, "ORDERED").await;
    drop(watching);
    web.post(format!("/v1/payments/{}:pay", text(&placed, "paymentId")), json!({"method": 1})).ok().await;
    let mut again = events(&web, Some(&last)).await;
    assert_ne!(watched(&mut again, "PAID").await, last);
    // A browser that comes back repeats its first query; what it saw last goes before that.
    let stale = web.get("/v1/shops/skanu/traces:watch?since=nonsense").with("last-event-id", last);
    assert_eq!(stale.with("accept", "text/event-stream").begin().await.status(), 200);
}

/// CAP-10: a script reads one object a line.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_by_lines_is_one_object_a_line() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let (parts, body) = web.get("/v1/shops/skanu/notifications:watch").begin().await.into_parts();
    assert_eq!(parts.headers["content-type"], "application/x-ndjson");
    order(&web).await;
    let mut lines = Blocks { body, read: String::new(), end: "\n" };
    let line: Value = serde_json::from_str(&lines.next().await.unwrap()).unwrap();
    assert_eq!(line["notification"]["shopId"], "skanu");
}

/// CAP-10: what cannot begin is an error as any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_cannot_begin_is_refused() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let bad = web.get("/v1/shops/skanu/traces:watch?since=nonsense").with("accept", "text/event-stream").send().await;
    assert_eq!(bad.bad_fields(), ["since"]);
}
