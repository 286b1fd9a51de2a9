//! What callers of the library may rely on: errors, request ids, revisions, pages.

use highstreet_wire::proto::lending::{
    CancelReservationRequest, GetReservationRequest, ListBooksRequest, ListReservationsRequest,
    RequestReservationRequest, ReservationStatus,
};
use tonic::Code;
use uuid::Uuid;

use super::{BOOK, Library, MINA};
use crate::common::{bad_fields, reason, stories};

stories![errors_repeats_revisions, lists_come_in_pages_newest_first];

#[tokio::test]
async fn errors_repeats_revisions() {
    let library = Library::open().await;
    let nothing = RequestReservationRequest { request_id: "7".into(), ..Default::default() };
    let refused = library.lending().request_reservation(nothing).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["book_id", "request_id", "shop_id", "user_id"]);
    let list = ListReservationsRequest { status: 99, page_size: -1, ..Default::default() };
    let refused = library.lending().list_reservations(list).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["page_size", "shop_id", "status"]);
    let id = Uuid::now_v7().to_string();
    let get = GetReservationRequest { reservation_id: id.clone() };
    let unknown = library.lending().get_reservation(get).await.unwrap_err();
    let cancel = CancelReservationRequest { reservation_id: id, ..Default::default() };
    for refused in [unknown, library.lending().cancel_reservation(cancel).await.unwrap_err()] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "RESERVATION_NOT_FOUND"));
    }

    library.receive(BOOK, 5).await;
    let request =
        RequestReservationRequest { request_id: Uuid::now_v7().to_string(), ..library.request_of(MINA, BOOK) };
    let first = library.lending().request_reservation(request.clone()).await.unwrap().into_inner().reservation.unwrap();
    assert_eq!(library.answered(&first).await, ReservationStatus::Confirmed);
    let again = library.lending().request_reservation(request.clone()).await.unwrap().into_inner().reservation;
    assert_eq!(again.as_ref(), Some(&first), "the first answer");
    library.stocked(BOOK, 4).await;
    let other = RequestReservationRequest { book_id: "another".into(), ..request };
    assert_eq!(reason(&library.lending().request_reservation(other).await.unwrap_err()), "REQUEST_ID_REUSED");
    let stale = CancelReservationRequest {
        reservation_id: first.reservation_id.clone(),
        expected_revision: Some(first.revision),
        ..Default::default()
    };
    let refused = library.lending().cancel_reservation(stale).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "REVISION_MISMATCH"), "confirmed since");
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let library = Library::open().await;
    let (mut books, mut mine) = (Vec::new(), Vec::new());
    for number in 0..5 {
        let book = format!("book-{number}");
        library.receive(&book, 1).await;
        library.listed(&book, 1).await;
        mine.insert(0, library.reserve(MINA, &book).await.reservation_id);
        library.reserve("joon", &book).await;
        books.insert(0, book);
    }
    let mut list = ListBooksRequest { shop_id: library.name(), page_size: 2, ..Default::default() };
    let mut listed = Vec::new();
    loop {
        let page = library.lending().list_books(list.clone()).await.unwrap().into_inner();
        assert!(page.books.len() <= 2);
        listed.extend(page.books.into_iter().map(|book| book.book_id));
        list.page_token = page.next_page_token;
        if list.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, books);
    list.page_token = "nonsense".into();
    assert_eq!(bad_fields(&library.lending().list_books(list).await.unwrap_err()), ["page_token"]);
    let list =
        ListReservationsRequest { shop_id: library.name(), user_id: "+82 10 1234 5678".into(), ..Default::default() };
    let found = library.lending().list_reservations(list).await.unwrap().into_inner().reservations;
    assert_eq!(found.into_iter().map(|it| it.reservation_id).collect::<Vec<_>>(), mine);
}
