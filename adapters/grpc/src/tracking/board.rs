//! The board of a store's owner, put together from three read models.

use std::collections::BTreeMap;
use std::sync::Arc;

use highstreet_domain::kernel::ports::{Filter, Page, Row, StoreError, Views};
use highstreet_domain::kernel::{Money, ShopId};
use highstreet_domain::tracking::{Day, Goods, StoreDeliveryStatus, StoreOrder, StoreOrderStatus, Takings};
use highstreet_wire::convert::{money, quantity, reference, timestamp};
use highstreet_wire::proto;
use highstreet_wire::proto::tracking::{Board, BoardOrder, BoardSales, BoardSalesSlot, BoardStock};

const ORDERS: usize = 50;
const PRODUCTS: usize = 1000;
const SECONDS_PER_DAY: i64 = 86_400;

/// What boards are put together from.
#[derive(Clone)]
pub struct Boards {
    /// Orders at the head office.
    pub orders: Arc<dyn Views<StoreOrder>>,
    /// What is in stock.
    pub goods: Arc<dyn Views<Goods>>,
    /// What was sold.
    pub takings: Arc<dyn Views<Takings>>,
}

// === impl Boards ===

impl Boards {
    pub(super) async fn board(&self, shop: &ShopId, day: Day) -> Result<Board, StoreError> {
        let filter = Filter { shop: Some(shop.to_string()), ..Filter::default() };
        let orders = self.orders.page(&filter, &Page { size: ORDERS, after: None }).await?;
        let goods = self.goods.page(&filter, &Page { size: PRODUCTS, after: None }).await?;
        let takings = self.takings.load(&day.rows(shop)).await?;
        let takings: Vec<_> = takings.into_iter().flatten().map(|row| row.view).collect();
        Ok(Board {
            shop_id: shop.to_string(),
            orders: orders.iter().filter_map(show_order).collect(),
            stock: goods.iter().filter_map(show_goods).collect(),
            sales: Some(show_sales(day, &takings)),
        })
    }
}

/// A day from its date.
pub(super) fn read_day(date: &str) -> Option<Day> {
    let midnight: prost_types::Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(Day::numbered(midnight.seconds.div_euclid(SECONDS_PER_DAY)))
}

fn show_day(day: Day) -> String {
    let midnight = prost_types::Timestamp { seconds: day.number() * SECONDS_PER_DAY, nanos: 0 };
    midnight.to_string().chars().take_while(|c| *c != 'T').collect()
}

fn show_order(row: &Row<StoreOrder>) -> Option<BoardOrder> {
    let (item, time) = row.view.placed.as_ref()?;
    let status = match row.view.status {
        StoreOrderStatus::Placed => "PLACED",
        StoreOrderStatus::CancellationPending => "CANCELLATION_PENDING",
        StoreOrderStatus::Shipped => "SHIPPED",
        StoreOrderStatus::Received => "RECEIVED",
        StoreOrderStatus::Cancelled => "CANCELLED",
    };
    let delivery_status = match row.view.delivery {
        None => "",
        Some(StoreDeliveryStatus::Preparing) => "PREPARING",
        Some(StoreDeliveryStatus::Shipped) => "SHIPPED",
        Some(StoreDeliveryStatus::Delivered) => "DELIVERED",
        Some(StoreDeliveryStatus::Cancelled) => "CANCELLED",
    };
    Some(BoardOrder {
        order: row.view.case.as_ref().map(|case| reference(&case.root)),
        sku: item.product.to_string(),
        product_name: item.name.to_string(),
        quantity: quantity(item.quantity),
        status: status.into(),
        delivery_status: delivery_status.into(),
        place_time: Some(timestamp(*time)),
    })
}

fn show_goods(row: &Row<Goods>) -> Option<BoardStock> {
    let latest = row.view.latest.as_ref()?;
    Some(BoardStock {
        sku: latest.sku.to_string(),
        product_name: latest.name.clone(),
        on_hand: latest.on_hand,
        reorder_point: latest.reorder_point,
        low: latest.is_low(),
        unit_price: latest.unit_price.as_ref().map(money),
        update_time: Some(timestamp(latest.time)),
    })
}

fn show_sales(day: Day, takings: &[Takings]) -> BoardSales {
    let mut amounts: BTreeMap<&str, Money> = BTreeMap::new();
    for (currency, amount) in takings.iter().flat_map(|row| &row.amounts) {
        let sum = amounts.entry(currency).or_insert(Money::zero(amount.currency));
        *sum = sum.plus(*amount).unwrap_or(*sum);
    }
    let slots: Vec<_> = takings.iter().map(show_slot).collect();
    BoardSales {
        date: show_day(day),
        purchases: slots.iter().map(|slot| slot.purchases).sum(),
        cancellations: slots.iter().map(|slot| slot.cancellations).sum(),
        pieces: slots.iter().map(|slot| slot.pieces).sum(),
        amounts: amounts.values().map(money).collect(),
        slots,
    }
}

fn show_slot(row: &Takings) -> BoardSalesSlot {
    let amounts: Vec<proto::Money> = row.amounts.values().map(money).collect();
    BoardSalesSlot {
        start_time: Some(timestamp(row.begin)),
        purchases: row.purchases.cast_signed(),
        cancellations: row.cancellations.cast_signed(),
        pieces: row.pieces,
        amounts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_shown_as_dates() {
        for date in ["1970-01-01", "2024-02-29", "2026-11-21"] {
            assert_eq!(read_day(date).map(show_day).as_deref(), Some(date));
        }
        for nonsense in ["2026-13-01", "2023-02-29", "today", "", "2026-11-21T00:00:00Z"] {
            assert_eq!(read_day(nonsense), None, "{nonsense}");
        }
    }
}
