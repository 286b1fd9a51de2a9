//! What keeps visitors safe from others, and pages from visitors.

use http::StatusCode;
use http::header::SET_COOKIE;

use crate::browser::Browser;
use crate::shops::street;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[tokio::test]
async fn every_answer_tells_the_browser_what_pages_may_do() {
    let (high_street, _data) = street().await;
    let mut browser = Browser::at(&high_street.url()).signed_in("customer", "Mina").await;
    for path in ["/", "/my", "/cafe", "/assets/none"] {
        let headers = browser.get(path).await.headers;
        assert_eq!(headers["content-security-policy"], POLICY, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
    }
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let (high_street, _data) = street().await;
    let mut browser = Browser::at(&high_street.url()).signed_in("customer", "010-1111-2222").await;
    let mut form = browser.get("/cafe").await.hidden("/cafe");
    form.push(("latte".into(), "2".into()));
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let url = high_street.url();
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        // The browser's word counts, whatever the origin says.
        &[("sec-fetch-site", "same-site"), ("origin", &url)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ];
    for headers in foreign {
        let refused = browser.send_from("/cafe", &form, headers).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert!(browser.get("/my").await.shows("No orders yet"));
    // The same form from this site is another matter.
    let answer = browser.send_from("/cafe", &form, &[("origin", &url)]).await;
    assert!(answer.location().starts_with("/my"));
}

#[tokio::test]
async fn cookies_are_for_this_server_and_no_script() {
    let (high_street, _data) = street().await;
    let url = high_street.url();
    let fields = [("role", "owner"), ("name", "Kim")];
    let plain = Browser::at(&url).send("/sign-in", &fields).await;
    for cookie in plain.headers.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && cookie.contains("; Path=/;"), "{cookie}");
        assert!(!cookie.starts_with("__Host-"), "{cookie}");
    }
    let headers = [("origin", url.as_str()), ("x-forwarded-proto", "https")];
    let over_tls = Browser::at(&url).send_from("/sign-in", &fields, &headers).await;
    for cookie in over_tls.headers.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
    }
}

#[tokio::test]
async fn what_people_call_themselves_is_text_on_every_page() {
    let (high_street, _data) = street().await;
    let nasty = "<script>alert('x')</script>\"><img src=x>";
    let mut visitor = Browser::at(&high_street.url()).signed_in("customer", nasty).await;
    visitor.send("/cinema/soul/book", &[("seats", "1A")]).await.location();
    visitor.send("/library/reserve", &[("book_id", "<b>almond</b>")]).await.location();
    let mut staff = Browser::at(&high_street.url()).signed_in("staff", nasty).await;
    let counter = crate::common::eventually("the ticket is at the counter", || {
        let mut staff = staff.clone();
        async move { Some(staff.get("/counter").await).filter(|page| page.has_form("/counter/collect")) }
    })
    .await;
    let wrong = staff.send("/library/receive", &[("product_name", nasty), ("sku", ""), ("quantity", nasty)]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let my = visitor.get("/my").await;
    let account = visitor.get("/account").await;
    for page in [counter, wrong, my, account] {
        assert!(page.shows("&lt;script&gt;alert"), "{}", page.body);
        assert!(!page.shows("<script>") && !page.shows("<img") && !page.shows("<b>almond"), "{}", page.body);
    }
}

#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    let (high_street, _data) = street().await;
    let mut browser = Browser::at(&high_street.url());
    for back in ["//evil.example/", "https://evil.example/", "/\\evil.example"] {
        assert_eq!(browser.send("/lang", &[("lang", "en"), ("back", back)]).await.location(), "/");
    }
}
