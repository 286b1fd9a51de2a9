//! A plain HTTP client.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Speaks HTTP/1.1 with one server.
#[derive(Clone)]
pub(crate) struct Web {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request in the making.
pub(crate) struct Ask<'a> {
    web: &'a Web,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

// === impl Web ===

impl Web {
    pub(crate) fn new(base: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { base: base.into(), client }
    }

    pub(crate) fn ask(&self, method: Method, path: impl Into<String>) -> Ask<'_> {
        Ask { web: self, method, path: path.into(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl Into<String>, json: Value) -> Ask<'_> {
        self.ask(Method::POST, path).with("content-type", "application/json").body(json.to_string())
    }
}

// === impl Ask ===

impl Ask<'_> {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The beginning of the answer.
    pub(crate) async fn begin(self) -> Response<Incoming> {
        let mut request = Request::builder().method(self.method).uri(format!("{}{}", self.web.base, self.path));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        self.web.client.request(request.body(Full::new(self.body)).unwrap()).await.unwrap()
    }

    /// All of it.
    pub(crate) async fn send(self) -> Answer {
        let (parts, body) = self.begin().await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// What it says, which must not be an error.
    pub(crate) async fn ok(self) -> Value {
        let answer = self.send().await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What the error says to programs: the HTTP status, the code, the reason.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let json = self.json();
        let error = &json["error"];
        assert_eq!(error["code"], self.status.as_u16(), "{error}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
        let detail = |kind: &str| {
            let wanted = format!("type.googleapis.com/google.rpc.{kind}");
            error["details"].as_array().unwrap().iter().find(|it| it["@type"] == wanted.as_str())
        };
        let info = detail("ErrorInfo").unwrap_or_else(|| panic!("no ErrorInfo: {error}"));
        assert_eq!(info["domain"], "highstreet.dev");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (self.status.as_u16(), text(&error["status"]), text(&info["reason"]))
    }

    /// The fields that an error says are wrong.
    pub(crate) fn bad_fields(&self) -> Vec<String> {
        assert_eq!(self.refusal(), (400, "INVALID_ARGUMENT".into(), "INVALID_REQUEST".into()));
        let json = self.json();
        let details = json["error"]["details"].as_array().unwrap();
        let bad = details.iter().find(|it| it["@type"] == "type.googleapis.com/google.rpc.BadRequest");
        let violations = bad.map(|it| it["fieldViolations"].as_array().unwrap().clone()).unwrap_or_default();
        violations.iter().map(|it| it["field"].as_str().unwrap().to_owned()).collect()
    }
}
