//! Delivery over gRPC.

use async_trait::async_trait;
use highstreet_domain::delivery::{Command, Delivery};
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Case, Id, ShopId, Standing};
use highstreet_wire::convert::{items, reference, timestamp};
use highstreet_wire::proto::delivery as proto;
use highstreet_wire::proto::delivery::delivery_service_server::DeliveryService;
use highstreet_wire::proto::delivery::{cancel_delivery_request, get_delivery_request};
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::call::Call;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::not_found;

/// Delivery, inbound.
pub struct Deliveries(pub Desk<Delivery>);

#[async_trait]
impl DeliveryService for Deliveries {
    async fn ship_delivery(
        &self,
        request: Request<proto::ShipDeliveryRequest>,
    ) -> Result<Response<proto::ShipDeliveryResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("delivery_id", &message.delivery_id);
        let id = Id::new(fields.finish_with(id)?);
        let (id, delivery) = self.0.change(&call, terms, id, Command::Ship).await?;
        Ok(Response::new(proto::ShipDeliveryResponse { delivery: Some(show(id, &delivery)?) }))
    }

    async fn complete_delivery(
        &self,
        request: Request<proto::CompleteDeliveryRequest>,
    ) -> Result<Response<proto::CompleteDeliveryResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("delivery_id", &message.delivery_id);
        let id = Id::new(fields.finish_with(id)?);
        let (id, delivery) = self.0.change(&call, terms, id, Command::Complete).await?;
        Ok(Response::new(proto::CompleteDeliveryResponse { delivery: Some(show(id, &delivery)?) }))
    }

    async fn cancel_delivery(
        &self,
        request: Request<proto::CancelDeliveryRequest>,
    ) -> Result<Response<proto::CancelDeliveryResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let target = read_target(&mut fields, &call, &message);
        let (id, case) = fields.finish_with(target)?;
        let (id, delivery) = self.0.change(&call, terms, id, Command::Cancel { case }).await?;
        Ok(Response::new(proto::CancelDeliveryResponse { delivery: Some(show(id, &delivery)?) }))
    }

    async fn get_delivery(
        &self,
        request: Request<proto::GetDeliveryRequest>,
    ) -> Result<Response<proto::GetDeliveryResponse>, Status> {
        let mut fields = Fields::default();
        let id = match &request.get_ref().target {
            Some(get_delivery_request::Target::DeliveryId(id)) => fields.uuid("delivery_id", id).map(Id::new),
            Some(get_delivery_request::Target::Order(order)) => {
                fields.reference("order", Some(order)).map(|order| Id::made_for(&order))
            }
            None => {
                fields.wrong("delivery_id", "or order must be set");
                None
            }
        };
        let id = fields.finish_with(id)?;
        let delivery = self.0.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetDeliveryResponse { delivery: Some(show(id, &delivery)?) }))
    }

    async fn list_deliveries(
        &self,
        request: Request<proto::ListDeliveriesRequest>,
    ) -> Result<Response<proto::ListDeliveriesResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::DeliveryStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let order = message.order.as_ref().and_then(|order| fields.reference("order", Some(order)));
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            owner: None,
            reference: order.map(|order| order.to_string()),
            status: fields.status("status", message.status, status, "DELIVERY_STATUS_"),
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.0.list(&scope, &wanted).await?;
        let deliveries = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListDeliveriesResponse { deliveries, next_page_token }))
    }
}

/// The delivery to cancel; with its case where a context cancels it before delivery has heard of the order.
fn read_target(
    fields: &mut Fields,
    call: &Call,
    message: &proto::CancelDeliveryRequest,
) -> Option<(Id<Delivery>, Option<Case>)> {
    match &message.target {
        Some(cancel_delivery_request::Target::DeliveryId(id)) => Some((Id::new(fields.uuid("delivery_id", id)?), None)),
        Some(cancel_delivery_request::Target::Order(root)) => {
            let root = fields.reference("order", Some(root))?;
            let id = Id::made_for(&root);
            if !call.is_from_context() {
                return Some((id, None));
            }
            let shop = fields.check("shop_id", ShopId::parse(&message.shop_id))?;
            Some((id, Some(Case { root, shop, customer: String::new() })))
        }
        None => {
            fields.wrong("delivery_id", "or order must be set");
            None
        }
    }
}

fn show(id: Id<Delivery>, delivery: &Standing<Delivery>) -> Result<proto::Delivery, Status> {
    let load = delivery.state.load().ok_or_else(|| not_found("delivery", &id.to_string()))?;
    let status = match delivery.state {
        Delivery::Unborn | Delivery::Preparing(_) => proto::DeliveryStatus::Preparing,
        Delivery::Shipped(_) => proto::DeliveryStatus::Shipped,
        Delivery::Delivered { .. } => proto::DeliveryStatus::Delivered,
        Delivery::Cancelled(_) => proto::DeliveryStatus::Cancelled,
    };
    Ok(proto::Delivery {
        delivery_id: id.to_string(),
        shop_id: load.case.shop.to_string(),
        order: Some(reference(&load.order)),
        customer: load.case.customer.clone(),
        items: items(&load.items),
        status: status.into(),
        revision: delivery.revision.cast_signed(),
        create_time: Some(timestamp(delivery.created)),
        update_time: Some(timestamp(delivery.updated)),
    })
}
