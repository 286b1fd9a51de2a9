//! What visitors do in the shops, form by form.

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_wire::proto::ordering::ListOrdersRequest;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use http::StatusCode;
use http_body_util::BodyExt;
use tempfile::TempDir;

use crate::browser::{Browser, Page};
use crate::common::{HighStreet, eventually};

const MINA: &str = "010-1234-5678";

/// A street in this process, with its console.
pub(crate) async fn street() -> (HighStreet, TempDir) {
    let data = tempfile::tempdir().unwrap();
    (HighStreet::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await, data)
}

/// Waits until a page shows something.
pub(crate) async fn shown(browser: &Browser, path: &str, what: &str, found: impl Fn(&Page) -> bool) -> Page {
    eventually(what, || {
        let mut browser = browser.clone();
        let found = &found;
        async move { Some(browser.get(path).await).filter(|page| found(page)) }
    })
    .await
}

#[tokio::test]
async fn a_coffee_from_the_menu_to_the_door() {
    let (high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    let mut staff = Browser::at(&high_street.url()).signed_in("staff", "Juno").await;
    let ordered = mina.fill_in("/cafe", "/cafe", &[("latte", "2"), ("espresso", "1")]).await;
    assert_eq!(ordered.location(), "/my?done=ordered#orders");
    let my = mina.get(ordered.location()).await;
    assert!(my.shows("2 × Latte") && my.shows("₩12,000") && my.shows("Ordered."), "{}", my.body);

    assert!(mina.fill_in("/my", "/my/pay", &[]).await.location().contains("done=paid"));
    shown(&staff, "/counter", "the order is in the kitchen", |page| page.has_form("/counter/ready")).await;
    assert!(staff.fill_in("/counter", "/counter/ready", &[]).await.location().contains("done=ready"));
    shown(&staff, "/counter", "the delivery is due", |page| page.has_form("/counter/ship")).await;
    assert!(staff.fill_in("/counter", "/counter/ship", &[]).await.location().contains("done=shipped"));
    assert!(staff.fill_in("/counter", "/counter/deliver", &[]).await.location().contains("done=delivered"));
    // Every station is passed, and three drinks are three stamps.
    let my = shown(&mina, "/my", "the order is done", |page| page.count("<li class=\"past\"") == 5).await;
    assert!(!my.has_form("/my/orders/cancel") && my.shows("Order completed"), "{}", my.body);
    shown(&mina, "/my", "three stamps", |page| page.count("class=\"stamped\"") == 3).await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_does_it_once() {
    let (high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    let mut form = mina.get("/cafe").await.hidden("/cafe");
    form.push(("latte".into(), "1".into()));
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut again = mina.clone();
    let (one, other) = tokio::join!(mina.send("/cafe", &form), again.send("/cafe", &form));
    assert_eq!((one.location(), other.location()), ("/my?done=ordered#orders", "/my?done=ordered#orders"));
    let request = ListOrdersRequest { shop_id: "skanu".into(), ..ListOrdersRequest::default() };
    let orders = OrderingServiceClient::new(high_street.channel.clone()).list_orders(request).await.unwrap();
    assert_eq!(orders.into_inner().orders.len(), 1);
    // With something else in it, it is another order, and is asked about.
    let mut changed = form.clone();
    changed.push(("mocha", "1"));
    let refused = mina.send("/cafe", &changed).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.shows("sent before"), "{}", refused.body);
    assert_ne!(refused.hidden("/cafe"), mina.get("/cafe").await.hidden("/cafe"));
}

#[tokio::test]
async fn a_paid_order_is_called_off_from_my_page() {
    let (high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    mina.fill_in("/cafe", "/cafe", &[("mocha", "1")]).await.location();
    mina.fill_in("/my", "/my/pay", &[]).await.location();
    shown(&mina, "/my", "it is paid", |page| page.count("<li class=\"past\"") == 2).await;
    assert!(mina.fill_in("/my", "/my/orders/cancel", &[]).await.location().contains("done=cancelled"));
    let my = shown(&mina, "/my", "it is called off", |page| page.shows("broken") && page.shows("Refunded")).await;
    assert!(my.shows("badge bad"), "{}", my.body);
}

#[tokio::test]
async fn seats_first_and_the_same_seat_again() {
    let (high_street, _data) = street().await;
    let mut owner = Browser::at(&high_street.url()).signed_in("owner", "Kim").await;
    let film = [("movie_name", "Soul"), ("screening_id", "soul"), ("starts_at", "2026-11-21T19:30")];
    let hall = [("hall", "IMAX"), ("rows", "3"), ("seats_per_row", "4")];
    let opened = owner.fill_in("/cinema", "/cinema/screenings", &[&film[..], &hall].concat()).await;
    assert!(opened.location().contains("done=opened"));
    let posters = owner.get("/cinema").await;
    assert!(posters.shows("Soul") && posters.shows("11.21 19:30") && posters.shows("12 seats"), "{}", posters.body);

    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    let mut juno = Browser::at(&high_street.url()).signed_in("customer", "Juno").await;
    let nothing = mina.fill_in("/cinema/soul", "/cinema/soul/book", &[]).await;
    assert!(nothing.status == StatusCode::BAD_REQUEST && nothing.shows("Choose your seats"), "{}", nothing.body);
    let booked = mina.fill_in("/cinema/soul", "/cinema/soul/book", &[("seats", "1A"), ("seats", "1B")]).await;
    assert_eq!(booked.location(), "/my?done=booked#bookings");
    let map = juno.get("/cinema/soul?seats=1A&seats=1C").await;
    assert_eq!((map.count(" disabled"), map.count(" checked")), (2, 1), "{}", map.body);
    assert!(map.shows("Just taken by somebody else") && map.shows("<strong>1C</strong> · ₩12,000"), "{}", map.body);
    let taken = juno.fill_in("/cinema/soul", "/cinema/soul/book", &[("seats", "1A")]).await;
    assert!(taken.status == StatusCode::CONFLICT && taken.shows("that seat is taken"), "{}", taken.body);
    let my = shown(&mina, "/my", "the ticket is there", |page| page.count("<li class=\"past\"") == 3).await;
    assert!(my.shows("Soul · 1A 1B") && my.shows("₩24,000"), "{}", my.body);

    let mut staff = Browser::at(&high_street.url()).signed_in("staff", "Kim").await;
    assert!(staff.fill_in("/counter", "/counter/collect", &[]).await.location().contains("done=collected"));
    shown(&mina, "/my", "a hundred points", |page| page.shows(">100<")).await;
}

#[tokio::test]
async fn paid_first_and_seats_later() {
    let (high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    // A screening that nobody opened: the hall is there once it is asked for.
    let reserved = mina.send("/cinema/parasite/reserve", &[("quantity", "2"), ("request_id", "")]).await;
    assert_eq!(reserved.location(), "/my?done=reserved#bookings");
    mina.fill_in("/my", "/my/pay", &[]).await.location();
    let my = shown(&mina, "/my", "seats can be chosen", |page| page.shows("/cinema/parasite?booking=")).await;
    let path = my.body.split("href=\"").find(|link| link.starts_with("/cinema/parasite?")).unwrap();
    let path = path.split('"').next().unwrap();
    let too_few = mina.fill_in(path, "/cinema/parasite/choose", &[("seats", "5E")]).await;
    assert!(too_few.status == StatusCode::BAD_REQUEST && too_few.shows("as many seats"), "{}", too_few.body);
    let chosen = mina.fill_in(path, "/cinema/parasite/choose", &[("seats", "5E"), ("seats", "5F")]).await;
    assert_eq!(chosen.location(), "/my?done=booked#bookings");
    shown(&mina, "/my", "it is confirmed", |page| page.shows("parasite · 5E 5F")).await;
}

#[tokio::test]
async fn a_book_is_received_reserved_and_given_back() {
    let (high_street, _data) = street().await;
    let mut staff = Browser::at(&high_street.url()).signed_in("staff", "Kim").await;
    let book = [("product_name", "Almond"), ("sku", "almond"), ("quantity", "1")];
    assert!(staff.fill_in("/library", "/library/receive", &book).await.location().contains("done=received"));
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    shown(&mina, "/library", "the book is on the shelf", |page| page.shows("Almond")).await;
    mina.fill_in("/library", "/library/reserve", &[]).await.location();
    shown(&mina, "/library", "the last copy is gone", |page| page.shows("No copy left")).await;
    let my = shown(&mina, "/my", "it is confirmed", |page| page.count("<li class=\"past\"") == 2).await;
    assert!(my.shows("<h3>Almond</h3>"), "{}", my.body);
    assert!(mina.fill_in("/my", "/my/reservations/cancel", &[]).await.location().contains("done=cancelled"));
    shown(&mina, "/library", "the copy is back", |page| page.shows("<strong>1</strong> left")).await;
}

#[tokio::test]
async fn goods_are_ordered_shipped_sold_and_shown_on_the_board() {
    let (high_street, _data) = street().await;
    let mut owner = Browser::at(&high_street.url()).signed_in("owner", "Kim").await;
    let goods = [("sku", "milk"), ("product_name", "Milk"), ("quantity", "10"), ("unit_price", "1200")];
    assert!(owner.fill_in("/board", "/board/orders", &goods).await.location().contains("done=ordered"));
    let mut office = Browser::at(&high_street.url()).signed_in("head_office", "HQ").await;
    shown(&office, "/counter", "head office sees it", |page| page.has_form("/counter/ship")).await;
    assert!(!office.get("/counter").await.has_form("/counter/purchases"));
    office.fill_in("/counter", "/counter/ship", &[]).await.location();
    shown(&owner, "/board", "it is in stock", |page| page.shows("<strong>10</strong>")).await;

    let mut staff = Browser::at(&high_street.url()).signed_in("staff", "Juno").await;
    let sale = [("sku", "milk"), ("quantity", "7"), ("unit_price", "1800"), ("customer_name", "Mina")];
    assert!(staff.fill_in("/counter", "/counter/purchases", &sale).await.location().contains("done=purchased"));
    let low = |page: &Page| page.shows("<strong>3</strong>") && page.shows("badge bad\">Low") && page.shows("₩12,600");
    let board = shown(&owner, "/board", "little is left", low).await;
    assert_eq!(board.count("class=\"bar\""), 24);
    assert!(board.shows("height=\"96\"") && board.shows("sku=milk&amp;product_name=Milk"), "{}", board.body);
    let again = owner.get("/board?sku=milk&product_name=Milk&unit_price=1200").await;
    assert!(again.shows("value=\"milk\"") && again.shows("value=\"1200\""), "{}", again.body);
    staff.fill_in("/counter", "/counter/purchases/cancel", &[]).await.location();
    shown(&owner, "/board", "it came back", |page| page.shows("<strong>10</strong>")).await;
}

#[tokio::test]
async fn a_page_hears_at_once_what_happens() {
    let (high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", MINA).await;
    let mut news = mina.listen("/my/events").await;
    assert_eq!(next(&mut news).await, "event: changed\ndata: 1\n\n");
    mina.fill_in("/cafe", "/cafe", &[("latte", "1")]).await.location();
    assert_eq!(next(&mut news).await, "event: changed\ndata: 1\n\n");
}

async fn next(news: &mut hyper::body::Incoming) -> String {
    let frame = tokio::time::timeout(std::time::Duration::from_secs(10), news.frame()).await.unwrap();
    String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
}
