//! The coffee shop's story in JSON alone.

use serde_json::{Value, json};

use crate::client::Web;
use crate::common::eventually;
use crate::street::{Gated, order, text};

/// Waits until what is at `path` satisfies `wanted`.
async fn until(web: &Web, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(path, || async {
        let answer = web.get(path).send().await;
        answer.status.is_success().then(|| answer.json()).filter(&wanted)
    })
    .await
}

async fn traced(web: &Web, order: &str, status: &str) {
    until(web, &format!("/v1/traces/ordering/{order}"), |it| it["trace"]["status"] == status).await;
}

/// CAFE-A1, CAP-10, CAP-12: from the order to the customer's door in JSON, through the gateway's port alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_paid_made_and_delivered_in_json() {
    let gated = Gated::open().await;
    let web = gated.web();
    let placed = order(&web).await;
    assert_eq!(placed["status"], "ORDER_STATUS_ORDERED");
    assert_eq!(placed["total"], json!({"currencyCode": "KRW", "units": "9000", "nanos": 0}));
    assert_eq!(placed["cancelNote"], "", "what is empty is there, too");
    let (order, payment) = (text(&placed, "orderId"), text(&placed, "paymentId"));
    traced(&web, order, "ORDERED").await;

    let by_order = format!("/v1/payments:lookup?order.context=ordering&order.id={order}");
    assert_eq!(web.get(by_order).ok().await["payment"]["status"], "PAYMENT_STATUS_REQUESTED");
    let method = json!({"method": "PAYMENT_METHOD_CARD"});
    let paid = web.post(format!("/v1/payments/{payment}:pay"), method).ok().await;
    assert_eq!(paid["payment"]["status"], "PAYMENT_STATUS_APPROVED");
    traced(&web, order, "PAID").await;
    let account = "/v1/shops/skanu/members/010-1234-5678/accounts/PROGRAM_STAMPS";
    until(&web, account, |it| it["account"]["balance"] == "2").await;

    let preparations = "/v1/shops/skanu/preparations?status=PREPARATION_STATUS_PREPARING";
    let list = until(&web, preparations, |it| it["preparations"].as_array().is_some_and(|it| it.len() == 1)).await;
    let preparation = text(&list["preparations"][0], "preparationId");
    // An empty body is an empty message.
    let done = web.ask(http::Method::POST, format!("/v1/preparations/{preparation}:complete")).ok().await;
    assert_eq!(done["preparation"]["status"], "PREPARATION_STATUS_READY");

    let by_order = format!("/v1/deliveries:lookup?order.context=ordering&order.id={order}");
    let found = until(&web, &by_order, |it| it["delivery"].is_object()).await;
    let delivery = text(&found["delivery"], "deliveryId");
    for step in ["ship", "complete"] {
        web.post(format!("/v1/deliveries/{delivery}:{step}"), json!({})).ok().await;
    }
    traced(&web, order, "COMPLETED").await;
    let path = format!("/v1/orders/{order}");
    until(&web, &path, |it| it["order"]["status"] == "ORDER_STATUS_COMPLETED").await;
    let refused = web.post(format!("{path}:cancel"), json!({"reason": "too late"})).send().await;
    assert_eq!(refused.refusal(), (400, "FAILED_PRECONDITION".into(), "ORDER_ALREADY_COMPLETED".into()));
}

/// CAFE-A2: what was paid and cancelled is given back.
#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_is_cancelled_in_json() {
    let gated = Gated::open().await;
    let web = gated.web();
    let placed = order(&web).await;
    let (order, payment) = (text(&placed, "orderId"), text(&placed, "paymentId"));
    web.post(format!("/v1/payments/{payment}:pay"), json!({"method": 1})).ok().await;
    traced(&web, order, "PAID").await;
    let cancelled = web.post(format!("/v1/orders/{order}:cancel"), json!({"reason": "맛이 없어요"})).ok().await;
    assert_eq!(cancelled["order"]["status"], "ORDER_STATUS_CANCELLED");
    assert_eq!(cancelled["order"]["cancelNote"], "맛이 없어요");
    until(&web, &format!("/v1/payments/{payment}"), |it| it["payment"]["refunded"] == true).await;
    let listed = web.get("/v1/shops/skanu/orders?customerPhone=010-1234-5678&status=ORDER_STATUS_CANCELLED").ok().await;
    assert_eq!(text(&listed["orders"][0], "orderId"), order);
}
