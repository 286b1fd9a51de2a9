//! Ordering over gRPC: `OrderingService` inbound, payment outbound.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Filter, Run};
use highstreet_domain::kernel::{
    Id, Item, Note, Phone, ProductId, ProductName, Quantity, Reference, ShopId, Standing, Unanswered,
};
use highstreet_domain::ordering::{
    CONTEXT, CancelReason, Command, Line, Order, Payments, Place, Registered, Registration,
};
use highstreet_wire::convert::{method, money, reference, timestamp};
use highstreet_wire::ordering::{cancel_reason, lines};
use highstreet_wire::proto::ordering as proto;
use highstreet_wire::proto::ordering::ordering_service_server::OrderingService;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{self as payment, cancel_payment_request::Target};
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::peer::{Peer, refused};
use crate::scope::{asked, scope_of};
use crate::status::not_found;

const MOST_LINES: usize = 100;

/// Ordering, inbound.
pub struct Ordering {
    desk: Desk<Order>,
    pay_within: Duration,
}

/// Payment, as ordering calls it.
pub struct PaymentClient {
    peer: Peer,
    client: PaymentServiceClient<Peer>,
    clock: Arc<dyn Clock>,
}

// === impl Ordering ===

impl Ordering {
    /// Ordering at `desk`, for shops that give customers `pay_within` to pay.
    pub fn new(desk: Desk<Order>, pay_within: Duration) -> Self {
        Self { desk, pay_within }
    }
}

#[async_trait]
impl OrderingService for Ordering {
    async fn place_order(
        &self,
        request: Request<proto::PlaceOrderRequest>,
    ) -> Result<Response<proto::PlaceOrderResponse>, Status> {
        let Opened { call, message, terms, fields } = self.desk.open(request)?;
        let place = read_place(fields, &message, self.pay_within)?;
        let (id, order) = self.desk.create(&call, terms, Command::Place(place)).await?;
        Ok(Response::new(proto::PlaceOrderResponse { order: Some(show(id, &order)?) }))
    }

    async fn cancel_order(
        &self,
        request: Request<proto::CancelOrderRequest>,
    ) -> Result<Response<proto::CancelOrderResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let id = fields.uuid("order_id", &message.order_id);
        let note = fields.check("reason", Note::parse(&message.reason));
        let (id, note) = fields.finish_with(id.zip(note))?;
        let command = Command::Cancel { reason: CancelReason::Customer, note };
        let (id, order) = self.desk.change(&call, terms, Id::new(id), command).await?;
        Ok(Response::new(proto::CancelOrderResponse { order: Some(show(id, &order)?) }))
    }

    async fn get_order(
        &self,
        request: Request<proto::GetOrderRequest>,
    ) -> Result<Response<proto::GetOrderResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("order_id", &request.get_ref().order_id);
        let id = Id::new(fields.finish_with(id)?);
        let order = self.desk.find(&scope_of(&request), id).await?;
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
            owner: fields.optional("customer_phone", &message.customer_phone, Phone::parse).map(|phone| phone.key()),
            reference: None,
            status: fields.status("status", message.status, status, "ORDER_STATUS_"),
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.desk.list(&scope, &wanted).await?;
        let orders = found.iter().map(|(id, order)| show(*id, order)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListOrdersResponse { orders, next_page_token }))
    }
}

fn read_place(mut fields: Fields, message: &proto::PlaceOrderRequest, pay_within: Duration) -> Result<Place, Status> {
    let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
    let customer = fields.check("customer_phone", Phone::parse(&message.customer_phone));
    let method = fields.method("payment_method", message.payment_method);
    if !(1..=MOST_LINES).contains(&message.lines.len()) {
        fields.wrong("lines", format!("must have 1 to {MOST_LINES} entries"));
    }
    let lines: Vec<_> = message.lines.iter().enumerate().map(|(at, line)| read_line(&mut fields, at, line)).collect();
    let lines: Option<Vec<_>> = lines.into_iter().collect();
    let parts = shop.zip(customer).zip(method).zip(lines);
    let (((shop, customer), method), lines) = fields.finish_with(parts)?;
    Ok(Place { shop, customer, lines, method, pay_within })
}

fn read_line(fields: &mut Fields, at: usize, line: &proto::OrderLine) -> Option<Line> {
    let name = |field: &str| format!("lines[{at}].{field}");
    let product = fields.check(name("product_id"), ProductId::parse(&line.product_id));
    let product_name = fields.check(name("product_name"), ProductName::parse(&line.product_name));
    let quantity = fields.check(name("quantity"), Quantity::new(i64::from(line.quantity)));
    let unit_price = fields.money(name("unit_price"), line.unit_price.as_ref());
    let (((product, name), quantity), unit_price) = product.zip(product_name).zip(quantity).zip(unit_price)?;
    Some(Line { item: Item { product, name, quantity, unit_price: None }, unit_price })
}

fn show(id: Id<Order>, order: &Standing<Order>) -> Result<proto::Order, Status> {
    let placed = order.state.placed().ok_or_else(|| not_found("order", &id.to_string()))?;
    let status = match order.state {
        Order::Paid(_) => proto::OrderStatus::Paid,
        Order::Completed(_) => proto::OrderStatus::Completed,
        Order::Cancelled { .. } => proto::OrderStatus::Cancelled,
        _ => proto::OrderStatus::Ordered,
    };
    let (reason, note) = match &order.state {
        Order::Cancelled { reason, note, .. } => (cancel_reason(*reason), note.to_string()),
        _ => (proto::CancelReason::Unspecified, String::new()),
    };
    Ok(proto::Order {
        order_id: id.to_string(),
        shop_id: placed.details.shop.to_string(),
        customer_phone: placed.details.customer.to_string(),
        lines: lines(&placed.details.lines),
        payment_method: method(placed.details.method).into(),
        total: Some(money(&placed.details.total)),
        payment_id: placed.payment.clone(),
        status: status.into(),
        cancel_reason: reason.into(),
        cancel_note: note,
        pay_by: Some(timestamp(placed.details.pay_by)),
        revision: order.revision.cast_signed(),
        create_time: Some(timestamp(order.created)),
        update_time: Some(timestamp(order.updated)),
    })
}

// === impl PaymentClient ===

impl PaymentClient {
    /// Payment behind `peer`.
    pub fn new(peer: Peer, clock: Arc<dyn Clock>) -> Self {
        Self { client: PaymentServiceClient::new(peer.clone()), peer, clock }
    }
}

#[async_trait]
impl Payments for PaymentClient {
    async fn register(
        &self,
        order: &Reference,
        registration: &Registration,
        run: &Run,
    ) -> Result<Registered, Unanswered> {
        let message = payment::RequestPaymentRequest {
            shop_id: registration.shop.to_string(),
            order: Some(reference(order)),
            payer: registration.payer.clone(),
            amount: Some(money(&registration.amount)),
            method: method(registration.method).into(),
            screening_id: String::new(),
            // One payment per order: the order itself makes a repeat harmless.
            request_id: String::new(),
        };
        let request = Peer::request(message, CONTEXT, run, &*self.clock);
        match self.client.clone().request_payment(request).await {
            Ok(response) => {
                let payment = response.into_inner().payment.unwrap_or_default().payment_id;
                Ok(Registered::As { payment })
            }
            Err(status) => refused(&status)
                .map_or_else(|| Err(self.peer.unanswered(&status)), |reason| Ok(Registered::Refused { reason })),
        }
    }

    async fn cancel(&self, order: &Reference, run: &Run) -> Result<(), Unanswered> {
        let message = payment::CancelPaymentRequest {
            target: Some(Target::Order(reference(order))),
            reason: "the order was given up".into(),
            ..Default::default()
        };
        let request = Peer::request(message, CONTEXT, run, &*self.clock);
        self.client.clone().cancel_payment(request).await.map(drop).map_err(|status| self.peer.unanswered(&status))
    }

    fn unreachable(&self) -> Option<Unanswered> {
        self.peer.unreachable()
    }
}
