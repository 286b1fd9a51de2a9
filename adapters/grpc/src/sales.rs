//! Sales over gRPC.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Id, Note, Payer, ProductId, Quantity, ShopId, Standing};
use highstreet_domain::sales::{CancelReason, Command, Details, Purchase};
use highstreet_wire::convert::{money, quantity, timestamp};
use highstreet_wire::proto::sales as proto;
use highstreet_wire::proto::sales::sales_service_server::SalesService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::not_found;

/// Sales, inbound.
pub struct Sales(pub Desk<Purchase>);

#[async_trait]
impl SalesService for Sales {
    async fn record_purchase(
        &self,
        request: Request<proto::RecordPurchaseRequest>,
    ) -> Result<Response<proto::RecordPurchaseResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
        let sku = fields.check("sku", ProductId::parse(&message.sku));
        let quantity = fields.check("quantity", Quantity::new(i64::from(message.quantity)));
        let unit_price = fields.money("unit_price", message.unit_price.as_ref());
        let customer = fields.optional("customer_name", &message.customer_name, Payer::parse);
        let customer = customer.map_or_else(String::new, |name| name.to_string());
        let read = || Some(Details { shop: shop?, sku: sku?, quantity: quantity?, unit_price: unit_price?, customer });
        let details = fields.finish_with(read())?;
        let (id, purchase) = self.0.create(&call, terms, Command::Record(details)).await?;
        Ok(Response::new(proto::RecordPurchaseResponse { purchase: Some(show(id, &purchase)?) }))
    }

    async fn cancel_purchase(
        &self,
        request: Request<proto::CancelPurchaseRequest>,
    ) -> Result<Response<proto::CancelPurchaseResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("purchase_id", &message.purchase_id);
        let note = fields.check("reason", Note::parse(&message.reason));
        let (id, note) = fields.finish_with(id.zip(note))?;
        let command = Command::Cancel { reason: CancelReason::Customer, note };
        let (id, purchase) = self.0.change(&call, terms, Id::new(id), command).await?;
        Ok(Response::new(proto::CancelPurchaseResponse { purchase: Some(show(id, &purchase)?) }))
    }

    async fn get_purchase(
        &self,
        request: Request<proto::GetPurchaseRequest>,
    ) -> Result<Response<proto::GetPurchaseResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("purchase_id", &request.get_ref().purchase_id);
        let id = Id::new(fields.finish_with(id)?);
        let purchase = self.0.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetPurchaseResponse { purchase: Some(show(id, &purchase)?) }))
    }

    async fn list_purchases(
        &self,
        request: Request<proto::ListPurchasesRequest>,
    ) -> Result<Response<proto::ListPurchasesResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::PurchaseStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            status: fields.status("status", message.status, status, "PURCHASE_STATUS_"),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.0.list(&scope, &wanted).await?;
        let purchases = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListPurchasesResponse { purchases, next_page_token }))
    }
}

fn show(id: Id<Purchase>, purchase: &Standing<Purchase>) -> Result<proto::Purchase, Status> {
    let details = purchase.state.details().ok_or_else(|| not_found("purchase", &id.to_string()))?;
    let (status, reason, cancel_note) = match &purchase.state {
        Purchase::Unborn | Purchase::Purchased(_) => {
            (proto::PurchaseStatus::Purchased, proto::CancelReason::Unspecified, String::new())
        }
        Purchase::Cancelled { reason, note, .. } => {
            (proto::PurchaseStatus::Cancelled, cancel_reason(*reason), note.to_string())
        }
    };
    Ok(proto::Purchase {
        purchase_id: id.to_string(),
        shop_id: details.shop.to_string(),
        sku: details.sku.to_string(),
        quantity: quantity(details.quantity),
        unit_price: Some(money(&details.unit_price)),
        total: details.total().as_ref().map(money),
        customer_name: details.customer.clone(),
        status: status.into(),
        cancel_reason: reason.into(),
        cancel_note,
        revision: purchase.revision.cast_signed(),
        create_time: Some(timestamp(purchase.created)),
        update_time: Some(timestamp(purchase.updated)),
    })
}

const fn cancel_reason(reason: CancelReason) -> proto::CancelReason {
    match reason {
        CancelReason::Customer => proto::CancelReason::Customer,
        CancelReason::OutOfStock => proto::CancelReason::OutOfStock,
    }
}
