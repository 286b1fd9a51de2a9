//! What the contexts of the world tell each other: small facts in JSON, as the published language has them.

use highstreet_domain::kernel::{Case, Happened, Item, Message, Published, Undecodable};
use highstreet_domain::{delivery, kitchen, loyalty, ordering, payment};
use serde::{Deserialize, Serialize};

use ordering::{Order, Paid};

/// A published event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) case: Case,
    pub(super) revision: u64,
    pub(super) news: News,
}

/// What is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum News {
    OrderPlaced { drinks: u64 },
    OrderPaid { items: Vec<Item>, drinks: u64 },
    OrderCompleted,
    OrderCancelled { paid: bool },
    PaymentRequested,
    PaymentApproved,
    PaymentDeclined,
    PaymentCancelled { by_staff: bool },
    PaymentRefunded,
    PreparationStarted,
    PreparationReady { items: Vec<Item> },
    PreparationCancelled,
    DeliveryScheduled,
    Shipped,
    Delivered,
    DeliveryCancelled,
    RecallRefused,
    Earned,
    Reversed,
}

pub(super) fn order(happened: &Happened<'_, Order>) -> Option<Published> {
    let placed = happened.state.placed()?;
    let details = &placed.details;
    let news = match happened.event {
        ordering::Event::Submitted(_) | ordering::Event::Rejected { .. } | ordering::Event::GivenUp => return None,
        ordering::Event::Placed { .. } => News::OrderPlaced { drinks: details.drinks() },
        ordering::Event::Paid => {
            let items = details.lines.iter().map(|line| line.item.clone()).collect();
            News::OrderPaid { items, drinks: details.drinks() }
        }
        ordering::Event::Completed => News::OrderCompleted,
        ordering::Event::Cancelled { .. } => {
            News::OrderCancelled { paid: matches!(happened.state, Order::Cancelled { paid: Paid::Yes, .. }) }
        }
    };
    publish(happened.state.case(happened.id)?, happened.revision, news)
}

pub(super) fn payment(happened: &Happened<'_, payment::Payment>) -> Option<Published> {
    let news = match happened.event {
        payment::Event::Requested(_) => News::PaymentRequested,
        payment::Event::Approved { .. } => News::PaymentApproved,
        payment::Event::Declined { .. } => News::PaymentDeclined,
        payment::Event::Cancelled(cancellation) => {
            News::PaymentCancelled { by_staff: cancellation.by == payment::By::Staff }
        }
        payment::Event::Refunded => News::PaymentRefunded,
        payment::Event::Started { .. }
        | payment::Event::NotCharged
        | payment::Event::CancellationRequested(_)
        | payment::Event::Closed => return None,
    };
    // A cancellation that came before the request is nobody's news.
    publish(happened.state.bill()?.case.clone(), happened.revision, news)
}

pub(super) fn preparation(happened: &Happened<'_, kitchen::Preparation>) -> Option<Published> {
    let work = happened.state.work()?;
    let news = match happened.event {
        kitchen::Event::Started(_) => News::PreparationStarted,
        kitchen::Event::Ready => News::PreparationReady { items: work.items.clone() },
        kitchen::Event::Cancelled { .. } => News::PreparationCancelled,
    };
    publish(work.case.clone(), happened.revision, news)
}

pub(super) fn delivery(happened: &Happened<'_, delivery::Delivery>) -> Option<Published> {
    let news = match happened.event {
        delivery::Event::Scheduled(_) => News::DeliveryScheduled,
        delivery::Event::Shipped => News::Shipped,
        delivery::Event::Delivered => News::Delivered,
        delivery::Event::Cancelled { .. } => News::DeliveryCancelled,
        delivery::Event::RecallRefused => News::RecallRefused,
    };
    publish(happened.state.load()?.case.clone(), happened.revision, news)
}

pub(super) fn account(happened: &Happened<'_, loyalty::Account>) -> Option<Published> {
    let (loyalty::Event::Earned { name, reference, .. } | loyalty::Event::Reversed { name, reference, .. }) =
        happened.event;
    let news = match happened.event {
        loyalty::Event::Earned { .. } => News::Earned,
        loyalty::Event::Reversed { .. } => News::Reversed,
    };
    let case = Case { root: reference.clone(), shop: name.shop.clone(), customer: name.member.clone() };
    publish(case, happened.revision, news)
}

pub(super) fn nothing<A: highstreet_domain::kernel::Aggregate>(_happened: &Happened<'_, A>) -> Option<Published> {
    None
}

fn publish(case: Case, revision: u64, news: News) -> Option<Published> {
    let name = news.name();
    let body = serde_json::to_vec(&Told { case, revision, news }).ok()?;
    Some(Published { name, body })
}

// === impl Told ===

impl Told {
    pub(super) fn read(message: &Message) -> Result<Self, Undecodable> {
        serde_json::from_slice(&message.body).map_err(|error| Undecodable(error.to_string()))
    }
}

// === impl News ===

impl News {
    const fn name(&self) -> &'static str {
        match self {
            Self::OrderPlaced { .. } => "OrderPlaced",
            Self::OrderPaid { .. } => "OrderPaid",
            Self::OrderCompleted => "OrderCompleted",
            Self::OrderCancelled { .. } => "OrderCancelled",
            Self::PaymentRequested => "PaymentRequested",
            Self::PaymentApproved => "PaymentApproved",
            Self::PaymentDeclined => "PaymentDeclined",
            Self::PaymentCancelled { .. } => "PaymentCancelled",
            Self::PaymentRefunded => "PaymentRefunded",
            Self::PreparationStarted => "PreparationStarted",
            Self::PreparationReady { .. } => "PreparationReady",
            Self::PreparationCancelled => "PreparationCancelled",
            Self::DeliveryScheduled => "DeliveryScheduled",
            Self::Shipped => "Shipped",
            Self::Delivered => "Delivered",
            Self::DeliveryCancelled => "DeliveryCancelled",
            Self::RecallRefused => "RecallRefused",
            Self::Earned => "Earned",
            Self::Reversed => "Reversed",
        }
    }
}
