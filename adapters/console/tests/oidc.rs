//! Signing in at an OpenID provider, which is played here on a socket of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use highstreet_console::{ConsoleSettings, SignIn, Way, router};
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonic::Status;
use tower::ServiceExt;

const REDIRECT: &str = "https://shop.example/sign-in/answer";
const ACCESS: &str = r#"{"sub":"kim","roles":["owner"]}"#;

/// What is asked at the token endpoint.
type Asked = (HeaderMap, HashMap<String, String>);

/// What the provider is asked at its token endpoint, and what it puts into ID tokens instead of what is right.
#[derive(Clone, Default)]
struct Provider {
    url: Arc<Mutex<String>>,
    redeemed: Arc<Mutex<Vec<Asked>>>,
    nonce: Arc<Mutex<String>>,
    lies: Arc<Mutex<HashMap<&'static str, Value>>>,
}

// === impl Provider ===

impl Provider {
    async fn open() -> Self {
        let provider = Self::default();
        let (told, redeems) = (provider.clone(), provider.clone());
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(async move || told.described()))
            .route("/token", post(async move |headers: HeaderMap, body: Bytes| redeems.redeem(headers, &body)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        *provider.url.lock().unwrap() = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    fn url(&self) -> String {
        self.url.lock().unwrap().clone()
    }

    fn lie(&self, about: &'static str, value: Value) {
        *self.lies.lock().unwrap() = HashMap::from([(about, value)]);
    }

    fn described(&self) -> String {
        let url = self.url();
        json!({ "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token") })
            .to_string()
    }

    fn redeem(&self, headers: HeaderMap, body: &[u8]) -> String {
        self.redeemed.lock().unwrap().push((headers, form_urlencoded::parse(body).into_owned().collect()));
        let nonce = self.nonce.lock().unwrap().clone();
        let mut claims =
            json!({ "iss": self.url(), "aud": "console", "nonce": nonce, "exp": 4_000_000_000_u64, "sub": "kim" });
        for (about, value) in self.lies.lock().unwrap().iter() {
            claims[*about] = value.clone();
        }
        json!({ "access_token": token(ACCESS), "token_type": "Bearer", "id_token": token(&claims.to_string()) })
            .to_string()
    }

    fn console(&self) -> Router {
        let way = Way::new(tower::service_fn(|_: Request<tonic::body::Body>| async {
            Ok::<_, Infallible>(Status::unavailable("nobody is here").into_http())
        }));
        let sign_in = SignIn::Oidc {
            issuer: self.url(),
            client_id: "console".into(),
            client_secret: "s3cret:with/signs".into(),
            redirect: REDIRECT.into(),
        };
        assert!(!format!("{sign_in:?}").contains("s3cret"));
        router(way, ConsoleSettings { sign_in })
    }

    /// Sends a visitor here: what they are asked, and the cookie they come with.
    async fn begin(&self, console: &Router) -> (HashMap<String, String>, String) {
        let answer = ask(console, "/sign-in/start", "").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let there = answer.headers()[LOCATION].to_str().unwrap();
        let asked = there.strip_prefix(&format!("{}/authorize?", self.url())).unwrap();
        let asked: HashMap<String, String> = form_urlencoded::parse(asked.as_bytes()).into_owned().collect();
        self.nonce.lock().unwrap().clone_from(&asked["nonce"]);
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.starts_with("__Host-signing-in=") && cookie.contains("HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        (asked, cookie.split(';').next().unwrap().to_owned())
    }
}

async fn ask(console: &Router, path: &str, cookie: &str) -> Response {
    let request = Request::get(path).header(COOKIE, cookie).body(Body::empty()).unwrap();
    console.clone().oneshot(request).await.unwrap()
}

fn token(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_visitor_signs_in_at_the_provider_and_comes_back() {
    let provider = Provider::open().await;
    let console = provider.console();
    let (asked, cookie) = provider.begin(&console).await;
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", "console"));
    assert_eq!((asked["redirect_uri"].as_str(), asked["code_challenge_method"].as_str()), (REDIRECT, "S256"));
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));

    let answer = ask(&console, &format!("/sign-in/answer?code=c0de&state={}", asked["state"]), &cookie).await;
    assert_eq!((answer.status(), answer.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/board"));
    let cookies: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().map(|it| it.to_str().unwrap()).collect();
    assert!(cookies[0].starts_with(&format!("__Host-token={}; ", token(ACCESS))), "{cookies:?}");
    assert!(cookies[1].starts_with("__Host-signing-in=; ") && cookies[1].contains("Max-Age=0"), "{cookies:?}");

    let redeemed = provider.redeemed.lock().unwrap();
    let (headers, form) = &redeemed[0];
    let basic = STANDARD.encode("console:s3cret%3Awith%2Fsigns");
    assert_eq!(headers[AUTHORIZATION], format!("Basic {basic}"));
    assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("c0de", REDIRECT));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    assert_eq!(challenge, asked["code_challenge"]);
    assert!(!form.contains_key("client_secret"));
}

#[tokio::test]
async fn an_answer_to_another_browser_signs_nobody_in() {
    let provider = Provider::open().await;
    let console = provider.console();
    let (asked, cookie) = provider.begin(&console).await;
    let (of_other, _) = provider.begin(&console).await;
    let answers = [
        (format!("code=c&state={}", of_other["state"]), cookie.as_str()),
        ("code=c".into(), cookie.as_str()),
        (format!("code=c&state={}", asked["state"]), ""),
        ("code=c&state=".into(), ""),
        (format!("code=c&state={}&iss=https://evil.example", asked["state"]), cookie.as_str()),
        (format!("error=access_denied&state={}", asked["state"]), cookie.as_str()),
    ];
    for (answer, cookie) in answers {
        let refused = ask(&console, &format!("/sign-in/answer?{answer}"), cookie).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{answer}");
        assert!(!refused.headers().contains_key(SET_COOKIE), "{answer}");
    }
    assert_eq!(provider.redeemed.lock().unwrap().len(), 0, "no code was given away");
}

#[tokio::test]
async fn an_id_token_that_is_not_for_this_visit_signs_nobody_in() {
    let provider = Provider::open().await;
    let console = provider.console();
    let lies = [
        ("nonce", json!("another")),
        ("aud", json!("another")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(1_000_000)),
    ];
    for (about, value) in lies {
        let (asked, cookie) = provider.begin(&console).await;
        provider.lie(about, value);
        let refused = ask(&console, &format!("/sign-in/answer?code=c&state={}", asked["state"]), &cookie).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{about}");
        assert!(text(refused).await.contains("the ID token"), "{about}");
    }
}

#[tokio::test]
async fn a_provider_that_is_somebody_else_is_not_believed() {
    let provider = Provider::open().await;
    let console = provider.console();
    *provider.url.lock().unwrap() = "https://evil.example".into();
    let refused = ask(&console, "/sign-in/start", "").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(text(refused).await.contains("the issuer must be written as it is there"));
    assert!(text(ask(&console, "/", "").await).await.contains("href=\"/sign-in/start\""));
}
