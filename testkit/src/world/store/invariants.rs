//! What must hold of the store, and of stock wherever it is, once the world has settled.

use std::collections::BTreeMap;

use highstreet_domain::delivery::Delivery;
use highstreet_domain::inventory::{Event, Stock};
use highstreet_domain::kernel::Id;
use highstreet_domain::replenishment::Order;
use highstreet_domain::sales::{CancelReason, Purchase};

use crate::world::invariants::Inspection;
use crate::world::street::Street;
use crate::world::witness::Testimony;

/// What references took from stock and did not give back, and what they brought, by reference.
#[derive(Default)]
pub(in crate::world) struct Movements {
    pub(in crate::world) taken: BTreeMap<String, i64>,
    brought: BTreeMap<String, i64>,
}

/// Collects what does not hold.
pub(in crate::world) fn inspect(inspection: &mut Inspection<'_>, testimony: &Testimony) {
    let movements = inspection.stock_adds_up();
    for (id, standing) in inspection.street.replenishment.streams.all() {
        inspection.replenishment(id, &standing.state, &movements);
    }
    for (id, standing) in inspection.street.sales.streams.all() {
        inspection.purchase(id, &standing.state, &movements);
    }
    inspection.purchases_were_answered_truly(testimony);
    inspection.the_board_is_right();
}

// === impl Movements ===

impl Movements {
    /// Everything that moved.
    pub(in crate::world) fn of(street: &Street) -> Self {
        let mut movements = Self::default();
        for (id, _) in street.inventory.streams.all() {
            for event in street.inventory.streams.events(id) {
                let reference = event.reference().to_string();
                match event {
                    Event::Received { quantity, .. } => {
                        *movements.brought.entry(reference).or_default() += i64::from(quantity);
                    }
                    Event::Withdrawn { quantity, .. } => {
                        *movements.taken.entry(reference).or_default() += i64::from(quantity);
                    }
                    Event::Returned { quantity, .. } => {
                        *movements.taken.entry(reference).or_default() -= i64::from(quantity);
                    }
                    Event::Short { .. } | Event::Adjusted { .. } | Event::RanLow { .. } => {}
                }
            }
        }
        movements
    }
}

impl Inspection<'_> {
    /// In − out = on hand, at every moment, and never below nothing.
    fn stock_adds_up(&mut self) -> Movements {
        for (id, standing) in self.street.inventory.streams.all() {
            let mut on_hand = 0;
            for event in self.street.inventory.streams.events(id) {
                on_hand += match event {
                    Event::Received { quantity, .. } | Event::Returned { quantity, .. } => i64::from(quantity),
                    Event::Withdrawn { quantity, .. } => -i64::from(quantity),
                    Event::Adjusted { delta, .. } => delta,
                    Event::Short { .. } | Event::RanLow { .. } => 0,
                };
                self.must(on_hand >= 0, || format!("stock {id} was {on_hand}"));
            }
            let state: &Stock = &standing.state;
            self.must(on_hand == state.on_hand, || format!("stock {id} says {}, and is {on_hand}", state.on_hand));
        }
        Movements::of(self.street)
    }

    /// Delivery, stock and trace of one order at head office agree with it.
    fn replenishment(&mut self, id: Id<Order>, order: &Order, movements: &Movements) {
        let reference = Order::reference(id);
        let delivery = self.street.delivery.streams.standing(Id::made_for(&reference)).state;
        let brought = movements.brought.get(&reference.to_string()).copied().unwrap_or(0);
        let ordered = order.details().map_or(0, |details| i64::from(details.item.quantity.get()));
        let agrees = match (order, &delivery) {
            (Order::Placed(_), Delivery::Preparing(_)) | (Order::Cancelled { .. }, Delivery::Cancelled(_)) => {
                brought == 0
            }
            (Order::Received { .. }, Delivery::Shipped(_) | Delivery::Delivered { .. }) => brought == ordered,
            _ => false,
        };
        self.must(agrees, || format!("{id} is {order:?}, {brought} came, its delivery is {delivery:?}"));
        self.traced_as(&reference.to_string(), order.status());
    }

    /// What a purchase took is what it says.
    fn purchase(&mut self, id: Id<Purchase>, purchase: &Purchase, movements: &Movements) {
        let reference = format!("sales/{id}");
        let taken = movements.taken.get(&reference).copied().unwrap_or(0);
        let owed = match purchase {
            Purchase::Purchased(details) => i64::from(details.quantity.get()),
            Purchase::Cancelled { .. } | Purchase::Unborn => 0,
        };
        self.must(taken == owed, || format!("{id} is {purchase:?}, and took {taken}"));
        self.traced_as(&reference, purchase.status());
    }

    fn purchases_were_answered_truly(&mut self, testimony: &Testimony) {
        for id in &testimony.replenished {
            let order = self.street.replenishment.streams.standing(*id).state;
            self.must(order != Order::Unborn, || format!("order {id} was answered as placed, and is not there"));
        }
        for id in &testimony.purchased {
            let purchase = self.street.sales.streams.standing(*id).state;
            let there = purchase != Purchase::Unborn;
            self.must(there, || format!("purchase {id} was answered as recorded, and is not there"));
            let cancelled = matches!(purchase, Purchase::Cancelled { .. });
            let expected = !testimony.returned.contains(id) || cancelled;
            self.must(expected, || format!("purchase {id} was answered as cancelled, and is {purchase:?}"));
        }
    }

    /// The owner sees what is so.
    fn the_board_is_right(&mut self) {
        let goods = self.street.board.goods.all();
        for (id, standing) in self.street.inventory.streams.all() {
            let Some(name) = &standing.state.name else { continue };
            let key = format!("{}/{}", name.shop, name.sku);
            let shown = goods.iter().find(|row| row.key == key).and_then(|row| row.view.latest.clone());
            let shown = shown.map(|latest| latest.on_hand);
            self.must(shown == Some(standing.state.on_hand), || format!("the board shows {shown:?} of {id}"));
        }
        let (mut sold, mut cancelled) = (0, 0);
        for (_, standing) in self.street.sales.streams.all() {
            sold += u64::from(standing.state.details().is_some());
            cancelled += u64::from(matches!(
                standing.state,
                Purchase::Cancelled { reason: CancelReason::Customer | CancelReason::OutOfStock, .. }
            ));
        }
        let takings = self.street.board.takings.all();
        let counted = takings
            .iter()
            .fold((0, 0), |(sold, cancelled), row| (sold + row.view.purchases, cancelled + row.view.cancellations));
        self.must(counted == (sold, cancelled), || format!("{sold} sold and {cancelled} cancelled, shown {counted:?}"));
        for row in self.street.board.orders.all() {
            let id = row.view.case.as_ref().and_then(|case| uuid::Uuid::parse_str(&case.root.id).ok()).map(Id::new);
            let order = id.map(|id| self.street.replenishment.streams.standing(id).state);
            let status = format!("{:?}", row.view.status).to_uppercase();
            let agrees = order.as_ref().is_some_and(|order| order.status().replace('_', "") == status);
            self.must(agrees, || format!("the board shows {row:?}, which is {order:?}"));
        }
    }
}
