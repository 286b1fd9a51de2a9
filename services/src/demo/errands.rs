//! What is done in several shops: paying, shipping, counting stamps and points.

use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{DeliveryStatus, ListDeliveriesRequest, ShipDeliveryRequest};
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{PayRequest, PaymentStatus};

use super::tell;
use super::visitor::{Played, Unexpected, Visitor, expect, fresh_id};

/// Pays by card.
pub(super) async fn pay(visitor: &Visitor, payment_id: &str) -> Played {
    let request = PayRequest {
        payment_id: payment_id.into(),
        method: PaymentMethod::Card.into(),
        request_id: fresh_id(),
        ..PayRequest::default()
    };
    let paying = visitor.ask(request, async |channel, request| PaymentServiceClient::new(channel).pay(request).await);
    let status = paying.await?.payment.unwrap_or_default().status();
    tell::call("customer", "Pay by card", tell::name(status.as_str_name()));
    if status == PaymentStatus::Declined {
        return Err(Unexpected::new("the payment was declined; play the demo again".into()));
    }
    expect("the payment", &status, &PaymentStatus::Approved)
}

/// Ships what was ordered; answers with the delivery's id.
pub(super) async fn ship(visitor: &Visitor, who: &str, order: Reference) -> Played<String> {
    let request =
        ListDeliveriesRequest { shop_id: visitor.shop(), order: Some(order), ..ListDeliveriesRequest::default() };
    let listing = visitor
        .ask(request, async |channel, request| DeliveryServiceClient::new(channel).list_deliveries(request).await);
    let delivery = listing.await?.deliveries.pop();
    let delivery = delivery.ok_or_else(|| Unexpected::new("no delivery is listed for the order".into()))?;
    let request = ShipDeliveryRequest { delivery_id: delivery.delivery_id.clone(), ..ShipDeliveryRequest::default() };
    let shipping =
        visitor.ask(request, async |channel, request| DeliveryServiceClient::new(channel).ship_delivery(request).await);
    let status = shipping.await?.delivery.unwrap_or_default().status();
    tell::call(who, "ShipDelivery", tell::name(status.as_str_name()));
    expect("the delivery", &status, &DeliveryStatus::Shipped)?;
    Ok(delivery.delivery_id)
}

/// Counts the customer's stamps or points.
pub(super) async fn count(visitor: &Visitor, program: Program, member: &str, wanted: i64) -> Played {
    let request = GetAccountRequest { shop_id: visitor.shop(), program: program.into(), member: member.into() };
    let asking =
        visitor.ask(request, async |channel, request| LoyaltyServiceClient::new(channel).get_account(request).await);
    let balance = asking.await?.account.unwrap_or_default().balance;
    let what = if program == Program::Stamps { "stamps" } else { "points" };
    tell::call("customer", "GetAccount", &format!("{balance} {what}"));
    expect(what, &balance, &wanted)
}
