//! An afternoon at the library: a reservation, a reader who comes too late for the last copy, and a cancellation that
//! leaves it to them after all.

use highstreet_wire::proto::inventory::ReceiveStockRequest;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::lending::{
    Book, CancelReservationRequest, ListBooksRequest, RequestReservationRequest, Reservation, ReservationStatus,
};
use tonic::Status;

use super::tell;
use super::visitor::{Played, Visitor, eventually, expect, expect_refusal, fresh_id, fresh_name, won};
use crate::client::Channel;

const MINA: &str = "mina";
const JUNO: &str = "juno";

/// What can be borrowed.
#[derive(Clone, Copy)]
struct Title {
    id: &'static str,
    name: &'static str,
}

const PACHINKO: Title = Title { id: "pachinko", name: "Pachinko" };
const ALMOND: Title = Title { id: "almond", name: "Almond" };

const CONFIRMED: [&str; 3] = ["ReservationRequested", "StockWithdrawn", "ReservationConfirmed"];
const FAILED: [&str; 3] = ["ReservationRequested", "StockShort", "ReservationFailed"];

struct Library {
    visitor: Visitor,
}

pub(super) async fn play(channel: Channel) -> Played {
    let shop = fresh_name("library");
    tell::story(&format!("Library {shop}"));
    // A library of this play's own: its list of books is the story's.
    let mut library = Library { visitor: Visitor::enter(channel, &shop, "").await? };

    tell::chapter("Five copies of one book, one of the other, and a reservation");
    library.receive(PACHINKO, 5).await?;
    library.receive(ALMOND, 1).await?;
    library.list_books(&[(ALMOND, 1), (PACHINKO, 5)]).await?;
    let reservation = library.reserve(MINA, PACHINKO).await?;
    library.visitor.conclude(&reservation.reservation_id, "CONFIRMED", &CONFIRMED).await?;
    library.list_books(&[(ALMOND, 1), (PACHINKO, 4)]).await?;

    tell::chapter("Two readers, and the last copy");
    let last = library.reserve(MINA, ALMOND).await?;
    library.visitor.hear(&last.reservation_id, "ReservationConfirmed").await?;
    let late = library.reserve(JUNO, ALMOND).await?;
    library.visitor.conclude(&late.reservation_id, "FAILED", &FAILED).await?;
    library.list_books(&[(ALMOND, 0), (PACHINKO, 4)]).await?;
    let answer = library.cancel(&late).await;
    expect_refusal(JUNO, "CancelReservation, of what failed", answer, "RESERVATION_FAILED")?;

    tell::chapter("The last copy is given back, and goes to who wanted it");
    let status = library.cancel(&last).await?.status();
    tell::call(MINA, "CancelReservation", tell::name(status.as_str_name()));
    expect("the reservation", &status, &ReservationStatus::Cancelled)?;
    let given_back = [&CONFIRMED[..], &["ReservationCancelled", "StockReturned"]].concat();
    library.visitor.conclude(&last.reservation_id, "CANCELLED", &given_back).await?;
    library.list_books(&[(ALMOND, 1), (PACHINKO, 4)]).await?;
    let again = library.reserve(JUNO, ALMOND).await?;
    library.visitor.hear(&again.reservation_id, "ReservationConfirmed").await?;
    library.list_books(&[(ALMOND, 0), (PACHINKO, 4)]).await?;

    tell::chapter("What the readers were told");
    let to_mina = ["ReservationConfirmed", "ReservationConfirmed", "ReservationCancelled"];
    library.visitor.read_messages(MINA, MINA, &to_mina).await?;
    library.visitor.read_messages(JUNO, JUNO, &["ReservationFailed", "ReservationConfirmed"]).await
}

// === impl Library ===

impl Library {
    async fn receive(&self, title: Title, copies: i32) -> Played {
        let request = ReceiveStockRequest {
            shop_id: self.visitor.shop(),
            sku: title.id.into(),
            product_name: title.name.into(),
            quantity: copies,
            unit_price: Some(won(0)),
            request_id: fresh_id(),
            ..ReceiveStockRequest::default()
        };
        let receiving = self
            .visitor
            .ask(request, async |channel, request| InventoryServiceClient::new(channel).receive_stock(request).await);
        let stock = receiving.await?.stock.unwrap_or_default();
        let what = format!("ReceiveStock {copies} × {}", title.name);
        tell::call("librarian", &what, &format!("{} on hand", stock.on_hand));
        expect("the copies", &stock.on_hand, &copies.into())
    }

    async fn reserve(&self, reader: &str, title: Title) -> Played<Reservation> {
        let request = RequestReservationRequest {
            shop_id: self.visitor.shop(),
            user_id: reader.into(),
            book_id: title.id.into(),
            request_id: fresh_id(),
        };
        let requesting = self.visitor.ask(request, async |channel, request| {
            LendingServiceClient::new(channel).request_reservation(request).await
        });
        let reservation = requesting.await?.reservation.unwrap_or_default();
        let what = format!("RequestReservation {}", title.name);
        tell::call(reader, &what, tell::name(reservation.status().as_str_name()));
        expect("the reservation", &reservation.status(), &ReservationStatus::Requested)?;
        Ok(reservation)
    }

    async fn cancel(&self, reservation: &Reservation) -> Result<Reservation, Status> {
        let request = CancelReservationRequest {
            reservation_id: reservation.reservation_id.clone(),
            request_id: fresh_id(),
            ..CancelReservationRequest::default()
        };
        let cancelling = self.visitor.ask(request, async |channel, request| {
            LendingServiceClient::new(channel).cancel_reservation(request).await
        });
        Ok(cancelling.await?.reservation.unwrap_or_default())
    }

    /// Lists the books once the list has come to what is `wanted`: it is lending's own, and follows at its own pace.
    async fn list_books(&self, wanted: &[(Title, i64)]) -> Played {
        let wanted: Vec<_> = wanted.iter().map(|(title, copies)| (title.name.to_owned(), *copies)).collect();
        let settled = async || {
            let books = self.books().await?.into_iter();
            let mut books: Vec<_> = books.map(|book| (book.title, book.available)).collect();
            books.sort();
            Ok((books == wanted).then_some(books))
        };
        let books = eventually(&format!("the books are {wanted:?}"), settled).await?;
        let listed: Vec<_> = books.iter().map(|(title, copies)| format!("{title} {copies}")).collect();
        tell::call("anybody", "ListBooks", &listed.join(", "));
        Ok(())
    }

    async fn books(&self) -> Result<Vec<Book>, Status> {
        let request = ListBooksRequest { shop_id: self.visitor.shop(), ..ListBooksRequest::default() };
        let listing = self
            .visitor
            .ask(request, async |channel, request| LendingServiceClient::new(channel).list_books(request).await);
        Ok(listing.await?.books)
    }
}
