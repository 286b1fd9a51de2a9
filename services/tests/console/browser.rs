//! A browser without scripts: it keeps cookies, fills in forms, and says where they stood.

use std::collections::BTreeMap;

use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A browser, and who uses it.
#[derive(Clone)]
pub(crate) struct Browser {
    url: String,
    language: &'static str,
    cookies: BTreeMap<String, String>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What a browser shows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

// === impl Browser ===

impl Browser {
    pub(crate) fn at(url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { url: url.to_owned(), language: "en", cookies: BTreeMap::new(), client }
    }

    pub(crate) fn speaking(self, language: &'static str) -> Self {
        Self { language, ..self }
    }

    /// Walks in as somebody.
    pub(crate) async fn signed_in(mut self, role: &str, name: &str) -> Self {
        let answer = self.send("/sign-in", &[("role", role), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let response = self.ask(Method::GET, path, &[], "").await;
        self.read(response).await
    }

    /// Sends a form of this site's.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let origin = self.url.clone();
        self.send_from(path, fields, &[(ORIGIN.as_str(), &origin), ("sec-fetch-site", "same-origin")]).await
    }

    /// Sends a form, with these headers.
    pub(crate) async fn send_from(&mut self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let form = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let response = self.ask(Method::POST, path, headers, &form.collect::<Vec<_>>().join("&")).await;
        self.read(response).await
    }

    /// Fills in the first form on `page` that goes to `action`, and sends it with what it hides.
    pub(crate) async fn fill_in(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        let form = self.get(page).await.hidden(action);
        let hidden = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let hidden = hidden.filter(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        self.send(action, &all).await
    }

    /// Opens a stream of events.
    pub(crate) async fn listen(&mut self, path: &str) -> Incoming {
        let response = self.ask(Method::GET, path, &[], "").await;
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        response.into_body()
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], form: &str) -> http::Response<Incoming> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = path.split('#').next().unwrap_or(path);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(ACCEPT_LANGUAGE, self.language)
            .header(COOKIE, cookies.join("; "))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.request(request.body(Full::from(form.to_owned())).unwrap()).await.unwrap()
    }

    async fn read(&mut self, response: http::Response<Incoming>) -> Page {
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), rest.split(';').next().unwrap().into());
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, body }
    }
}

// === impl Page ===

impl Page {
    /// Where the browser is sent.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[LOCATION].to_str().unwrap()
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    pub(crate) fn count(&self, text: &str) -> usize {
        self.body.matches(text).count()
    }

    pub(crate) fn has_form(&self, action: &str) -> bool {
        self.shows(&format!("action=\"{action}\""))
    }

    /// What the first form that goes to `action` sends without being filled in.
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let start = self.body.find(&format!("action=\"{action}\""));
        let start = start.unwrap_or_else(|| panic!("no form goes to {action} in {}", self.body));
        let form = self.body[start..].split("</form>").next().unwrap();
        let hidden = form.split("<input type=\"hidden\" ").skip(1);
        hidden.map(|field| (attribute(field, "name"), attribute(field, "value"))).collect()
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split_once(&format!("{name}=\"")).unwrap().1;
    value.split('"').next().unwrap().to_owned()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
