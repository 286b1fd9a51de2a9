//! What visitors are told when something does not work.

use highstreet::ContextName;
use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_domain::kernel::ports::Bus;
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_sqlite::EmbeddedBus;
use highstreet_wire::proto::ordering::OrderPaid;
use http::StatusCode;
use http::header::RETRY_AFTER;
use prost::Message as _;
use uuid::Uuid;

use crate::browser::{Browser, Page};
use crate::common::HighStreet;
use crate::shops::{shown, street};

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_at_the_field() {
    let (high_street, _data) = street().await;
    let mut owner = Browser::at(&high_street.url()).signed_in("owner", "Kim").await;
    let goods = [("sku", "milk"), ("product_name", "Milk & Honey"), ("quantity", "0"), ("unit_price", "1200")];
    let refused = owner.fill_in("/board", "/board/orders", &goods).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.count("aria-invalid=\"true\""), 1, "{}", refused.body);
    assert!(refused.shows("aria-describedby=\"restock-quantity-why\""), "{}", refused.body);
    assert!(refused.shows("value=\"Milk &amp; Honey\""), "what was right is not asked again: {}", refused.body);
    assert!(refused.shows("Please check what you entered"), "{}", refused.body);
    // Wherever the form went, the page to come back to is one.
    let hidden = refused.hidden("/lang");
    assert_eq!(hidden, [("back".to_owned(), "/board".to_owned())]);
}

#[tokio::test]
async fn a_service_that_is_away_is_a_kind_word_and_the_same_form_works_later() {
    let (mut high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", "010-1234-5678").await;
    high_street.stop(ContextName::Payment).await;
    let form = mina.get("/cafe").await.hidden("/cafe");
    let mut fields: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("latte", "1"));
    let away = mina.send("/cafe", &fields).await;
    assert_eq!((away.status, &away.headers[RETRY_AFTER]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
    assert!(away.shows("Please try again") && away.shows("value=\"1\""), "{}", away.body);
    assert_eq!(away.hidden("/cafe"), form, "the next try is the same request");
    high_street.start(ContextName::Payment).await;
    let again = crate::common::eventually("the order is taken", || {
        let (mut mina, fields) = (mina.clone(), fields.clone());
        async move { Some(mina.send("/cafe", &fields).await).filter(|answer| answer.status == StatusCode::SEE_OTHER) }
    })
    .await;
    assert_eq!(again.location(), "/my?done=ordered#orders");
    let my = mina.get("/my").await;
    assert_eq!(my.count("<li class=\"case\""), 1, "{}", my.body);
}

/// Whatever else is away, what is there is shown.
#[tokio::test]
async fn a_page_shows_what_it_can() {
    let (mut high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", "010-1234-5678").await;
    mina.fill_in("/cafe", "/cafe", &[("latte", "1")]).await.location();
    high_street.stop(ContextName::Lending).await;
    high_street.stop(ContextName::Tracking).await;
    let my = mina.get("/my").await;
    assert_eq!((my.status, my.count("class=\"missing\"")), (StatusCode::OK, 1), "{}", my.body);
    assert!(my.shows("1 × Latte") && my.has_form("/my/pay"), "{}", my.body);
}

#[tokio::test]
async fn operators_see_what_waits_and_set_it_going() {
    let (mut high_street, _data) = street().await;
    let mut owner = Browser::at(&high_street.url()).signed_in("owner", "Kim").await;
    let mut operator = Browser::at(&high_street.url()).signed_in("operator", "Lee").await;
    let goods = [("sku", "milk"), ("product_name", "Milk"), ("quantity", "10"), ("unit_price", "1200")];
    owner.fill_in("/board", "/board/orders", &goods).await.location();
    shown(&owner, "/board", "it is on the board", |page| page.has_form("/board/orders/cancel")).await;
    high_street.stop(ContextName::Delivery).await;
    owner.fill_in("/board", "/board/orders/cancel", &[]).await.location();
    let health = operator.get("/operations").await;
    assert_eq!((health.count("id=\"context-"), health.count(">Serving<")), (15, 15), "{}", health.body);
    assert_eq!(health.count("id=\"call-"), 6, "{}", health.body);
    let page = shown(&operator, "/operations", "the call waits", |page| page.has_form("/operations/retry")).await;
    assert!(page.shows("replenishment · "), "{}", page.body);
    let refused = operator.fill_in("/operations", "/operations/abandon", &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    high_street.start(ContextName::Delivery).await;
    crate::common::eventually("the call is made", || {
        let mut operator = operator.clone();
        async move {
            let page = operator.get("/operations").await;
            if page.has_form("/operations/retry") {
                let hidden = page.hidden("/operations/retry");
                let hidden: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                operator.send("/operations/retry", &hidden).await;
                return None;
            }
            Some(())
        }
    })
    .await;
    shown(&owner, "/board", "it is cancelled", |page| page.shows("Cancelled</span>")).await;
}

/// CAP-6: who is not called, because it did not answer lately, stands on the page of operations.
#[tokio::test]
async fn operators_see_a_breaker_that_is_open() {
    let (mut high_street, _data) = street().await;
    let mut mina = Browser::at(&high_street.url()).signed_in("customer", "010-1234-5678").await;
    let operator = Browser::at(&high_street.url()).signed_in("operator", "Lee").await;
    let of_call = |page: &Page| {
        let (_, call) = page.body.split_once("id=\"call-ordering-payment\"").unwrap();
        call.split("</li>").next().unwrap().to_owned()
    };
    let before = operator.clone().get("/operations").await;
    assert!(of_call(&before).contains("Closed: called"), "{}", before.body);
    high_street.stop(ContextName::Payment).await;
    for _ in 0..12 {
        let refused = mina.fill_in("/cafe", "/cafe", &[("latte", "1")]).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
    }
    let open = |page: &Page| of_call(page).contains("Open: not called");
    shown(&operator, "/operations", "the breaker is open", open).await;
}

#[tokio::test]
async fn a_letter_or_a_step_that_is_not_there_is_said_so() {
    let (high_street, _data) = street().await;
    let mut operator = Browser::at(&high_street.url()).signed_in("operator", "Lee").await;
    let page = operator.get("/operations/letters/payment/1").await;
    assert!(page.status == StatusCode::OK && page.shows("class=\"missing\""), "{}", page.body);
    let letter = [("context", "payment"), ("id", "1")];
    for action in ["/operations/replay", "/operations/discard"] {
        let refused = operator.send(action, &letter).await;
        assert!(refused.status.is_client_error() && refused.shows("banner"), "{action}: {}", refused.body);
    }
}

/// CAP-3: what a context could not handle is shown with its payload, given to it again, and thrown away.
#[tokio::test]
async fn dead_letters_are_read_replayed_and_discarded() {
    let data = tempfile::tempdir().unwrap();
    let bus = EmbeddedBus::open(&data.path().join("bus.db")).unwrap();
    let headless = OrderPaid { order_id: "<nobody's>".into(), ..OrderPaid::default() };
    let message = Message {
        id: Uuid::now_v7(),
        source: "ordering".into(),
        name: "OrderPaid".into(),
        subject: Uuid::now_v7(),
        time: Timestamp::default(),
        origin: Origin::default(),
        body: headless.encode_to_vec(),
    };
    bus.publish(vec![message]).await.unwrap();
    drop(bus);
    let high_street = HighStreet::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let mut operator = Browser::at(&high_street.url()).signed_in("operator", "Lee").await;
    let all = |page: &Page| page.count("action=\"/operations/discard\"") == 4;
    let page = shown(&operator, "/operations", "four listeners laid it aside", all).await;
    assert!(page.shows("ordering.OrderPaid → kitchen"), "{}", page.body);
    let path = page.body.split("href=\"").find(|link| link.starts_with("/operations/letters/kitchen/")).unwrap();
    let letter = operator.get(path.split('"').next().unwrap()).await;
    assert!(letter.shows("orderId") && letter.shows("&lt;nobody's&gt;"), "{}", letter.body);

    assert!(operator.fill_in("/operations", "/operations/replay", &[]).await.location().contains("done=replayed"));
    shown(&operator, "/operations", "it failed again", all).await;
    for left in (0..4).rev() {
        operator.fill_in("/operations", "/operations/discard", &[]).await.location();
        assert_eq!(operator.get("/operations").await.count("action=\"/operations/discard\""), left);
    }
}
