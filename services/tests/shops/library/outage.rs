//! What the library does when something is away.

use highstreet::ContextName;
use highstreet_wire::proto::lending::ReservationStatus;
use highstreet_wire::proto::notification::NotificationStatus;

use super::{BOOK, Library, MINA, root};
use crate::common::{count, eventually, stories};

stories![
    library_a4_messages_wait_for_notification,
    library_a5_reservations_wait_for_inventory,
    library_a6_cancelled_before_inventory_answers,
    library_n3_the_list_answers_without_inventory
];

/// LIBRARY-A4, LIBRARY-N4: reservations need no notification; the message comes when it is back, once.
#[tokio::test]
async fn library_a4_messages_wait_for_notification() {
    let mut library = Library::open().await;
    library.receive(BOOK, 5).await;
    library.stop(ContextName::Notification).await;
    library.reserved(MINA, BOOK).await;
    library.start(ContextName::Notification).await;
    library.told(1).await;
    // Behind it: had the first been told twice, there would be more than two.
    library.reserved("joon", BOOK).await;
    let told = library.told(2).await;
    assert!(told.iter().all(|text| text.starts_with("예약 완료 되었습니다")), "{told:?}");
    eventually("both are sent", || async {
        library.messages().await.iter().all(|it| it.status() == NotificationStatus::Sent).then_some(())
    })
    .await;
}

/// LIBRARY-A5, LIBRARY-N1, LIBRARY-N2: reservations are taken while inventory is away, and resolved when it is back,
/// each once. LIBRARY-F3, LIBRARY-N3: meanwhile lending shows the books by itself.
#[tokio::test]
async fn library_a5_reservations_wait_for_inventory() {
    let mut library = Library::open().await;
    library.receive(BOOK, 2).await;
    library.listed(BOOK, 2).await;
    library.stop(ContextName::Inventory).await;
    let mut reservations = Vec::new();
    for user in ["mina", "joon", "sora"] {
        reservations.push(library.reserve(user, BOOK).await);
    }
    assert_eq!(library.books(true).await.len(), 1, "as inventory told last");
    for reservation in &reservations {
        assert_eq!(library.get(reservation).await.status(), ReservationStatus::Requested);
    }

    library.start(ContextName::Inventory).await;
    let mut answers = Vec::new();
    for reservation in &reservations {
        answers.push(library.answered(reservation).await);
        let moves = |trace: &_| count(trace, "StockWithdrawn") + count(trace, "StockShort");
        let look = || async { library.trace(&root(reservation)).await.filter(|trace| moves(trace) > 0) };
        assert_eq!(moves(&eventually("inventory's part of the trace", look).await), 1);
    }
    answers.sort_unstable();
    let expected = [ReservationStatus::Confirmed, ReservationStatus::Confirmed, ReservationStatus::Failed];
    assert_eq!((answers.as_slice(), library.on_hand(BOOK).await), (&expected[..], Some(0)));
    library.listed(BOOK, 0).await;
    assert!(library.books(true).await.is_empty());
    assert_eq!(library.told(3).await.len(), 3);
}

/// LIBRARY-A6: cancelled before inventory has answered; it answers when it is back, and the stock ends where it began.
#[tokio::test]
async fn library_a6_cancelled_before_inventory_answers() {
    let mut library = Library::open().await;
    library.receive(BOOK, 1).await;
    library.stop(ContextName::Inventory).await;
    let reservation = library.reserve(MINA, BOOK).await;
    assert_eq!(library.cancel(&reservation).await.unwrap().status(), ReservationStatus::Cancelled);
    library.start(ContextName::Inventory).await;
    eventually("the return", || async {
        library.trace(&root(&reservation)).await.filter(|trace| count(trace, "StockReturned") == 1)
    })
    .await;
    assert_eq!(library.get(&reservation).await.status(), ReservationStatus::Cancelled);
    library.stocked(BOOK, 1).await;
    library.reserved("joon", BOOK).await;
    library.stocked(BOOK, 0).await;
    let told = library.told(2).await;
    assert!(told[0].starts_with("예약 취소 되었습니다") && told[1].starts_with("예약 완료 되었습니다"), "{told:?}");
}

/// LIBRARY-N3, LIBRARY-X5: the list of books is lending's own: it answers, and is right, with inventory away.
#[tokio::test]
async fn library_n3_the_list_answers_without_inventory() {
    let mut library = Library::open().await;
    for (book, copies) in [("a", 3), ("b", 0), ("c", 1)] {
        library.receive(book, copies).await;
        library.listed(book, copies.into()).await;
    }
    library.stop(ContextName::Inventory).await;
    let listed = |books: Vec<highstreet_wire::proto::lending::Book>| {
        books.into_iter().map(|book| (book.book_id, book.title, book.available)).collect::<Vec<_>>()
    };
    let book = |id: &str, copies| (id.to_owned(), format!("책 {id}"), copies);
    assert_eq!(listed(library.books(false).await), [book("c", 1), book("b", 0), book("a", 3)]);
    assert_eq!(listed(library.books(true).await), [book("c", 1), book("a", 3)]);
}
