//! The people of the library: who receives books, and who reserves them.

use highstreet_wire::proto::inventory::ReceiveStockRequest;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::lending::{CancelReservationRequest, RequestReservationRequest};
use tonic::Code;
use uuid::Uuid;

use super::load::Person;
use super::{LIBRARY, count};

/// Nobody ever receives the last one.
const BOOKS: [&str; 3] = ["beloved", "dune", "the book of sand"];

// === impl Person ===

impl Person {
    /// The librarian receives fewer copies than are wanted.
    pub(super) async fn receive_books(self) {
        let me = &self;
        me.keeps(|_| async move {
            let (book, quantity) = (BOOKS[me.dice.below(2)], count(me.dice.below(2)));
            let request = ReceiveStockRequest {
                shop_id: LIBRARY.into(),
                sku: book.into(),
                product_name: book.into(),
                quantity,
                request_id: Uuid::now_v7().to_string(),
                ..Default::default()
            };
            me.notes.receives(book, quantity, false);
            let receive = async |way, it| InventoryServiceClient::new(way).receive_stock(it).await;
            if me.asks("ReceiveStock", &request, receive, &[]).await.is_some() {
                me.notes.receives(book, quantity, true);
            }
        })
        .await;
    }

    /// A reader reserves, and sometimes changes their mind.
    pub(super) async fn reserve_books(self) {
        let me = &self;
        me.keeps(|number| async move {
            let request_id = Uuid::now_v7().to_string();
            let request = RequestReservationRequest {
                shop_id: LIBRARY.into(),
                user_id: request_id.clone(),
                book_id: BOOKS[number % 3].into(),
                request_id: request_id.clone(),
            };
            let reserve = async |way, it| LendingServiceClient::new(way).request_reservation(it).await;
            let Some(requested) = me.asks("RequestReservation", &request, reserve, &[]).await else { return };
            let reservation_id = requested.reservation.unwrap().reservation_id;
            me.notes.answered(&request_id, "lending", &reservation_id);
            if number % 5 < 2 {
                let request_id = Uuid::now_v7().to_string();
                let cancel = CancelReservationRequest {
                    reservation_id: reservation_id.clone(),
                    request_id,
                    ..Default::default()
                };
                let call = async |way, it| LendingServiceClient::new(way).cancel_reservation(it).await;
                // There was no copy.
                if me.asks("CancelReservation", &cancel, call, &[Code::FailedPrecondition]).await.is_some() {
                    me.notes.ended("lending", &reservation_id, "CANCELLED");
                }
            }
        })
        .await;
    }
}
