//! The library, and the people in it.

use std::ops::{Deref, DerefMut};

use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::inventory::{GetStockRequest, ReceiveStockRequest, StockItem};
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::lending::{
    Book, CancelReservationRequest, GetReservationRequest, ListBooksRequest, RequestReservationRequest, Reservation,
    ReservationStatus,
};
use highstreet_wire::proto::notification::{Notification, RecipientRole};
use tonic::Status;
use tonic::transport::Channel;

use crate::common::{HighStreet, eventually, reference};

pub(crate) mod acceptance;
pub(crate) mod contract;
pub(crate) mod outage;

const LIBRARY: &str = "mapo-library";
const BOOK: &str = "9788936434120";
const MINA: &str = "010-1234-5678";

struct Library(HighStreet);

fn root(reservation: &Reservation) -> Reference {
    reference("lending", &reservation.reservation_id)
}

// === impl Library ===

impl Library {
    async fn open() -> Self {
        Self(HighStreet::open().await)
    }

    fn lending(&self) -> LendingServiceClient<Channel> {
        LendingServiceClient::new(self.channel.clone())
    }

    fn inventory(&self) -> InventoryServiceClient<Channel> {
        InventoryServiceClient::new(self.channel.clone())
    }

    /// What this library is called.
    fn name(&self) -> String {
        self.shop(LIBRARY)
    }

    fn request_of(&self, user: &str, book: &str) -> RequestReservationRequest {
        RequestReservationRequest {
            shop_id: self.name(),
            user_id: user.into(),
            book_id: book.into(),
            request_id: String::new(),
        }
    }

    async fn receive(&self, book: &str, copies: i32) -> StockItem {
        let request = ReceiveStockRequest {
            shop_id: self.name(),
            sku: book.into(),
            product_name: format!("책 {book}"),
            quantity: copies,
            ..Default::default()
        };
        self.inventory().receive_stock(request).await.unwrap().into_inner().stock.unwrap()
    }

    async fn on_hand(&self, book: &str) -> Option<i64> {
        let request = GetStockRequest { shop_id: self.name(), sku: book.into() };
        Some(self.inventory().get_stock(request).await.ok()?.into_inner().stock?.on_hand)
    }

    /// Waits until there are so many copies.
    async fn stocked(&self, book: &str, copies: i64) {
        let look = || async { self.on_hand(book).await.filter(|on_hand| *on_hand == copies) };
        eventually(&format!("{copies} copies of {book}"), look).await;
    }

    async fn reserve(&self, user: &str, book: &str) -> Reservation {
        let reservation = self.lending().request_reservation(self.request_of(user, book)).await.unwrap();
        let reservation = reservation.into_inner().reservation.unwrap();
        assert_eq!(reservation.status(), ReservationStatus::Requested, "at once");
        reservation
    }

    async fn cancel(&self, reservation: &Reservation) -> Result<Reservation, Status> {
        let reservation_id = reservation.reservation_id.clone();
        let request = CancelReservationRequest { reservation_id, ..Default::default() };
        Ok(self.lending().cancel_reservation(request).await?.into_inner().reservation.unwrap())
    }

    async fn get(&self, reservation: &Reservation) -> Reservation {
        let request = GetReservationRequest { reservation_id: reservation.reservation_id.clone() };
        self.lending().get_reservation(request).await.unwrap().into_inner().reservation.unwrap()
    }

    /// Waits until inventory's answer is known, and tells how the reservation stands then.
    async fn answered(&self, reservation: &Reservation) -> ReservationStatus {
        let look = || async {
            Some(self.get(reservation).await.status()).filter(|status| *status != ReservationStatus::Requested)
        };
        eventually("inventory's answer", look).await
    }

    /// Reserves a book that is there.
    async fn reserved(&self, user: &str, book: &str) -> Reservation {
        let reservation = self.reserve(user, book).await;
        assert_eq!(self.answered(&reservation).await, ReservationStatus::Confirmed);
        reservation
    }

    async fn books(&self, available_only: bool) -> Vec<Book> {
        let request = ListBooksRequest { shop_id: self.name(), available_only, ..Default::default() };
        self.lending().list_books(request).await.unwrap().into_inner().books
    }

    /// Waits until lending's own list shows so many copies of a book.
    async fn listed(&self, book: &str, copies: i64) -> Book {
        eventually(&format!("{copies} copies of {book} on the list"), || async {
            self.books(false).await.into_iter().find(|it| it.book_id == book && it.available == copies)
        })
        .await
    }

    /// What users were told, newest first.
    async fn messages(&self) -> Vec<Notification> {
        let mut told = self.notifications(LIBRARY).await;
        told.retain(|it| it.role() == RecipientRole::Customer);
        told
    }

    /// Waits until users were told so many things, and tells what was said, oldest first.
    async fn told(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} messages"), || async {
            let told = self.messages().await;
            assert!(told.len() <= count, "{told:#?}");
            (told.len() == count).then(|| told.into_iter().rev().map(|it| it.text).collect())
        })
        .await
    }
}

impl Deref for Library {
    type Target = HighStreet;

    fn deref(&self) -> &HighStreet {
        &self.0
    }
}

impl DerefMut for Library {
    fn deref_mut(&mut self) -> &mut HighStreet {
        &mut self.0
    }
}
