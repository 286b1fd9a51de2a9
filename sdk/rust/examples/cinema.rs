//! An evening at the cinema: two seats, a seat that is taken, a ticket collected, and a cancellation that comes too late.
//!
//! ```sh
//! cargo run --package highstreet-client --example cinema -- http://127.0.0.1:8088
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use highstreet_client::proto::Money;
use highstreet_client::proto::booking::{BookingStatus, CancelBookingRequest, CreateBookingRequest, GetBookingRequest};
use highstreet_client::proto::common::PaymentMethod;
use highstreet_client::proto::loyalty::{GetAccountRequest, Program};
use highstreet_client::proto::seating::{GetScreeningRequest, SeatStatus};
use highstreet_client::proto::ticketing::get_ticket_request::Target;
use highstreet_client::proto::ticketing::{CollectTicketRequest, GetTicketRequest, TicketStatus};
use highstreet_client::{Street, reason};
use tonic::{Code, Status};

const SHOP: &str = "cgv-gangnam";
const SEATS: [&str; 2] = ["1A", "2B"];

/// What came of the evening.
#[derive(Debug, PartialEq, Eq)]
pub struct Evening {
    /// Why somebody else could not have one of the seats.
    pub taken: Option<String>,
    /// Why it could not be cancelled afterwards.
    pub too_late: Option<String>,
    /// The points of the customer.
    pub points: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8088".into());
    let mut street = Street::at(address)?;
    if let Ok(token) = env::var("HIGHSTREET_TOKEN") {
        street = street.with_token(&token)?;
    }
    play(&street).await?;
    Ok(())
}

/// Plays it.
pub async fn play(street: &Street) -> Result<Evening, Box<dyn Error>> {
    // Names of this play's own, so that it can be played again on the same street.
    let number = fastrand::u32(..);
    let (screening, customer) = (format!("soul-{number:08x}"), format!("minji-{number:08x}"));

    let booked = street.booking().create_booking(wish(&customer, &screening)).await?.into_inner();
    let booking = booked.booking.ok_or("a booking")?;
    println!("booked {} at {}: {}", SEATS.join(" and "), booking.brand, booking.status().as_str_name());
    let anothers = street.booking().create_booking(wish("haneul", &screening)).await;
    let taken = anothers.err().as_ref().and_then(reason);
    println!("another wants them: {taken:?}");
    println!("free: {}", free_seats(street, &screening).await?);

    // Contexts hear of each other some milliseconds after a call was answered.
    let by_booking = GetTicketRequest { target: Some(Target::BookingId(booking.booking_id.clone())) };
    let ticket =
        eventually("the ticket is issued", async || match street.ticketing().get_ticket(by_booking.clone()).await {
            Ok(answer) => Ok(answer.into_inner().ticket),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        });
    let ticket_id = ticket.await?.ticket_id;
    let collect = CollectTicketRequest { ticket_id, ..CollectTicketRequest::default() };
    let ticket = street.ticketing().collect_ticket(collect).await?.into_inner().ticket.ok_or("a ticket")?;
    println!("collected the ticket: {}", ticket.status().as_str_name());
    assert_eq!(ticket.status(), TicketStatus::Collected);

    let account = GetAccountRequest { shop_id: SHOP.into(), program: Program::Points.into(), member: customer };
    let points = street.loyalty().get_account(account).await?.into_inner().account.ok_or("an account")?.balance;
    println!("points: {points}");

    let by_id = GetBookingRequest { booking_id: booking.booking_id.clone() };
    eventually("the booking is completed", async || {
        let booking = street.booking().get_booking(by_id.clone()).await?.into_inner().booking;
        Ok(booking.filter(|booking| booking.status() == BookingStatus::Completed))
    })
    .await?;
    let cancel = CancelBookingRequest { booking_id: booking.booking_id, ..CancelBookingRequest::default() };
    let too_late = street.booking().cancel_booking(cancel).await.err().as_ref().and_then(reason);
    println!("cancelling it now: {too_late:?}");
    Ok(Evening { taken, too_late, points })
}

fn wish(customer: &str, screening: &str) -> CreateBookingRequest {
    CreateBookingRequest {
        shop_id: SHOP.into(),
        customer: customer.into(),
        screening_id: screening.into(),
        seats: SEATS.map(str::to_owned).into(),
        total_price: Some(Money { currency_code: "KRW".into(), units: 20_000, nanos: 0 }),
        payment_method: PaymentMethod::Card.into(),
        ..CreateBookingRequest::default()
    }
}

async fn free_seats(street: &Street, screening: &str) -> Result<usize, Status> {
    let request = GetScreeningRequest { shop_id: SHOP.into(), screening_id: screening.into() };
    let screening = street.seating().get_screening(request).await?.into_inner().screening.unwrap_or_default();
    Ok(screening.seats.iter().filter(|seat| seat.status() == SeatStatus::Free).count())
}

/// Looks until there is something to see.
async fn eventually<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Status>,
) -> Result<T, Box<dyn Error>> {
    let looking = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
        }
    };
    let patience = Duration::from_secs(10);
    let seen = tokio::time::timeout(patience, looking).await;
    seen.unwrap_or_else(|_| Err(Status::deadline_exceeded(what))).map_err(Into::into)
}
