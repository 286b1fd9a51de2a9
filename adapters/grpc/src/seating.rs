//! Seating over gRPC.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Filter};
use highstreet_domain::kernel::{Payer, ProductName, ScreeningId, Seat, Seats, ShopId, Standing, Timestamp};
use highstreet_domain::seating::{
    Change, Command, Details, Guest, Hall, Opened as Open, Screening, ScreeningName, SeatStatus,
};
use highstreet_wire::convert::timestamp;
use highstreet_wire::proto::seating as proto;
use highstreet_wire::proto::seating::seating_service_server::SeatingService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::{Changing, Opened};
use crate::page::Wanted;
use crate::scope::asked;
use crate::status::not_found;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Seating, inbound.
pub struct Seating {
    desk: Desk<Screening>,
    clock: Arc<dyn Clock>,
    hold_for: Duration,
}

/// A request about the seats of a booking.
trait OfBooking: Changing {
    fn wish(&self) -> Wish<'_>;
}

/// What all of them say.
struct Wish<'a> {
    shop: &'a str,
    screening: &'a str,
    booking: &'a str,
    revision: i64,
    customer: &'a str,
    seats: &'a [String],
}

/// Which of its seats a booking lets go of.
enum Which {
    All,
    These(Seats),
}

macro_rules! of_booking {
    ($($request:ty),*) => {
        $(impl OfBooking for $request {
            fn wish(&self) -> Wish<'_> {
                Wish {
                    shop: &self.shop_id,
                    screening: &self.screening_id,
                    booking: &self.booking_id,
                    revision: self.booking_revision,
                    customer: &self.customer,
                    seats: &self.seats,
                }
            }
        })*
    };
}

of_booking!(proto::HoldSeatsRequest, proto::AssignSeatsRequest, proto::ReleaseSeatsRequest);

// === impl Seating ===

impl Seating {
    /// Seating at `desk`, where a hold lasts for `hold_for`.
    pub fn new(desk: Desk<Screening>, hold_for: Duration) -> Self {
        Self { clock: desk.clock.clone(), desk, hold_for }
    }

    /// Changes the seats of a booking, as all three calls about them do.
    async fn seat<R: OfBooking, S>(
        &self,
        request: Request<R>,
        read_seats: impl FnOnce(&mut Fields, &[String]) -> Option<S>,
        command: impl FnOnce(Change, S) -> Command,
    ) -> Result<Option<proto::Screening>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let wish = message.wish();
        let change = read_change(&mut fields, &wish);
        let seats = read_seats(&mut fields, wish.seats);
        let (change, seats) = fields.finish_with(change.zip(seats))?;
        let id = change.name.id();
        let (_, screening) = self.desk.change(&call, terms, id, command(change, seats)).await?;
        Ok(show(&screening))
    }

    fn show_with_seats(&self, screening: &Standing<Screening>) -> Option<proto::Screening> {
        let opened = screening.state.opened.as_ref()?;
        let now = self.clock.now();
        let seats = opened.details.hall.seats().map(|seat| show_seat(opened, seat, now)).collect();
        Some(proto::Screening { seats, ..show(screening)? })
    }
}

#[async_trait]
impl SeatingService for Seating {
    async fn open_screening(
        &self,
        request: Request<proto::OpenScreeningRequest>,
    ) -> Result<Response<proto::OpenScreeningResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let name = read_name(&mut fields, &message.shop_id, &message.screening_id);
        let details = read_details(&mut fields, &message);
        let (name, details) = fields.finish_with(name.zip(details))?;
        let (_, screening) = self.desk.change(&call, terms, name.id(), Command::Open(name, details)).await?;
        Ok(Response::new(proto::OpenScreeningResponse { screening: self.show_with_seats(&screening) }))
    }

    async fn hold_seats(
        &self,
        request: Request<proto::HoldSeatsRequest>,
    ) -> Result<Response<proto::HoldSeatsResponse>, Status> {
        let hold = |change, seats| Command::Hold { change, seats, hold_for: self.hold_for };
        let screening = self.seat(request, some_seats, hold).await?;
        Ok(Response::new(proto::HoldSeatsResponse { screening }))
    }

    async fn assign_seats(
        &self,
        request: Request<proto::AssignSeatsRequest>,
    ) -> Result<Response<proto::AssignSeatsResponse>, Status> {
        let assign = |change, seats| Command::Assign { change, seats };
        let screening = self.seat(request, some_seats, assign).await?;
        Ok(Response::new(proto::AssignSeatsResponse { screening }))
    }

    async fn release_seats(
        &self,
        request: Request<proto::ReleaseSeatsRequest>,
    ) -> Result<Response<proto::ReleaseSeatsResponse>, Status> {
        let release = |change, which| match which {
            Which::All => Command::Release { change, seats: None },
            Which::These(seats) => Command::Release { change, seats: Some(seats) },
        };
        let screening = self.seat(request, some_or_all_seats, release).await?;
        Ok(Response::new(proto::ReleaseSeatsResponse { screening }))
    }

    async fn get_screening(
        &self,
        request: Request<proto::GetScreeningRequest>,
    ) -> Result<Response<proto::GetScreeningResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let name = read_name(&mut fields, &message.shop_id, &message.screening_id);
        let name = fields.finish_with(name)?;
        let screening = self.desk.find(&scope, name.id()).await?;
        let screening = self.show_with_seats(&screening);
        let screening = screening.ok_or_else(|| not_found("screening", name.screening.as_str()))?;
        Ok(Response::new(proto::GetScreeningResponse { screening: Some(screening) }))
    }

    async fn list_screenings(
        &self,
        request: Request<proto::ListScreeningsRequest>,
    ) -> Result<Response<proto::ListScreeningsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.desk.list(&scope, &wanted).await?;
        let screenings = found.iter().filter_map(|(_, screening)| show(screening)).collect();
        Ok(Response::new(proto::ListScreeningsResponse { screenings, next_page_token }))
    }
}

fn read_name(fields: &mut Fields, shop: &str, screening: &str) -> Option<ScreeningName> {
    let shop = fields.check("shop_id", ShopId::parse(shop));
    let screening = fields.check("screening_id", ScreeningId::parse(screening));
    shop.zip(screening).map(|(shop, screening)| ScreeningName { shop, screening })
}

fn read_change(fields: &mut Fields, wish: &Wish<'_>) -> Option<Change> {
    let name = read_name(fields, wish.shop, wish.screening);
    let booking = fields.uuid("booking_id", wish.booking);
    let revision = u64::try_from(wish.revision).ok().filter(|revision| *revision > 0).ok_or("must be 1 or more");
    let revision = fields.check("booking_revision", revision);
    let customer = fields.optional("customer", wish.customer, Payer::parse);
    let customer = customer.map(|it| it.to_string()).unwrap_or_default();
    let ((name, booking), revision) = name.zip(booking).zip(revision)?;
    Some(Change { name, guest: Guest { booking: booking.to_string(), customer }, revision })
}

fn some_seats(fields: &mut Fields, seats: &[String]) -> Option<Seats> {
    fields.check("seats", Seats::parse(seats))
}

fn some_or_all_seats(fields: &mut Fields, seats: &[String]) -> Option<Which> {
    if seats.is_empty() { Some(Which::All) } else { some_seats(fields, seats).map(Which::These) }
}

fn read_details(fields: &mut Fields, message: &proto::OpenScreeningRequest) -> Option<Details> {
    let movie = fields.check("movie_name", ProductName::parse(&message.movie_name));
    let name = fields.optional("hall", &message.hall, ProductName::parse);
    let size = |wanted: i32, most: u8| u8::try_from(wanted).ok().filter(|size| (1..=most).contains(size));
    let rows = fields.check("rows", size(message.rows, Seat::MOST_ROWS).ok_or("must be 1 to 99"));
    let seats = size(message.seats_per_row, Seat::MOST_IN_ROW).ok_or("must be 1 to 26");
    let seats_per_row = fields.check("seats_per_row", seats);
    let starts_at = message.starts_at.as_ref().map(|time| {
        let micros = time.seconds.saturating_mul(MICROS_PER_SECOND).saturating_add(i64::from(time.nanos / 1000));
        Timestamp::from_micros(micros)
    });
    let ((movie, rows), seats_per_row) = movie.zip(rows).zip(seats_per_row)?;
    let name = name.map(|name| name.to_string()).unwrap_or_default();
    Some(Details { movie, hall: Hall { name, rows, seats_per_row }, starts_at })
}

/// A screening without its seat map; `None` if nobody opened it.
fn show(screening: &Standing<Screening>) -> Option<proto::Screening> {
    let Open { name, details, .. } = screening.state.opened.as_ref()?;
    Some(proto::Screening {
        screening_id: name.screening.to_string(),
        shop_id: name.shop.to_string(),
        movie_name: details.movie.to_string(),
        hall: details.hall.name.clone(),
        starts_at: details.starts_at.map(timestamp),
        rows: details.hall.rows.into(),
        seats_per_row: details.hall.seats_per_row.into(),
        seats: Vec::new(),
        revision: screening.revision.cast_signed(),
        create_time: Some(timestamp(screening.created)),
        update_time: Some(timestamp(screening.updated)),
    })
}

fn show_seat(opened: &Open, seat: Seat, now: Timestamp) -> proto::Seat {
    let status = match opened.status(seat, now) {
        SeatStatus::Free => proto::SeatStatus::Free,
        SeatStatus::Held => proto::SeatStatus::Held,
        SeatStatus::Assigned => proto::SeatStatus::Assigned,
    };
    proto::Seat { name: seat.to_string(), status: status.into() }
}
