//! The stock of one product of one shop.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::language::{Command, Event, Intake, Rejection};
use super::movement::{Moved, Movement};
use crate::kernel::{
    Aggregate, Case, Id, Index, Money, Never, Note, ProductId, ProductName, Quantity, ShopId, Timestamp,
};

/// No stock holds more.
const MOST: i64 = 1_000_000_000_000;

/// What there is. Movements that others may refer to again are kept by reference beside it; all of them are events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    /// What it is called; `None` before anybody mentioned it.
    pub name: Option<StockName>,
    /// What is known of it; `None` if it was asked for and never received.
    pub goods: Option<Goods>,
    /// How many there are; never below 0.
    pub on_hand: i64,
    /// At how many or fewer it is low.
    pub reorder_point: i64,
    /// The movement that was read, or written, last.
    #[serde(skip)]
    movement: Option<Movement>,
}

/// What stock is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockName {
    /// The shop.
    pub shop: ShopId,
    /// The product.
    pub sku: ProductId,
}

/// What is known of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// What people call it.
    pub name: ProductName,
    /// What one costs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

// === impl Stock ===

impl Aggregate for Stock {
    const NAME: &'static str = "stock";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Movement;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        let known = self.movement.as_ref().filter(|known| known.reference == command.case().root);
        match (known.map(|known| known.moved), command) {
            (None, Command::Receive { quantity, .. }) if self.on_hand + i64::from(*quantity) > MOST => {
                Err(Rejection::TooMuch)
            }
            (None, Command::Receive { name, goods, quantity, case, reorder_point, low_at, .. }) => {
                let before = if self.goods.is_some() { self.reorder_point } else { *low_at };
                Ok(vec![Event::Received {
                    name: name.clone(),
                    goods: goods.clone(),
                    quantity: *quantity,
                    case: case.clone(),
                    reorder_point: reorder_point.unwrap_or(before),
                    time: now,
                }])
            }
            (None, Command::Withdraw { name, quantity, case }) => Ok(self.withdraw(name, *quantity, case, now)),
            (Some(Moved::Withdrawn(quantity)), Command::Return { name, case }) => {
                Ok(vec![returned(name, quantity, case, now)])
            }
            // Before the withdrawal: recorded, and wins over it.
            (None, Command::Return { name, case }) => Ok(vec![returned(name, 0, case, now)]),
            (None, Command::Adjust { delta, note, reorder_point, case }) => {
                self.adjust(*delta, note, *reorder_point, case, now)
            }
            // Nothing was taken, so nothing comes back.
            (Some(Moved::Short(_)), Command::Return { .. }) => Ok(vec![]),
            // One reference moves stock once: it was heard before, or was taken back before it was heard.
            (Some(_), _) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        let movement = |moved, case: &Case, time: &Timestamp| {
            let created = self.movement.as_ref().filter(|known| known.reference == case.root);
            let created = created.map_or(*time, |known| known.created);
            Some(Movement { reference: case.root.clone(), moved, created })
        };
        match event {
            Event::Received { name, goods, quantity, case, reorder_point, time } => Self {
                name: Some(name.clone()),
                goods: Some(self.with(goods)),
                on_hand: self.on_hand + i64::from(*quantity),
                reorder_point: *reorder_point,
                movement: movement(Moved::Received(*quantity), case, time),
            },
            Event::Withdrawn { quantity, case, time } => Self {
                movement: movement(Moved::Withdrawn(*quantity), case, time),
                on_hand: self.on_hand - i64::from(*quantity),
                ..self
            },
            Event::Short { name, quantity, case, time } => {
                Self { movement: movement(Moved::Short(*quantity), case, time), name: Some(name.clone()), ..self }
            }
            Event::Returned { name, quantity, case, time } => Self {
                movement: movement(Moved::Returned, case, time),
                name: Some(name.clone()),
                on_hand: self.on_hand + i64::from(*quantity),
                ..self
            },
            Event::Adjusted { delta, reorder_point, case, time, .. } => Self {
                movement: movement(Moved::Adjusted(*delta), case, time),
                on_hand: self.on_hand + delta,
                reorder_point: *reorder_point,
                ..self
            },
            Event::RanLow { .. } => self,
        }
    }

    fn index(&self) -> Option<Index> {
        // What was only ever asked for is no stock.
        let name = self.name.as_ref().filter(|_| self.goods.is_some())?;
        Some(Index {
            shop: name.shop.to_string(),
            owner: String::new(),
            reference: String::new(),
            status: if self.is_low() { "LOW" } else { "OK" }.into(),
        })
    }

    fn entry_key(command: &Command) -> Option<String> {
        match command {
            Command::Receive { intake: Intake::Sent, case, .. }
            | Command::Withdraw { case, .. }
            | Command::Return { case, .. } => Some(case.root.to_string()),
            // What somebody does by hand is done under a reference made for it, and nobody asks for that again.
            Command::Receive { intake: Intake::ByHand, .. } | Command::Adjust { .. } => None,
        }
    }

    fn open(self, _key: &str, movement: Option<Movement>) -> Self {
        Self { movement, ..self }
    }

    fn entry(&self) -> Option<&Movement> {
        self.movement.as_ref()
    }
}

impl Stock {
    /// Whether it is time to order more.
    pub const fn is_low(&self) -> bool {
        self.on_hand <= self.reorder_point
    }

    fn withdraw(&self, name: &StockName, quantity: Quantity, case: &Case, now: Timestamp) -> Vec<Event> {
        let (quantity, case) = (quantity.get(), case.clone());
        let left = self.on_hand - i64::from(quantity);
        if self.goods.is_none() || left < 0 {
            return vec![Event::Short { name: name.clone(), quantity, case, time: now }];
        }
        let mut events = vec![Event::Withdrawn { quantity, case: case.clone(), time: now }];
        events.extend(self.runs_low(left, self.reorder_point, case));
        events
    }

    fn adjust(
        &self,
        delta: i64,
        note: &Note,
        reorder_point: Option<i64>,
        case: &Case,
        now: Timestamp,
    ) -> Result<Vec<Event>, Rejection> {
        if self.goods.is_none() {
            return Err(Rejection::NotFound);
        }
        let left = self.on_hand + delta;
        if left < 0 {
            return Err(Rejection::NotEnough(self.on_hand));
        }
        if left > MOST {
            return Err(Rejection::TooMuch);
        }
        let reorder_point = reorder_point.unwrap_or(self.reorder_point);
        let (note, case) = (note.clone(), case.clone());
        let mut events = vec![Event::Adjusted { delta, note, reorder_point, case: case.clone(), time: now }];
        events.extend(self.runs_low(left, reorder_point, case));
        Ok(events)
    }

    /// Told on the way down: once it is low, and once there is nothing left.
    fn runs_low(&self, left: i64, reorder_point: i64, case: Case) -> Option<Event> {
        let falls = !self.is_low() && left <= reorder_point;
        let runs_out = self.on_hand > 0 && left == 0;
        (falls || runs_out).then_some(Event::RanLow { case })
    }

    /// What is known of it now: a price that is not told stays as it was.
    fn with(&self, goods: &Goods) -> Goods {
        let before = self.goods.as_ref().and_then(|goods| goods.unit_price);
        Goods { name: goods.name.clone(), unit_price: goods.unit_price.or(before) }
    }
}

fn returned(name: &StockName, quantity: u32, case: &Case, now: Timestamp) -> Event {
    Event::Returned { name: name.clone(), quantity, case: case.clone(), time: now }
}

// === impl StockName ===

impl StockName {
    /// The stock's id.
    pub fn id(&self) -> Id<Stock> {
        Id::named(&[self.shop.as_str(), self.sku.as_str()])
    }
}
