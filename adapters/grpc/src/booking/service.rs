//! Booking, inbound.

use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::booking::{Book, Booking, Cancelling, Command};
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Id, Note, Payer, Phone, Quantity, ScreeningId, Seats, ShopId, Standing};
use highstreet_wire::booking::{cancel_reason, fail_reason};
use highstreet_wire::convert::{method, money, quantity, seat_names, timestamp};
use highstreet_wire::proto::booking as proto;
use highstreet_wire::proto::booking::booking_service_server::BookingService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::not_found;

/// Booking, inbound.
pub struct Bookings {
    desk: Desk<Booking>,
    terms: Terms,
}

/// On which terms cinemas take bookings.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Under which name they go.
    pub brand: String,
    /// How long there is to pay.
    pub pay_within: Duration,
    /// How long there is to choose seats once it is paid.
    pub select_within: Duration,
}

// === impl Bookings ===

impl Bookings {
    /// Booking at `desk`, on these terms.
    pub fn new(desk: Desk<Booking>, terms: Terms) -> Self {
        Self { desk, terms }
    }

    fn show(&self, id: Id<Booking>, booking: &Standing<Booking>) -> Result<proto::Booking, Status> {
        show(id, booking, &self.terms.brand).ok_or_else(|| not_found("booking", &id.to_string()))
    }
}

#[async_trait]
impl BookingService for Bookings {
    async fn create_booking(
        &self,
        request: Request<proto::CreateBookingRequest>,
    ) -> Result<Response<proto::CreateBookingResponse>, Status> {
        let Opened { call, message, terms, fields } = self.desk.open(request)?;
        let book = read_book(fields, &message, &self.terms)?;
        let (id, booking) = self.desk.create(&call, terms, Command::Book(book)).await?;
        Ok(Response::new(proto::CreateBookingResponse { booking: Some(self.show(id, &booking)?) }))
    }

    async fn select_seats(
        &self,
        request: Request<proto::SelectSeatsRequest>,
    ) -> Result<Response<proto::SelectSeatsResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let id = fields.uuid("booking_id", &message.booking_id);
        let seats = fields.check("seats", Seats::parse(&message.seats));
        let (id, seats) = fields.finish_with(id.zip(seats))?;
        let (id, booking) = self.desk.change(&call, terms, Id::new(id), Command::SelectSeats(seats)).await?;
        Ok(Response::new(proto::SelectSeatsResponse { booking: Some(self.show(id, &booking)?) }))
    }

    async fn cancel_booking(
        &self,
        request: Request<proto::CancelBookingRequest>,
    ) -> Result<Response<proto::CancelBookingResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let id = fields.uuid("booking_id", &message.booking_id);
        let note = fields.check("reason", Note::parse(&message.reason));
        let (id, note) = fields.finish_with(id.zip(note))?;
        let (id, booking) = self.desk.change(&call, terms, Id::new(id), Command::Cancel { note }).await?;
        Ok(Response::new(proto::CancelBookingResponse { booking: Some(self.show(id, &booking)?) }))
    }

    async fn get_booking(
        &self,
        request: Request<proto::GetBookingRequest>,
    ) -> Result<Response<proto::GetBookingResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("booking_id", &request.get_ref().booking_id);
        let id = Id::new(fields.finish_with(id)?);
        let booking = self.desk.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetBookingResponse { booking: Some(self.show(id, &booking)?) }))
    }

    async fn list_bookings(
        &self,
        request: Request<proto::ListBookingsRequest>,
    ) -> Result<Response<proto::ListBookingsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::BookingStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let customer = fields.optional("customer", &message.customer, Payer::parse);
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            owner: customer.map(|customer| Phone::key_of(customer.as_str())),
            reference: None,
            status: fields.status("status", message.status, status, "BOOKING_STATUS_"),
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.desk.list(&scope, &wanted).await?;
        let bookings = found.iter().map(|(id, booking)| self.show(*id, booking)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListBookingsResponse { bookings, next_page_token }))
    }
}

fn read_book(mut fields: Fields, message: &proto::CreateBookingRequest, terms: &Terms) -> Result<Book, Status> {
    let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
    let customer = fields.check("customer", Payer::parse(&message.customer));
    let screening = fields.check("screening_id", ScreeningId::parse(&message.screening_id));
    let price = fields.money("total_price", message.total_price.as_ref());
    let method = fields.method("payment_method", message.payment_method);
    let seats = (!message.seats.is_empty()).then(|| fields.check("seats", Seats::parse(&message.seats))).flatten();
    let count = match (&seats, message.quantity) {
        // As many as are named.
        (Some(seats), 0) => i64::try_from(seats.count()).unwrap_or(i64::MAX),
        (_, quantity) => i64::from(quantity),
    };
    // Where seats are named wrongly, how many there would be is no concern.
    let counts = message.seats.is_empty() || seats.is_some();
    let most = i64::try_from(Seats::MOST).unwrap_or(i64::MAX);
    let quantity = Quantity::new(count).ok().filter(|_| count <= most).ok_or("must be 1 to 100, or follow from seats");
    let quantity = counts.then(|| fields.check("quantity", quantity)).flatten();
    let parts = shop.zip(customer).zip(screening).zip(price).zip(method).zip(quantity);
    let (((((shop, customer), screening), price), method), quantity) = fields.finish_with(parts)?;
    let Terms { pay_within, select_within, .. } = *terms;
    Ok(Book { shop, customer, screening, seats, quantity, price, method, pay_within, select_within })
}

fn show(id: Id<Booking>, booking: &Standing<Booking>, brand: &str) -> Option<proto::Booking> {
    let state = &booking.state;
    let details = state.details()?;
    let status = proto::BookingStatus::from_str_name(&format!("BOOKING_STATUS_{}", state.status()))?;
    let chosen = state.chosen();
    let mut shown = proto::Booking {
        booking_id: id.to_string(),
        shop_id: details.shop.to_string(),
        customer: details.customer.to_string(),
        screening_id: details.screening.to_string(),
        seats: seat_names(chosen.map(|chosen| &chosen.seats).or(details.seats.as_ref())),
        quantity: quantity(details.quantity),
        total_price: Some(money(&details.price)),
        payment_method: method(details.method).into(),
        brand: brand.to_owned(),
        payment_id: state.booked().map(|booked| booked.payment.clone()).unwrap_or_default(),
        ticket_id: chosen.and_then(|chosen| chosen.ticket.clone()).unwrap_or_default(),
        status: status.into(),
        pay_by: details.seats.is_none().then(|| timestamp(details.pay_by)),
        revision: booking.revision.cast_signed(),
        create_time: Some(timestamp(booking.created)),
        update_time: Some(timestamp(booking.updated)),
        ..proto::Booking::default()
    };
    match state {
        Booking::Asking { seat_by, .. } => shown.seat_by = seat_by.map(timestamp),
        Booking::Paid { seat_by, .. } | Booking::Selecting { seat_by, .. } => {
            shown.seat_by = Some(timestamp(*seat_by));
        }
        Booking::Cancelling(Cancelling { reason, note, .. }) | Booking::Cancelled(Cancelling { reason, note, .. }) => {
            shown.set_cancel_reason(cancel_reason(*reason));
            shown.cancel_note = note.to_string();
        }
        Booking::Failed { reason, billed, .. } => {
            shown.set_fail_reason(fail_reason(*reason));
            if let highstreet_domain::booking::Billed::Yes { payment } = billed {
                shown.payment_id.clone_from(payment);
            }
        }
        Booking::Unborn
        | Booking::Pending { .. }
        | Booking::Reserving(_)
        | Booking::Reserved { .. }
        | Booking::Confirmed(_)
        | Booking::Completed { .. } => {}
    }
    Some(shown)
}
