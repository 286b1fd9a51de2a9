//! Every page, for everybody who has a use for it.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};

use crate::browser::{Browser, Page};
use crate::shops::street;

const PAGES: [(&str, &str); 12] = [
    ("customer", "/my"),
    ("customer", "/cafe"),
    ("customer", "/cinema"),
    ("customer", "/library"),
    ("customer", "/account"),
    ("staff", "/counter"),
    ("staff", "/library"),
    ("head_office", "/counter"),
    ("owner", "/board"),
    ("owner", "/cinema"),
    ("owner", "/counter"),
    ("operator", "/operations"),
];

/// The policy forbids them, so a page that has them would be broken.
fn has_nothing_inline(page: &Page) -> bool {
    let scripts = page.count("<script") == page.count("<script src=\"/assets/");
    scripts && ![" style=\"", "<style", " onclick=", " onload=", "javascript:"].iter().any(|inline| page.shows(inline))
}

#[tokio::test]
async fn every_page_answers_in_both_languages() {
    let (high_street, _data) = street().await;
    for (language, word) in [("ko", "동네 가게들의 뒷방"), ("en", "the back office of a high street")] {
        let welcome = Browser::at(&high_street.url()).speaking(language).get("/").await;
        assert!(welcome.shows(word) && has_nothing_inline(&welcome), "{}", welcome.body);
        for (role, path) in PAGES {
            let mut browser = Browser::at(&high_street.url()).speaking(language).signed_in(role, "Mina").await;
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{role} {path}: {}", page.body);
            assert!(page.shows(&format!("<html lang=\"{language}\">")) && page.shows(word), "{path}: {}", page.body);
            assert!(has_nothing_inline(&page), "{path}: {}", page.body);
            assert!(!page.shows("class=\"missing\""), "{path}: {}", page.body);
        }
    }
}

#[tokio::test]
async fn the_choice_of_a_language_is_kept() {
    let (high_street, _data) = street().await;
    let mut browser = Browser::at(&high_street.url()).speaking("ko").signed_in("customer", "Mina").await;
    let page = browser.get("/cafe").await;
    assert!(page.shows("카페 라테"), "{}", page.body);
    let switched = browser.fill_in("/cafe", "/lang", &[("lang", "en")]).await;
    assert_eq!(switched.location(), "/cafe");
    assert!(switched.headers[SET_COOKIE].to_str().unwrap().starts_with("lang=en; "));
    assert!(browser.get("/cafe").await.shows("Latte"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_shown_the_way_in_and_others_their_home() {
    let (high_street, _data) = street().await;
    for path in ["/my", "/counter", "/board", "/operations", "/cinema/soul", "/my/events"] {
        assert_eq!(Browser::at(&high_street.url()).get(path).await.location(), "/", "{path}");
    }
    let homes = [("customer", "/my"), ("staff", "/counter"), ("owner", "/board"), ("operator", "/operations")];
    for (role, home) in homes {
        let mut browser = Browser::at(&high_street.url()).signed_in(role, "Mina").await;
        assert_eq!(browser.get("/").await.location(), home);
        let out = browser.send("/sign-out", &[]).await;
        assert_eq!(out.location(), "/");
        assert_eq!(browser.get(home).await.location(), "/");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_names_that_change_with_them() {
    let (high_street, _data) = street().await;
    let mut browser = Browser::at(&high_street.url());
    let page = browser.get("/").await;
    assert_eq!(page.headers[CACHE_CONTROL], "no-store");
    for (prefix, kind) in [("/assets/console-", "text/css"), ("/assets/htmx-", "text/javascript")] {
        let start = page.body.find(prefix).unwrap();
        let path = page.body[start..].split('"').next().unwrap();
        let asset = browser.get(path).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert!(asset.headers[CONTENT_TYPE].to_str().unwrap().starts_with(kind));
        assert!(asset.headers[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(browser.get("/assets/console-0000000000000000.css").await.status, StatusCode::NOT_FOUND);
}

/// The door is the services' as before; but what a page of another site can have a browser send is no call.
#[tokio::test]
async fn pages_stand_beside_the_services_on_one_socket() {
    let (high_street, _data) = street().await;
    assert_eq!(high_street.notifications("skanu").await, []);
    let mut browser = Browser::at(&high_street.url());
    assert_eq!(browser.get("/nowhere").await.status, StatusCode::NOT_FOUND);
    let place_order = "/highstreet.ordering.v1.OrderingService/PlaceOrder";
    assert_eq!(browser.send(place_order, &[]).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
