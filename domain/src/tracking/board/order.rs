//! One order at the head office, with its delivery.

use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::kernel::{Case, Index, Item, Timestamp, View};

/// What the owner sees of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreOrder {
    /// The order; `None` before the first fact.
    pub case: Option<Case>,
    /// What was ordered, and when; `None` before the order itself was heard of.
    pub placed: Option<(Item, Timestamp)>,
    /// How far it has come.
    pub status: StoreOrderStatus,
    /// How far its delivery has come; `None` before there is one.
    pub delivery: Option<StoreDeliveryStatus>,
}

/// How far an order has come; the furthest last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StoreOrderStatus {
    /// Head office has it.
    #[default]
    Placed,
    /// It is to be cancelled.
    CancellationPending,
    /// It is on its way.
    Shipped,
    /// It is in stock.
    Received,
    /// It was cancelled.
    Cancelled,
}

/// How far a delivery has come; the furthest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StoreDeliveryStatus {
    /// To be shipped.
    Preparing,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Cancelled.
    Cancelled,
}

/// What the board hears of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreOrderFact {
    /// The order.
    pub case: Case,
    /// What happened.
    pub news: StoreOrderNews,
}

/// What can be heard of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreOrderNews {
    /// It was placed.
    Placed(Item, Timestamp),
    /// It has come this far.
    Order(StoreOrderStatus),
    /// Its delivery has come this far.
    Delivery(StoreDeliveryStatus),
}

// === impl StoreOrder ===

impl View for StoreOrder {
    const NAME: &'static str = "store-order";

    type Fact = StoreOrderFact;

    fn key(fact: &StoreOrderFact) -> String {
        fact.case.root.to_string()
    }

    fn apply(mut self, fact: &StoreOrderFact) -> Self {
        self.case.get_or_insert_with(|| fact.case.clone());
        match &fact.news {
            StoreOrderNews::Placed(item, time) => self.placed = Some((item.clone(), *time)),
            StoreOrderNews::Order(status) => self.status = self.status.max(*status),
            StoreOrderNews::Delivery(status) => self.delivery = self.delivery.max(Some(*status)),
        }
        self
    }

    fn index(&self) -> Index {
        let Some(case) = self.case.as_ref().filter(|_| self.placed.is_some()) else { return Index::default() };
        Index { shop: case.shop.to_string(), ..Index::default() }
    }
}
