//! Lending over gRPC.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Row, Views};
use highstreet_domain::kernel::{Id, Payer, Phone, ProductId, ShopId, Standing};
use highstreet_domain::lending::{Book, Command, Details, Reservation};
use highstreet_wire::convert::timestamp;
use highstreet_wire::proto::lending as proto;
use highstreet_wire::proto::lending::lending_service_server::LendingService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::{not_found, of_store};

/// Lending, inbound.
pub struct Lending {
    /// Where calls arrive.
    pub desk: Desk<Reservation>,
    /// Its own list of books.
    pub books: Arc<dyn Views<Book>>,
}

#[async_trait]
impl LendingService for Lending {
    async fn request_reservation(
        &self,
        request: Request<proto::RequestReservationRequest>,
    ) -> Result<Response<proto::RequestReservationResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
        let user = fields.check("user_id", Payer::parse(&message.user_id));
        let book = fields.check("book_id", ProductId::parse(&message.book_id));
        let read = || Some(Details { shop: shop?, user: user?, book: book? });
        let details = fields.finish_with(read())?;
        let (id, reservation) = self.desk.create(&call, terms, Command::Request(details)).await?;
        Ok(Response::new(proto::RequestReservationResponse { reservation: Some(show(id, &reservation)?) }))
    }

    async fn cancel_reservation(
        &self,
        request: Request<proto::CancelReservationRequest>,
    ) -> Result<Response<proto::CancelReservationResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let id = fields.uuid("reservation_id", &message.reservation_id);
        let id = Id::new(fields.finish_with(id)?);
        let (id, reservation) = self.desk.change(&call, terms, id, Command::Cancel).await?;
        Ok(Response::new(proto::CancelReservationResponse { reservation: Some(show(id, &reservation)?) }))
    }

    async fn get_reservation(
        &self,
        request: Request<proto::GetReservationRequest>,
    ) -> Result<Response<proto::GetReservationResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("reservation_id", &request.get_ref().reservation_id);
        let id = Id::new(fields.finish_with(id)?);
        let reservation = self.desk.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetReservationResponse { reservation: Some(show(id, &reservation)?) }))
    }

    async fn list_reservations(
        &self,
        request: Request<proto::ListReservationsRequest>,
    ) -> Result<Response<proto::ListReservationsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::ReservationStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let user = fields.optional("user_id", &message.user_id, Payer::parse);
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            owner: user.map(|user| Phone::key_of(user.as_str())),
            status: fields.status("status", message.status, status, "RESERVATION_STATUS_"),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.desk.list(&scope, &wanted).await?;
        let reservations = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListReservationsResponse { reservations, next_page_token }))
    }

    async fn list_books(
        &self,
        request: Request<proto::ListBooksRequest>,
    ) -> Result<Response<proto::ListBooksResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            status: message.available_only.then(|| "AVAILABLE".into()),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let page = self.books.page(&wanted.within(&scope)?, &wanted.one_more()).await;
        let mut rows = page.map_err(|error| of_store(&error))?;
        let next_page_token = wanted.cut(&mut rows, |row| (row.created, row.place));
        Ok(Response::new(proto::ListBooksResponse {
            books: rows.iter().filter_map(show_book).collect(),
            next_page_token,
        }))
    }
}

fn show(id: Id<Reservation>, reservation: &Standing<Reservation>) -> Result<proto::Reservation, Status> {
    let details = reservation.state.details().ok_or_else(|| not_found("reservation", &id.to_string()))?;
    let status = match reservation.state {
        Reservation::Unborn | Reservation::Requested(_) => proto::ReservationStatus::Requested,
        Reservation::Confirmed(_) => proto::ReservationStatus::Confirmed,
        Reservation::Failed(_) => proto::ReservationStatus::Failed,
        Reservation::Cancelled { .. } => proto::ReservationStatus::Cancelled,
    };
    Ok(proto::Reservation {
        reservation_id: id.to_string(),
        shop_id: details.shop.to_string(),
        user_id: details.user.to_string(),
        book_id: details.book.to_string(),
        status: status.into(),
        revision: reservation.revision.cast_signed(),
        create_time: Some(timestamp(reservation.created)),
        update_time: Some(timestamp(reservation.updated)),
    })
}

fn show_book(row: &Row<Book>) -> Option<proto::Book> {
    let latest = row.view.latest.as_ref()?;
    Some(proto::Book { book_id: latest.book.to_string(), title: latest.title.clone(), available: latest.available })
}
