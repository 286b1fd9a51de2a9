//! What the library does when everything works.

use highstreet_wire::proto::lending::ReservationStatus;
use tonic::Code;

use super::{BOOK, Library, MINA, root};
use crate::common::{count, eventually, reason, stories};

stories![
    library_a1_a_reservation_of_a_book_that_is_there,
    library_a2_a_reservation_of_a_book_that_is_not_there,
    library_a3_reserved_and_cancelled,
    library_x3_a_failed_reservation_is_over,
    library_a6_cancellations_race_inventory,
    library_a7_a_thousand_customers_and_ten_copies
];

const CONFIRMED: &str = "예약 완료 되었습니다";
const FAILED: &str = "예약에 실패했습니다";
const CANCELLED: &str = "예약 취소 되었습니다";

/// LIBRARY-A1, and on the way LIBRARY-F1 (books are received), LIBRARY-F2 (the stock grows), LIBRARY-F3 (the list),
/// LIBRARY-F4 (one copy), LIBRARY-F5 (there is one), LIBRARY-F7 (it is taken), LIBRARY-F10 and LIBRARY-N4 (the message).
#[tokio::test]
async fn library_a1_a_reservation_of_a_book_that_is_there() {
    let library = Library::open().await;
    assert_eq!(library.receive(BOOK, 5).await.on_hand, 5);
    let book = library.listed(BOOK, 5).await;
    assert_eq!(book.title, format!("책 {BOOK}"));

    let reservation = library.reserve(MINA, &book.book_id).await;
    assert_eq!(library.answered(&reservation).await, ReservationStatus::Confirmed);
    library.stocked(BOOK, 4).await;
    library.listed(BOOK, 4).await;
    let told = library.told(1).await;
    assert!(told[0].starts_with(CONFIRMED), "{told:?}");
    let events = ["ReservationRequested", "StockWithdrawn", "ReservationConfirmed"];
    let trace = library.traced_once(&root(&reservation), &events).await;
    assert_eq!((trace.status.as_str(), trace.customer.as_str()), ("CONFIRMED", MINA));
}

/// LIBRARY-A2, LIBRARY-F6: without a copy it fails, and nobody hears of anything completed (LIBRARY-X4); nor does a book
/// that nobody ever received leave a reservation pending (LIBRARY-X2), or come to the list.
#[tokio::test]
async fn library_a2_a_reservation_of_a_book_that_is_not_there() {
    let library = Library::open().await;
    assert_eq!(library.receive("book-2", 0).await.on_hand, 0);
    for (book, messages) in [("book-2", 1), ("never-received", 2)] {
        let reservation = library.reserve(MINA, book).await;
        assert_eq!(library.answered(&reservation).await, ReservationStatus::Failed);
        assert_eq!(library.on_hand(book).await, Some(0));
        library.traced(&root(&reservation), "FAILED").await;
        let told = library.told(messages).await;
        assert!(told.iter().all(|text| text.starts_with(FAILED)), "{told:?}");
    }
    library.listed("book-2", 0).await;
    let titles: Vec<_> = library.books(false).await.into_iter().map(|book| book.book_id).collect();
    assert_eq!(titles, ["book-2"]);
    // What comes behind them is told behind them: had anything else been said, it would be here.
    library.receive(BOOK, 1).await;
    library.reserved(MINA, BOOK).await;
    assert!(library.told(3).await[2].starts_with(CONFIRMED));
}

/// LIBRARY-A3, LIBRARY-F8, LIBRARY-F9: a cancellation puts the copy back, once.
#[tokio::test]
async fn library_a3_reserved_and_cancelled() {
    let library = Library::open().await;
    library.receive("book-3", 5).await;
    let reservation = library.reserved(MINA, "book-3").await;
    library.stocked("book-3", 4).await;
    library.told(1).await;
    assert_eq!(library.cancel(&reservation).await.unwrap().status(), ReservationStatus::Cancelled);
    library.stocked("book-3", 5).await;
    assert_eq!(library.cancel(&reservation).await.unwrap().status(), ReservationStatus::Cancelled, "no error");
    let told = library.told(2).await;
    assert!(told[0].starts_with(CONFIRMED) && told[1].starts_with(CANCELLED), "{told:?}");
    let events = ["StockWithdrawn", "ReservationConfirmed", "ReservationCancelled", "StockReturned"];
    assert_eq!(library.traced_once(&root(&reservation), &events).await.status, "CANCELLED");
}

/// LIBRARY-X3: what failed cannot be cancelled, and nothing is put back for it.
#[tokio::test]
async fn library_x3_a_failed_reservation_is_over() {
    let library = Library::open().await;
    library.receive(BOOK, 1).await;
    let kept = library.reserved(MINA, BOOK).await;
    let failed = library.reserve("joon", BOOK).await;
    assert_eq!(library.answered(&failed).await, ReservationStatus::Failed);
    let refused = library.cancel(&failed).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "RESERVATION_FAILED"));
    library.cancel(&kept).await.unwrap();
    library.stocked(BOOK, 1).await;
    let trace = library.traced(&root(&failed), "FAILED").await;
    assert_eq!(count(&trace, "StockReturned"), 0);
}

/// LIBRARY-A6: cancelled in the moment they are made, thirty times: whatever was taken meanwhile is put back, and the
/// stock ends where it began.
#[tokio::test]
async fn library_a6_cancellations_race_inventory() {
    let library = Library::open().await;
    library.receive(BOOK, 40).await;
    let racing = (0..30).map(|number| {
        let (library, user) = (&library, format!("user-{number}"));
        async move {
            let reservation = library.reserve(&user, BOOK).await;
            assert_eq!(library.cancel(&reservation).await.unwrap().status(), ReservationStatus::Cancelled);
            reservation
        }
    });
    for reservation in futures_util::future::join_all(racing).await {
        let returned = |trace: &_| count(trace, "StockReturned") == 1;
        eventually("the return", || async { library.trace(&root(&reservation)).await.filter(returned) }).await;
        assert_eq!(library.get(&reservation).await.status(), ReservationStatus::Cancelled);
    }
    library.reserved(MINA, BOOK).await;
    library.stocked(BOOK, 39).await;
}

/// LIBRARY-A7: a thousand customers want the last ten copies at once. LIBRARY-X1: each is answered, with an answer of
/// their own. How this looks with a guard switched off is shown in `testkit/tests/oversold.rs`.
#[tokio::test]
async fn library_a7_a_thousand_customers_and_ten_copies() {
    let library = Library::open().await;
    library.receive(BOOK, 10).await;
    let reserving = (0..1000).map(|number| {
        let (mut lending, request) = (library.lending(), library.request_of(&format!("user-{number}"), BOOK));
        async move { lending.request_reservation(request).await }
    });
    let answers = futures_util::future::join_all(reserving).await;
    let (mut confirmed, mut failed) = (0, 0);
    for answer in answers {
        let reservation = answer.expect("no call fails").into_inner().reservation.unwrap();
        match library.answered(&reservation).await {
            ReservationStatus::Confirmed => confirmed += 1,
            ReservationStatus::Failed => failed += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((confirmed, failed, library.on_hand(BOOK).await), (10, 990, Some(0)));
    library.listed(BOOK, 0).await;
    assert!(library.books(true).await.is_empty());
}
