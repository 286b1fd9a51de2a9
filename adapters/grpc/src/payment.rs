//! Payment over gRPC.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Case, Id, Note, Payer, Phone, ScreeningId, ShopId, Standing};
use highstreet_domain::payment::{Bill, By, Cancellation, Command, Payment, Refund};
use highstreet_wire::convert::{method, money, reference, timestamp};
use highstreet_wire::proto::payment as proto;
use highstreet_wire::proto::payment::payment_service_server::PaymentService;
use highstreet_wire::proto::payment::{cancel_payment_request, get_payment_request};
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::not_found;

/// Payment, inbound.
pub struct Payments(pub Desk<Payment>);

#[async_trait]
impl PaymentService for Payments {
    async fn request_payment(
        &self,
        request: Request<proto::RequestPaymentRequest>,
    ) -> Result<Response<proto::RequestPaymentResponse>, Status> {
        let Opened { call, message, terms, fields } = self.0.open(request)?;
        let bill = read_bill(fields, &message)?;
        let id = Id::made_for(&bill.order);
        let (id, payment) = self.0.change(&call, terms, id, Command::Request(bill)).await?;
        Ok(Response::new(proto::RequestPaymentResponse { payment: Some(show(id, &payment)?) }))
    }

    async fn pay(&self, request: Request<proto::PayRequest>) -> Result<Response<proto::PayResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("payment_id", &message.payment_id);
        let method = fields.optional_method("method", message.method);
        let id = fields.finish_with(id)?;
        let (id, payment) = self.0.change(&call, terms, Id::new(id), Command::Pay { method }).await?;
        Ok(Response::new(proto::PayResponse { payment: Some(show(id, &payment)?) }))
    }

    async fn cancel_payment(
        &self,
        request: Request<proto::CancelPaymentRequest>,
    ) -> Result<Response<proto::CancelPaymentResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = match &message.target {
            Some(cancel_payment_request::Target::PaymentId(id)) => fields.uuid("payment_id", id).map(Id::new),
            Some(cancel_payment_request::Target::Order(order)) => {
                fields.reference("order", Some(order)).map(|order| Id::made_for(&order))
            }
            None => {
                fields.wrong("payment_id", "or order must be set");
                None
            }
        };
        let reason = fields.check("reason", Note::parse(&message.reason));
        let (id, reason) = fields.finish_with(id.zip(reason))?;
        let by = if call.is_from_context() { By::Order } else { By::Staff };
        let command = Command::Cancel(Cancellation { reason, by });
        let (id, payment) = self.0.change(&call, terms, id, command).await?;
        // Cancelled before it was asked for: there is nothing to show, and nothing wrong.
        let payment = payment.state.bill().is_some().then(|| show(id, &payment)).transpose()?;
        Ok(Response::new(proto::CancelPaymentResponse { payment }))
    }

    async fn get_payment(
        &self,
        request: Request<proto::GetPaymentRequest>,
    ) -> Result<Response<proto::GetPaymentResponse>, Status> {
        let mut fields = Fields::default();
        let id = match &request.get_ref().target {
            Some(get_payment_request::Target::PaymentId(id)) => fields.uuid("payment_id", id).map(Id::new),
            Some(get_payment_request::Target::Order(order)) => {
                fields.reference("order", Some(order)).map(|order| Id::made_for(&order))
            }
            None => {
                fields.wrong("payment_id", "or order must be set");
                None
            }
        };
        let id = fields.finish_with(id)?;
        let payment = self.0.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetPaymentResponse { payment: Some(show(id, &payment)?) }))
    }

    async fn list_payments(
        &self,
        request: Request<proto::ListPaymentsRequest>,
    ) -> Result<Response<proto::ListPaymentsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::PaymentStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            owner: fields.optional("payer", &message.payer, Payer::parse).map(|name| Phone::key_of(name.as_str())),
            reference: None,
            status: fields.status("status", message.status, status, "PAYMENT_STATUS_"),
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.0.list(&scope, &wanted).await?;
        let payments = found.iter().map(|(id, payment)| show(*id, payment)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListPaymentsResponse { payments, next_page_token }))
    }
}

fn read_bill(mut fields: Fields, message: &proto::RequestPaymentRequest) -> Result<Bill, Status> {
    let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
    let order = fields.reference("order", message.order.as_ref());
    let payer = fields.check("payer", Payer::parse(&message.payer));
    let amount = fields.money("amount", message.amount.as_ref());
    let method = fields.method("method", message.method);
    let screening = fields.optional("screening_id", &message.screening_id, ScreeningId::parse);
    let parts = shop.zip(order).zip(payer).zip(amount).zip(method);
    let ((((shop, order), payer), amount), method) = fields.finish_with(parts)?;
    let case = Case { root: order.clone(), shop, customer: payer.to_string() };
    Ok(Bill { case, order, payer, amount, method, screening })
}

fn show(id: Id<Payment>, payment: &Standing<Payment>) -> Result<proto::Payment, Status> {
    let bill = payment.state.bill().ok_or_else(|| not_found("payment", &id.to_string()))?;
    let mut shown = proto::Payment {
        payment_id: id.to_string(),
        shop_id: bill.case.shop.to_string(),
        order: Some(reference(&bill.order)),
        payer: bill.payer.to_string(),
        amount: Some(money(&bill.amount)),
        method: method(bill.method).into(),
        revision: payment.revision.cast_signed(),
        create_time: Some(timestamp(payment.created)),
        update_time: Some(timestamp(payment.updated)),
        ..proto::Payment::default()
    };
    let status = match &payment.state {
        Payment::Unborn | Payment::Requested(_) => proto::PaymentStatus::Requested,
        Payment::Processing { .. } => proto::PaymentStatus::Processing,
        Payment::Approved { reference, .. } => {
            shown.provider_reference.clone_from(reference);
            proto::PaymentStatus::Approved
        }
        Payment::Declined { reason, .. } => {
            shown.decline_reason.clone_from(reason);
            proto::PaymentStatus::Declined
        }
        Payment::Cancelled { cancellation, refund, .. } => {
            shown.cancel_reason = cancellation.reason.to_string();
            shown.refunded = *refund == Refund::Done;
            proto::PaymentStatus::Cancelled
        }
    };
    shown.set_status(status);
    Ok(shown)
}
