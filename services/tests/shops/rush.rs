//! Everybody at once.

use highstreet_wire::proto::booking::BookingStatus;
use highstreet_wire::proto::booking::CreateBookingRequest;
use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::payment::{Payment, PaymentStatus};
use highstreet_wire::proto::seating::{OpenScreeningRequest, SeatStatus};
use tonic::{Code, Status};

use crate::common::{eventually, reason, stories};
use crate::house::{Cinema, SCREENING, SHOP, all_at_once, seats};

stories![cinema_a7_a_thousand_customers_want_one_seat, a_full_house_at_once];

const CUSTOMERS: usize = 1000;
const ROWS: usize = 16;

/// Books, and comes back as long as it is told to; and how often it was.
async fn insist(
    mut bookings: BookingServiceClient<tonic::transport::Channel>,
    request: CreateBookingRequest,
) -> (Result<BookingStatus, Status>, usize) {
    let mut put_off = 0;
    loop {
        match bookings.create_booking(request.clone()).await {
            Err(status) if status.code() == Code::Unavailable => put_off += 1,
            Err(status) => return (Err(status), put_off),
            Ok(response) => return (Ok(response.into_inner().booking.unwrap().status()), put_off),
        }
        tokio::task::yield_now().await;
    }
}

/// One booking stands, and is paid for. Whoever was put off on a machine that is too busy may have paid, and was paid
/// back; if nobody was, nobody else came that far.
async fn one_booking_one_payment(cinema: &Cinema, put_off: usize) {
    let (stand, failed): (Vec<_>, Vec<_>) =
        cinema.all_bookings().await.into_iter().partition(|it| it.status() == BookingStatus::Confirmed);
    assert_eq!(stand.len(), 1);
    assert!(failed.len() <= put_off && failed.iter().all(|it| it.status() == BookingStatus::Failed), "{failed:?}");
    let paid = |it: &Payment| it.status() == PaymentStatus::Approved;
    let given_up = |it: &Payment| it.status() == PaymentStatus::Cancelled;
    eventually("one payment stands", || async {
        let payments = cinema.all_payments().await;
        assert!(payments.len() <= 1 + put_off, "not one payment more than bookings: {payments:?}");
        let (charged, refunded) = cinema.money_moved();
        let settled = payments.iter().all(|it| paid(it) || given_up(it)) && charged == refunded + 1;
        (settled && payments.iter().filter(|it| paid(it)).count() == 1).then_some(())
    })
    .await;
}

/// CINEMA-A7, CINEMA-X6: one gets the seat, and only one pays for it.
#[tokio::test(flavor = "multi_thread")]
async fn cinema_a7_a_thousand_customers_want_one_seat() {
    let cinema = Cinema::open().await;
    let outcomes = all_at_once(CUSTOMERS, |number| {
        let customer = format!("customer {number}");
        insist(cinema.bookings(), CreateBookingRequest { shop_id: cinema.shop(SHOP), customer, ..seats(&["1A"]) })
    })
    .await;
    let put_off: usize = outcomes.iter().map(|(_, put_off)| put_off).sum();
    let outcomes = outcomes.into_iter().map(|(outcome, _)| outcome);
    let (booked, refused): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
    assert_eq!((booked.len(), refused.len()), (1, CUSTOMERS - 1));
    for status in refused.into_iter().filter_map(Result::err) {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SEAT_TAKEN"));
    }
    one_booking_one_payment(&cinema, put_off).await;
    assert_eq!(cinema.occupied().await, [("1A".to_owned(), SeatStatus::Assigned)]);
    eventually("the ticket", || async { (cinema.all_tickets().await.len() == 1).then_some(()) }).await;
}

/// CINEMA-X6: a full house of 256 customers, each with a seat of their own, get in each other's way nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_at_once() {
    let cinema = Cinema::open().await;
    let side = i32::try_from(ROWS).unwrap();
    let open = OpenScreeningRequest {
        shop_id: cinema.shop(SHOP),
        screening_id: SCREENING.into(),
        movie_name: "Soul".into(),
        hall: "IMAX".into(),
        rows: side,
        seats_per_row: side,
        ..Default::default()
    };
    let opened = cinema.seating().open_screening(open).await.unwrap().into_inner().screening.unwrap();
    let names: Vec<String> = opened.seats.into_iter().map(|seat| seat.name).collect();
    assert_eq!(names.len(), ROWS * ROWS);
    let outcomes = all_at_once(names.len(), |number| {
        insist(cinema.bookings(), CreateBookingRequest { shop_id: cinema.shop(SHOP), ..seats(&[&names[number]]) })
    })
    .await;
    for (outcome, _) in outcomes {
        assert_eq!(outcome.unwrap(), BookingStatus::Confirmed);
    }
    assert_eq!(cinema.occupied().await.len(), names.len());
    let all_paid = || async {
        let (charged, refunded) = cinema.money_moved();
        (charged - refunded == names.len()).then_some(())
    };
    eventually("everybody has paid once", all_paid).await;
}
