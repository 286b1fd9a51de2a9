//! Signing in with a token: it is kept where no script reads it, and goes along with every call.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highstreet_console::{ConsoleSettings, SignIn, Way, router};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tonic::Status;
use tower::ServiceExt;

/// What came along with each call.
type Heard = Arc<Mutex<Vec<Option<String>>>>;

/// A console before services that refuse everything.
fn console() -> (Router, Heard) {
    let heard = Heard::default();
    let ears = heard.clone();
    let way = Way::new(tower::service_fn(move |request: Request<tonic::body::Body>| {
        let token = request.headers().get(AUTHORIZATION).map(|token| token.to_str().unwrap().to_owned());
        ears.lock().unwrap().push(token);
        async { Ok::<_, Infallible>(Status::unauthenticated("the token has expired").into_http()) }
    }));
    (router(way, ConsoleSettings { sign_in: SignIn::Token }), heard)
}

async fn sign_in(console: &Router, token: &str) -> Response {
    let request = Request::post("https://shop.example/sign-in")
        .header(ORIGIN, "https://shop.example")
        .header("host", "shop.example")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={token}")));
    console.clone().oneshot(request.unwrap()).await.unwrap()
}

async fn get(console: &Router, path: &str, cookie: &str) -> (StatusCode, String) {
    let request = Request::get(path).header(COOKIE, cookie).body(Body::empty()).unwrap();
    let response = console.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

fn token() -> String {
    let claims = r#"{"sub":"kim","roles":["owner"],"shops":["*"]}"#;
    format!("eyJhbGciOiJFUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
}

#[tokio::test]
async fn a_token_is_kept_from_scripts_and_sent_with_every_call() {
    let (console, heard) = console();
    let token = token();
    let answer = sign_in(&console, &token).await;
    assert_eq!((answer.status(), answer.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/board"));
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with(&format!("__Host-token={token}; ")), "{cookie}");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");

    let (status, page) = get(&console, "/board", &format!("__Host-token={token}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("kim") && page.contains("the token has expired"), "{page}");
    assert!(!page.contains(&token), "a page shows nobody's token: {page}");
    let heard = heard.lock().unwrap();
    assert!(heard.len() >= 2 && heard.iter().all(|it| it.as_deref() == Some(&format!("Bearer {token}"))), "{heard:?}");
}

#[tokio::test]
async fn what_is_no_token_signs_nobody_in() {
    let (console, heard) = console();
    let answer = sign_in(&console, "not-a-token").await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(!answer.headers().contains_key(SET_COOKIE));
    // Nor does what is believed where anybody may be anybody.
    let (status, _) = get(&console, "/board", "visitor=role=owner&name=kim").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(heard.lock().unwrap().len(), 0);
}
