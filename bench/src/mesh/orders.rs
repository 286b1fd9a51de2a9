//! Orders through gateway, ordering and payment: directly, through the gateway, in JSON, and where everybody says who
//! they are.

use highstreet_wire::proto::ordering::GetOrderRequest;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

use super::guarded::Guarded;
use super::json::Connections;
use super::street::Ground;
use crate::cafe::an_order;
use crate::load::{self, Load, Turn};
use crate::report::Report;
use crate::{Outcome, Plan};

/// What callers show, if they are asked who they are.
pub(super) type Token = MetadataValue<Ascii>;

/// A way to the orders, and what is shown there.
struct Way<'a> {
    channels: Vec<Channel>,
    token: Option<&'a Token>,
}

pub(super) async fn measure(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let mesh = ground.mesh(plan, &["payment", "ordering"], ("", &[])).await?;
    let guarded = Guarded::start(plan, ground).await?;
    let direct = Way { channels: mesh.context("ordering")?.channels().await?, token: None };
    let through = Way { channels: mesh.gateway.channels().await?, token: None };
    let checked = Way { channels: guarded.gateway.channels().await?, token: Some(&guarded.token) };
    let json = &Connections::open(mesh.gateway.address, plan.callers).await?;
    for way in [&direct, &through, &checked] {
        way.place(&plan.of(1)).await?;
    }

    let in_json: Turn<'_> = Box::new(|time| {
        let plan = Plan { time, ..plan.clone() };
        Box::pin(async move { json.place(&plan).await })
    });
    let turns = [direct.placing(plan), through.placing(plan), in_json, checked.placing(plan)];
    tell(report, "PlaceOrder", &load::in_turns(plan.time, turns).await?);

    let (order, theirs) = (&through.an_order().await?, &checked.an_order().await?);
    let in_json: Turn<'_> = Box::new(|time| {
        let plan = Plan { time, ..plan.clone() };
        Box::pin(async move { json.get(&plan, order).await })
    });
    let turns = [direct.getting(plan, order), through.getting(plan, order), in_json, checked.getting(plan, theirs)];
    tell(report, "GetOrder", &load::in_turns(plan.time, turns).await?);
    Ok(())
}

fn tell(report: &mut Report, method: &str, [direct, through, json, checked]: &[Load; 4]) {
    report.load(&format!("{method}, direct"), direct);
    report.load(&format!("{method} through the gateway"), through);
    report.load(&format!("{method} in JSON through the gateway"), json);
    report.load(&format!("{method} through the gateway, checked"), checked);
}

// === impl Way ===

impl Way<'_> {
    fn placing<'a>(&'a self, plan: &'a Plan) -> Turn<'a> {
        Box::new(move |time| {
            let plan = Plan { time, ..plan.clone() };
            Box::pin(async move { self.place(&plan).await })
        })
    }

    fn getting<'a>(&'a self, plan: &'a Plan, order: &'a str) -> Turn<'a> {
        Box::new(move |time| {
            let plan = Plan { time, ..plan.clone() };
            Box::pin(async move { self.get(&plan, order).await })
        })
    }

    async fn place(&self, plan: &Plan) -> Outcome<Load> {
        let (channels, token) = (self.channels.clone(), self.token.cloned());
        load::run(plan.callers, plan.time, usize::MAX, move |caller, number| {
            let mut client = OrderingServiceClient::new(channels[caller % channels.len()].clone());
            let order = shown(an_order(number), token.as_ref());
            async move { client.place_order(order).await.map(drop) }
        })
        .await
    }

    async fn get(&self, plan: &Plan, order: &str) -> Outcome<Load> {
        let (channels, order, token) = (self.channels.clone(), order.to_owned(), self.token.cloned());
        load::run(plan.callers, plan.time, usize::MAX, move |caller, _| {
            let mut client = OrderingServiceClient::new(channels[caller % channels.len()].clone());
            let question = shown(GetOrderRequest { order_id: order.clone() }, token.as_ref());
            async move { client.get_order(question).await.map(drop) }
        })
        .await
    }

    /// The id of one that was placed.
    async fn an_order(&self) -> Outcome<String> {
        let mut client = OrderingServiceClient::new(self.channels[0].clone());
        let placed = client.place_order(shown(an_order(0), self.token)).await?.into_inner();
        Ok(placed.order.unwrap_or_default().order_id)
    }
}

fn shown<M>(message: M, token: Option<&Token>) -> Request<M> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token.clone());
    }
    request
}
