//! All there is in the shops, as their services tell it.

use std::collections::BTreeMap;

use highstreet::ContextName;
use highstreet_wire::proto::delivery::{Delivery, ListDeliveriesRequest};
use highstreet_wire::proto::kitchen::{ListPreparationsRequest, Preparation};
use highstreet_wire::proto::ordering::{ListOrdersRequest, Order};
use highstreet_wire::proto::payment::{ListPaymentsRequest, Payment};
use highstreet_wire::proto::tracking::{ListTracesRequest, Trace};
use tonic::Status;

use super::calls::Calls;
use super::shops::Shops;
use super::{Mesh, SHOP};

/// All there is: in the coffee shop, each by the id of its order, and in the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Books {
    pub(crate) orders: BTreeMap<String, Order>,
    /// More than one would be wrong.
    pub(crate) payments: BTreeMap<String, Vec<Payment>>,
    pub(crate) preparations: BTreeMap<String, Vec<Preparation>>,
    pub(crate) deliveries: BTreeMap<String, Vec<Delivery>>,
    pub(crate) traces: BTreeMap<String, Trace>,
    /// By phone.
    pub(crate) stamps: BTreeMap<String, i64>,
    /// How often each payment was approved and refunded, as its events say; `None` where they cannot be looked at.
    pub(crate) money: Option<BTreeMap<String, (usize, usize)>>,
    /// What there is in the other shops.
    pub(crate) shops: Shops,
    pub(crate) dead_letters: Vec<String>,
    /// What has not been published.
    pub(crate) unpublished: usize,
}

/// Every page of a list.
macro_rules! all {
    ($calls:expr, $shop:expr, $client:expr, $list:ident, $request:ident, $field:ident) => {{
        let (mut client, mut token, mut all) = ($client, String::new(), Vec::new());
        loop {
            #[allow(clippy::needless_update, reason = "some lists have filters")]
            let page = $request { shop_id: $shop.into(), page_size: 1000, page_token: token, ..Default::default() };
            let page = $calls.once(stringify!($list), client.$list($crate::harness::calls::timed(page))).await?;
            all.extend(page.$field);
            token = page.next_page_token;
            if token.is_empty() {
                break all;
            }
        }
    }};
}

pub(super) use all;

pub(super) fn by_order<T>(all: Vec<T>, order: impl Fn(&T) -> String) -> BTreeMap<String, Vec<T>> {
    let mut by = BTreeMap::<_, Vec<T>>::new();
    for one in all {
        by.entry(order(&one)).or_default().push(one);
    }
    by
}

// === impl Books ===

impl Books {
    /// Reads all of it; fails while something does not answer.
    pub(crate) async fn read(mesh: &Mesh, calls: &Calls, phones: &[String]) -> Result<Self, Status> {
        let orders = all!(calls, SHOP, calls.ordering(), list_orders, ListOrdersRequest, orders);
        let payments = all!(calls, SHOP, calls.payments(), list_payments, ListPaymentsRequest, payments);
        let preparations = all!(calls, SHOP, calls.kitchen(), list_preparations, ListPreparationsRequest, preparations);
        let deliveries = all!(calls, SHOP, calls.couriers(), list_deliveries, ListDeliveriesRequest, deliveries);
        let traces = all!(calls, SHOP, calls.tracking(), list_traces, ListTracesRequest, traces);
        let mut stamps = BTreeMap::new();
        for phone in phones {
            stamps.insert(phone.clone(), calls.stamps(phone).await?);
        }
        let dead_letters =
            mesh.bus().await.dead_letters().await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Self {
            orders: orders.into_iter().map(|order| (order.order_id.clone(), order)).collect(),
            payments: by_order(payments, |it| it.order.clone().unwrap().id),
            preparations: by_order(preparations, |it| it.order.clone().unwrap().id),
            deliveries: by_order(deliveries, |it| it.order.clone().unwrap().id),
            traces: traces.into_iter().map(|trace| (trace.order.clone().unwrap().id, trace)).collect(),
            stamps,
            money: mesh.has_schema(ContextName::Payment).then(|| money(mesh)),
            shops: Shops::read(calls).await?,
            dead_letters: dead_letters.iter().map(|letter| format!("{}: {}", letter.listener, letter.error)).collect(),
            unpublished: unpublished(mesh),
        })
    }
}

/// How much has not been published.
fn unpublished(mesh: &Mesh) -> usize {
    let kept = ContextName::ALL.into_iter().filter(|context| mesh.has_schema(*context));
    let counts: Vec<_> = kept.map(|context| format!("(SELECT count(*) FROM {context}.outbox)")).collect();
    mesh.ask(ContextName::Ordering, &format!("SELECT {}", counts.join(" + "))).parse().unwrap()
}

/// How often each payment was approved and refunded.
fn money(mesh: &Mesh) -> BTreeMap<String, (usize, usize)> {
    let counts = "SELECT s.id, count(*) FILTER (WHERE e.name = 'PaymentApproved'), \
                  count(*) FILTER (WHERE e.name = 'PaymentRefunded') \
                  FROM events e JOIN streams s USING (stream) GROUP BY s.id";
    let counted = mesh.ask(ContextName::Payment, counts);
    let row = |line: &str| {
        let mut cells = line.split('|');
        let id = cells.next()?.to_owned();
        Some((id, (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?)))
    };
    counted.lines().filter_map(row).collect()
}
