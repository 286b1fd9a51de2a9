//! Replenishment over gRPC: in, and out to delivery.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Filter, Run};
use highstreet_domain::kernel::{
    Id, Item, Note, ProductId, ProductName, Quantity, Reference, ShopId, Standing, Unanswered,
};
use highstreet_domain::replenishment::{CONTEXT, Cancellation, Command, Deliveries, Details, Order};
use highstreet_wire::convert::{money, quantity, reference, timestamp};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{CancelDeliveryRequest, cancel_delivery_request};
use highstreet_wire::proto::replenishment as proto;
use highstreet_wire::proto::replenishment::replenishment_service_server::ReplenishmentService;
use tonic::{Request, Response, Status};

use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::peer::refused;
use crate::scope::{asked, scope_of};
use crate::status::not_found;
use crate::{Desk, Peer};

/// Replenishment, inbound.
pub struct Replenishment(pub Desk<Order>);

/// Delivery, as replenishment calls it.
pub struct DeliveryClient {
    client: DeliveryServiceClient<Peer>,
    peer: Peer,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl ReplenishmentService for Replenishment {
    async fn place_order(
        &self,
        request: Request<proto::PlaceOrderRequest>,
    ) -> Result<Response<proto::PlaceOrderResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
        let product = fields.check("sku", ProductId::parse(&message.sku));
        let name = fields.check("product_name", ProductName::parse(&message.product_name));
        let quantity = fields.check("quantity", Quantity::new(i64::from(message.quantity)));
        let unit_price = fields.money("unit_price", message.unit_price.as_ref());
        let read = || {
            let item = Item { product: product?, name: name?, quantity: quantity?, unit_price: None };
            Some(Details { shop: shop?, item, unit_price: unit_price? })
        };
        let details = fields.finish_with(read())?;
        let (id, order) = self.0.create(&call, terms, Command::Place(details)).await?;
        Ok(Response::new(proto::PlaceOrderResponse { order: Some(show(id, &order)?) }))
    }

    async fn cancel_order(
        &self,
        request: Request<proto::CancelOrderRequest>,
    ) -> Result<Response<proto::CancelOrderResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("order_id", &message.order_id);
        let note = fields.check("reason", Note::parse(&message.reason));
        let (id, note) = fields.finish_with(id.zip(note))?;
        let (id, order) = self.0.change(&call, terms, Id::new(id), Command::Cancel { note }).await?;
        Ok(Response::new(proto::CancelOrderResponse { order: Some(show(id, &order)?) }))
    }

    async fn get_order(
        &self,
        request: Request<proto::GetOrderRequest>,
    ) -> Result<Response<proto::GetOrderResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("order_id", &request.get_ref().order_id);
        let id = Id::new(fields.finish_with(id)?);
        let order = self.0.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetOrderResponse { order: Some(show(id, &order)?) }))
    }

    async fn list_orders(
        &self,
        request: Request<proto::ListOrdersRequest>,
    ) -> Result<Response<proto::ListOrdersResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::OrderStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            status: fields.status("status", message.status, status, "ORDER_STATUS_"),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.0.list(&scope, &wanted).await?;
        let orders = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListOrdersResponse { orders, next_page_token }))
    }
}

fn show(id: Id<Order>, order: &Standing<Order>) -> Result<proto::Order, Status> {
    let details = order.state.details().ok_or_else(|| not_found("order", &id.to_string()))?;
    let (status, cancel_note) = match &order.state {
        Order::Unborn | Order::Placed(_) => (proto::OrderStatus::Placed, String::new()),
        Order::CancellationPending { note, .. } => (proto::OrderStatus::CancellationPending, note.to_string()),
        Order::Shipped { .. } => (proto::OrderStatus::Shipped, String::new()),
        Order::Received { .. } => (proto::OrderStatus::Received, String::new()),
        Order::Cancelled { note, .. } => (proto::OrderStatus::Cancelled, note.to_string()),
    };
    Ok(proto::Order {
        order_id: id.to_string(),
        shop_id: details.shop.to_string(),
        sku: details.item.product.to_string(),
        product_name: details.item.name.to_string(),
        quantity: quantity(details.item.quantity),
        unit_price: Some(money(&details.unit_price)),
        total: details.total().as_ref().map(money),
        status: status.into(),
        cancel_note,
        revision: order.revision.cast_signed(),
        create_time: Some(timestamp(order.created)),
        update_time: Some(timestamp(order.updated)),
    })
}

// === impl DeliveryClient ===

impl DeliveryClient {
    /// Delivery behind `peer`.
    pub fn new(peer: Peer, clock: Arc<dyn Clock>) -> Self {
        Self { client: DeliveryServiceClient::new(peer.clone()), peer, clock }
    }
}

#[async_trait]
impl Deliveries for DeliveryClient {
    async fn cancel(&self, order: &Reference, shop: &ShopId, run: &Run) -> Result<Cancellation, Unanswered> {
        let message = CancelDeliveryRequest {
            target: Some(cancel_delivery_request::Target::Order(reference(order))),
            shop_id: shop.to_string(),
            ..Default::default()
        };
        let request = Peer::request(message, CONTEXT, run, &*self.clock);
        match self.client.clone().cancel_delivery(request).await {
            Ok(_) => Ok(Cancellation::Done),
            Err(status) => match refused(&status).as_deref() {
                Some("DELIVERY_ALREADY_SHIPPED" | "DELIVERY_ALREADY_DELIVERED") => Ok(Cancellation::TooLate),
                // Whatever else it says, nobody knows that it was shipped: asked again until that is known.
                _ => Err(self.peer.unanswered(&status)),
            },
        }
    }
}
