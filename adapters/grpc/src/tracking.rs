//! Tracking over gRPC: read models only.

mod board;

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Filter, Row, Views};
use highstreet_domain::kernel::{Payer, Phone, ShopId, View as _};
use highstreet_domain::tracking::{Day, Kind, Trace};
use highstreet_wire::convert::{reference, timestamp};
use highstreet_wire::proto::tracking as proto;
use highstreet_wire::proto::tracking::tracking_service_server::TrackingService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub use self::board::Boards;
use self::board::read_day;
use crate::fields::Fields;
use crate::page::Wanted;
use crate::scope::{asked, refuse_beyond, scope_of};
use crate::status::{beyond_scope, not_found, of_store};
use crate::watch::{AT_ONCE, Watch, read_cursor, watch};

/// Tracking, inbound.
pub struct Tracking {
    /// What has become of each case.
    pub traces: Arc<dyn Views<Trace>>,
    /// What store owners see.
    pub boards: Boards,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the server shuts down.
    pub ending: CancellationToken,
}

#[async_trait]
impl TrackingService for Tracking {
    type WatchTracesStream = Watch<proto::WatchTracesResponse>;

    async fn get_trace(
        &self,
        request: Request<proto::GetTraceRequest>,
    ) -> Result<Response<proto::GetTraceResponse>, Status> {
        let mut fields = Fields::default();
        let order = fields.reference("order", request.get_ref().order.as_ref());
        let key = fields.finish_with(order)?.to_string();
        let mut rows = self.traces.load(std::slice::from_ref(&key)).await.map_err(|error| of_store(&error))?;
        let scope = scope_of(&request);
        let found = rows.pop().flatten().filter(|row| scope.admits(&row.view.index()));
        let trace = found.as_ref().and_then(show);
        let trace = trace.ok_or_else(|| not_found("trace", &key))?;
        Ok(Response::new(proto::GetTraceResponse { trace: Some(trace) }))
    }

    async fn list_traces(
        &self,
        request: Request<proto::ListTracesRequest>,
    ) -> Result<Response<proto::ListTracesResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let filter = Filter {
            reference: read_kind(&mut fields, message.kind),
            ..read_filter(&mut fields, &message.shop_id, &message.customer)
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let page = self.traces.page(&wanted.within(&scope)?, &wanted.one_more()).await;
        let mut rows = page.map_err(|error| of_store(&error))?;
        let next_page_token = wanted.cut(&mut rows, |row| (row.created, row.place));
        Ok(Response::new(proto::ListTracesResponse { traces: rows.iter().filter_map(show).collect(), next_page_token }))
    }

    async fn watch_traces(
        &self,
        request: Request<proto::WatchTracesRequest>,
    ) -> Result<Response<Self::WatchTracesStream>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let filter = read_filter(&mut fields, &message.shop_id, &message.customer);
        let since = read_cursor(&mut fields, &message.since);
        fields.finish()?;
        let filter = scope.narrow(&filter).ok_or_else(beyond_scope)?;
        let cursor = match since {
            Some(cursor) => cursor,
            None => self.traces.latest().await.map_err(|error| of_store(&error))?,
        };
        let traces = self.traces.clone();
        Ok(Response::new(watch(self.ending.clone(), cursor, move |cursor| {
            let (traces, filter) = (traces.clone(), filter.clone());
            async move {
                let rows = traces.changes(&filter, cursor, AT_ONCE).await?;
                let change = |row: Row<Trace>| {
                    let cursor = row.cursor.to_string();
                    (row.cursor, proto::WatchTracesResponse { trace: show(&row), cursor })
                };
                Ok(rows.into_iter().map(change).collect())
            }
        })))
    }

    async fn get_board(
        &self,
        request: Request<proto::GetBoardRequest>,
    ) -> Result<Response<proto::GetBoardResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let shop = fields.check("shop_id", ShopId::parse(&message.shop_id));
        let day = if message.date.is_empty() {
            Some(Day::of(self.clock.now()))
        } else {
            fields.check("date", read_day(&message.date).ok_or("must be a day such as 2026-11-21"))
        };
        let (shop, day) = fields.finish_with(shop.zip(day))?;
        refuse_beyond(&scope, shop.as_str(), None)?;
        let board = self.boards.board(&shop, day).await.map_err(|error| of_store(&error))?;
        Ok(Response::new(proto::GetBoardResponse { board: Some(board) }))
    }
}

fn read_kind(fields: &mut Fields, kind: i32) -> Option<String> {
    let Ok(wanted) = proto::TraceKind::try_from(kind) else {
        fields.wrong("kind", "must be one of the enum's values");
        return None;
    };
    Kind::ALL.into_iter().find(|kind| show_kind(*kind) == wanted).map(|kind| kind.context().to_owned())
}

fn show_kind(kind: Kind) -> proto::TraceKind {
    match kind {
        Kind::Order => proto::TraceKind::Order,
        Kind::Replenishment => proto::TraceKind::Replenishment,
        Kind::Purchase => proto::TraceKind::Purchase,
        Kind::Reservation => proto::TraceKind::Reservation,
        Kind::Booking => proto::TraceKind::Booking,
    }
}

fn read_filter(fields: &mut Fields, shop: &str, customer: &str) -> Filter {
    let owner = fields.optional("customer", customer, Payer::parse);
    Filter {
        shop: fields.check("shop_id", ShopId::parse(shop)).map(|shop| shop.to_string()),
        owner: owner.map(|name| Phone::key_of(name.as_str())),
        ..Filter::default()
    }
}

/// The trace; `None` while what it traces does not exist for others.
fn show(row: &Row<Trace>) -> Option<proto::Trace> {
    let trace = &row.view;
    let case = trace.case.as_ref().filter(|_| !trace.status.is_empty())?;
    let kind = show_kind(trace.kind()?);
    let steps = trace.steps.iter().map(|step| proto::TraceStep {
        context: step.context.clone(),
        id: step.id.to_string(),
        status: step.status.clone(),
        event: step.event.clone(),
        time: Some(timestamp(step.time)),
    });
    Some(proto::Trace {
        order: Some(reference(&case.root)),
        kind: kind.into(),
        shop_id: case.shop.to_string(),
        customer: case.customer.clone(),
        status: trace.status.clone(),
        steps: steps.collect(),
        create_time: Some(timestamp(row.created)),
        update_time: Some(timestamp(row.updated)),
    })
}
