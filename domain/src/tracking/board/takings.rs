//! What a store sold, by the time of day.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{Index, Money, ShopId, Timestamp, View};

const MICROS_PER_MINUTE: i64 = 60_000_000;
const MINUTES_PER_DAY: i64 = 24 * 60;
/// Korea has one time zone and no daylight saving time.
const MINUTES_AHEAD_OF_UTC: i64 = 9 * 60;
/// Short, because a row remembers each sale it counted.
const MINUTES_PER_ROW: i64 = 5;

/// What was sold in five minutes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Takings {
    /// Where; empty before the first sale.
    pub shop: ShopId,
    /// When the five minutes begin.
    pub begin: Timestamp,
    /// How many purchases were recorded.
    pub purchases: u64,
    /// How many were cancelled.
    pub cancellations: u64,
    /// How many pieces were sold, less those of cancelled purchases.
    pub pieces: i64,
    /// What was taken, less what was given back, by currency.
    pub amounts: BTreeMap<String, Money>,
    /// The messages that are counted.
    counted: BTreeSet<Uuid>,
}

/// What the board hears of a purchase.
#[derive(Clone, Debug, PartialEq)]
pub struct Sale {
    /// The message it came in: each counts once.
    pub message: Uuid,
    /// Where.
    pub shop: ShopId,
    /// When.
    pub time: Timestamp,
    /// What happened to it.
    pub kind: SaleKind,
    /// How many pieces.
    pub pieces: u32,
    /// What they cost together.
    pub total: Money,
}

/// What happened to a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleKind {
    /// It was recorded.
    Purchased,
    /// It was cancelled; counted when that happens.
    Cancelled,
}

/// A day in Korea, by number since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

// === impl Takings ===

impl View for Takings {
    const NAME: &'static str = "takings";

    type Fact = Sale;

    fn key(sale: &Sale) -> String {
        key(&sale.shop, row_of(sale.time))
    }

    fn apply(mut self, sale: &Sale) -> Self {
        if !self.counted.insert(sale.message) {
            return self;
        }
        self.shop = sale.shop.clone();
        self.begin = Timestamp::from_micros(row_of(sale.time) * MINUTES_PER_ROW * MICROS_PER_MINUTE);
        let (pieces, total) = match sale.kind {
            SaleKind::Purchased => {
                self.purchases += 1;
                (i64::from(sale.pieces), sale.total)
            }
            SaleKind::Cancelled => {
                self.cancellations += 1;
                (-i64::from(sale.pieces), Money { units: -sale.total.units, nanos: -sale.total.nanos, ..sale.total })
            }
        };
        self.pieces += pieces;
        let sum = self.amounts.entry(total.currency.as_str().into()).or_insert(Money::zero(total.currency));
        // Of one currency, and no shop takes more in five minutes than there is: what does not fit is left out.
        *sum = sum.plus(total).unwrap_or(*sum);
        self
    }

    fn index(&self) -> Index {
        Index { shop: self.shop.to_string(), ..Index::default() }
    }
}

// === impl Day ===

impl Day {
    /// The day that `time` falls on.
    pub const fn of(time: Timestamp) -> Self {
        let minutes = time.as_micros().div_euclid(MICROS_PER_MINUTE) + MINUTES_AHEAD_OF_UTC;
        Self(minutes.div_euclid(MINUTES_PER_DAY))
    }

    /// The day with this number.
    pub const fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// Its number since 1970-01-01.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The keys of its rows in `shop`, in order.
    pub fn rows(self, shop: &ShopId) -> alloc::vec::Vec<String> {
        let first = (self.0 * MINUTES_PER_DAY - MINUTES_AHEAD_OF_UTC) / MINUTES_PER_ROW;
        (first..first + MINUTES_PER_DAY / MINUTES_PER_ROW).map(|row| key(shop, row)).collect()
    }
}

/// Every day begins a row, because the hour is a multiple of its minutes, and so is the distance from UTC.
const fn row_of(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(MINUTES_PER_ROW * MICROS_PER_MINUTE)
}

fn key(shop: &ShopId, row: i64) -> String {
    format!("{shop}/{row}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * MICROS_PER_MINUTE;

    #[test]
    fn days_begin_at_midnight_in_korea() {
        let at = |hours: i64| Day::of(Timestamp::from_micros(hours * HOUR)).number();
        assert_eq!(at(0), 0);
        assert_eq!(at(14), 0, "23:00 in Seoul");
        assert_eq!(at(15), 1, "midnight in Seoul");
        assert_eq!(at(-10), -1);
    }

    #[test]
    fn the_rows_of_a_day_are_where_its_sales_go() {
        let shop = ShopId::default();
        let day = Day::of(Timestamp::from_micros(0));
        let rows = day.rows(&shop);
        let row = |hours: i64| key(&shop, row_of(Timestamp::from_micros(hours * HOUR)));
        assert_eq!(rows.len(), 288);
        assert_eq!(rows.first(), Some(&row(-9)));
        assert!(rows.contains(&row(14)) && !rows.contains(&row(15)));
    }
}
