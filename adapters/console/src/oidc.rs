//! Signing in at an OpenID provider: the authorization code flow with PKCE, by discovery.
//!
//! The ID token comes straight from the provider over TLS, which vouches for it (OpenID Connect Core 1.0, 3.1.3.7): its
//! issuer, audience, nonce and times are checked here, its signature is not. What goes along with calls is the access
//! token, and the services check that one in full.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use form_urlencoded::{Serializer, byte_serialize};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::fields::Fields;
use crate::token;
use crate::visit::Who;

/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any provider says.
const MOST_BYTES: usize = 256 * 1024;
/// How far its clock may differ from ours, in seconds.
const LEEWAY: u64 = 60;

/// A provider, and who this console is to it.
#[derive(Clone, Copy)]
pub(crate) struct Provider<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    /// Where the provider sends visitors back to, in full.
    pub(crate) redirect: &'a str,
}

/// What is remembered of a visitor who is at the provider.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Journey {
    state: String,
    nonce: String,
    /// What PKCE's challenge was made of.
    verifier: String,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub(crate) struct NotSignedIn(pub(crate) String);

/// Where the provider wants to be asked.
struct Endpoints {
    authorization: String,
    token: String,
    /// Whether the secret is sent in the form, not in a header.
    secret_in_form: bool,
}

// === impl Provider ===

impl Provider<'_> {
    /// Where to send a visitor, and what to remember of them.
    pub(crate) async fn begin(self) -> Result<(String, Journey), NotSignedIn> {
        let endpoints = self.discover().await?;
        let journey = Journey { state: random(), nonce: random(), verifier: random() };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&journey.verifier));
        let asked = [
            ("response_type", "code"),
            ("scope", "openid profile phone"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect),
            ("state", &journey.state),
            ("nonce", &journey.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let mark = if endpoints.authorization.contains('?') { '&' } else { '?' };
        let asked = Serializer::new(String::new()).extend_pairs(asked).finish();
        Ok((format!("{}{mark}{asked}", endpoints.authorization), journey))
    }

    /// Who has come back with this answer. `journey` is what was remembered of them.
    pub(crate) async fn end(self, answer: &Fields, journey: &Journey) -> Result<Who, NotSignedIn> {
        if answer.get("state") != journey.state || journey.state.is_empty() {
            return Err(not("this answer is not to what was asked from this browser; sign in again"));
        }
        if let Some(issuer) = answer.find("iss").filter(|issuer| *issuer != self.issuer) {
            return Err(not(format!("{issuer} answered, not {}", self.issuer)));
        }
        if let Some(error) = answer.find("error") {
            return Err(not(format!("the provider says {error}: {}", answer.get("error_description"))));
        }
        let tokens = self.redeem(answer.get("code"), &journey.verifier).await?;
        let claims =
            tokens["id_token"].as_str().and_then(claims).ok_or_else(|| not("the provider sent no ID token"))?;
        self.check(&claims, &journey.nonce, seconds_now())?;
        let access = tokens["access_token"].as_str().unwrap_or_default();
        token::read(access).ok_or_else(|| {
            not("the provider's access token is no JSON Web Token of at most 3800 letters that names its subject; \
                 services could not check it")
        })
    }

    /// Whether an ID token is of this provider, for this console, about this visit, and of now.
    fn check(self, claims: &Value, nonce: &str, now: u64) -> Result<(), NotSignedIn> {
        let is = |claim: &Value, wanted: &str| claim.as_str() == Some(wanted);
        let audience = &claims["aud"];
        let many = audience.as_array().map_or(&[][..], Vec::as_slice);
        let alone = many.len() < 2 || is(&claims["azp"], self.client_id);
        let for_us = is(audience, self.client_id) || many.iter().any(|one| is(one, self.client_id)) && alone;
        let wrong = if !is(&claims["iss"], self.issuer) {
            "is another issuer's"
        } else if !for_us {
            "is for somebody else"
        } else if !is(&claims["nonce"], nonce) {
            "belongs to another visit"
        } else if claims["exp"].as_u64().is_none_or(|end| end + LEEWAY < now) {
            "has expired"
        } else {
            return Ok(());
        };
        Err(not(format!("the ID token {wrong}; sign in again")))
    }

    async fn discover(self) -> Result<Endpoints, NotSignedIn> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let told = ask(Request::get(guarded(&url)?), String::new()).await?;
        if told["issuer"].as_str() != Some(self.issuer) {
            return Err(not(format!("{url} is not about {}; the issuer must be written as it is there", self.issuer)));
        }
        let endpoint = |name: &str| {
            let url = told[name].as_str().ok_or_else(|| not(format!("{url} names no {name}")))?;
            guarded(url).map(|_| url.to_owned())
        };
        let ways = told["token_endpoint_auth_methods_supported"].as_array();
        let secret_in_form = ways.is_some_and(|ways| !ways.iter().any(|way| way == "client_secret_basic"));
        Ok(Endpoints {
            authorization: endpoint("authorization_endpoint")?,
            token: endpoint("token_endpoint")?,
            secret_in_form,
        })
    }

    /// The tokens that a code is good for.
    async fn redeem(self, code: &str, verifier: &str) -> Result<Value, NotSignedIn> {
        let endpoints = self.discover().await?;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect),
            ("code_verifier", verifier),
        ];
        let mut request = Request::post(guarded(&endpoints.token)?);
        if endpoints.secret_in_form {
            fields.extend([("client_id", self.client_id), ("client_secret", self.client_secret)]);
        } else {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(self.client_id), encoded(self.client_secret));
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
        }
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        ask(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded"), form).await
    }
}

/// An address that nobody else can listen at: TLS, or this machine.
fn guarded(url: &str) -> Result<Uri, NotSignedIn> {
    let uri: Uri = url.parse().map_err(|_| not(format!("{url} is no address")))?;
    let here = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if uri.scheme_str() == Some("https") || here && uri.scheme_str() == Some("http") {
        Ok(uri)
    } else {
        Err(not(format!("{url} must begin with https://")))
    }
}

async fn ask(request: http::request::Builder, body: String) -> Result<Value, NotSignedIn> {
    let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = request.header(ACCEPT, "application/json").body(Full::new(axum::body::Bytes::from(body)));
    let request = request.map_err(|error| not(error.to_string()))?;
    let asking = async {
        let answer = client.request(request).await.map_err(|error| format!("it does not answer: {error}"))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await.map_err(|error| error.to_string())?;
        let told: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        if status.is_success() { Ok(told) } else { Err(format!("it answers {status}, {}", told["error"])) }
    };
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    let answer = answer.unwrap_or_else(|_| Err("it does not answer in time".into()));
    answer.map_err(|why| not(format!("the provider cannot be asked: {why}; try again")))
}

/// What the middle part of a token says.
fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()
}

/// 244 bits that nobody can guess.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[allow(clippy::disallowed_methods, reason = "a token's times are those of the world")]
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}

fn not(why: impl Into<String>) -> NotSignedIn {
    NotSignedIn(why.into())
}

// === impl Journey ===

impl Journey {
    /// For a cookie.
    pub(crate) fn written(&self) -> String {
        let pairs = [("state", &self.state), ("nonce", &self.nonce), ("verifier", &self.verifier)];
        Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    pub(crate) fn read(written: &str) -> Self {
        let fields = Fields::read(written.as_bytes());
        let part = |name: &str| fields.get(name).to_owned();
        Self { state: part("state"), nonce: part("nonce"), verifier: part("verifier") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROVIDER: Provider<'_> =
        Provider { issuer: "https://id.example", client_id: "console", client_secret: "s", redirect: "" };

    #[test]
    fn an_id_token_is_of_the_provider_for_us_about_this_visit_and_of_now() {
        let good = json!({ "iss": "https://id.example", "aud": "console", "nonce": "n", "exp": 1000 });
        assert!(PROVIDER.check(&good, "n", 1000 + LEEWAY).is_ok());
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            PROVIDER.check(&claims, "n", 900).is_ok()
        };
        assert!(with("aud", json!(["console"])));
        assert!(!with("iss", json!("https://evil.example")));
        assert!(!with("aud", json!("other")) && !with("aud", json!(["other", "console"])));
        assert!(!with("nonce", json!("m")) && !with("nonce", Value::Null));
        assert!(!with("exp", json!(100)) && !with("exp", Value::Null));
    }

    #[test]
    fn providers_are_asked_where_nobody_listens() {
        assert!(guarded("https://id.example/token").is_ok() && guarded("http://127.0.0.1:1/token").is_ok());
        for open in ["http://id.example/token", "http://127.0.0.1.evil.example/", "ftp://localhost", "token"] {
            assert!(guarded(open).is_err(), "{open}");
        }
    }

    #[test]
    fn a_journey_is_remembered() {
        let journey = Journey { state: random(), nonce: random(), verifier: random() };
        assert!(journey.verifier.len() >= 43, "as RFC 7636 wants it");
        assert_eq!(Journey::read(&journey.written()), journey);
        assert_ne!(journey.state, journey.nonce);
    }
}
