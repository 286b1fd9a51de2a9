//! What must hold of the library once the world has settled.

use highstreet_domain::kernel::Id;
use highstreet_domain::lending::Reservation;

use crate::world::invariants::Inspection;
use crate::world::store::Movements;
use crate::world::witness::Testimony;

/// Collects what does not hold.
pub(in crate::world) fn inspect(inspection: &mut Inspection<'_>, testimony: &Testimony) {
    let movements = Movements::of(inspection.street);
    for (id, standing) in inspection.street.lending.streams.all() {
        inspection.reservation(id, &standing.state, &movements);
    }
    inspection.reservations_were_answered_truly(testimony);
    inspection.the_book_list_is_right();
}

impl Inspection<'_> {
    /// A confirmed reservation has one copy, and no other has any.
    fn reservation(&mut self, id: Id<Reservation>, reservation: &Reservation, movements: &Movements) {
        let reference = format!("lending/{id}");
        let taken = movements.taken.get(&reference).copied().unwrap_or(0);
        let agrees = match reservation {
            Reservation::Confirmed(_) => taken == 1,
            Reservation::Failed(_) | Reservation::Cancelled { .. } => taken == 0,
            // Inventory has answered by now.
            Reservation::Requested(_) | Reservation::Unborn => false,
        };
        self.must(agrees, || format!("{id} is {reservation:?}, and {taken} copies are taken for it"));
        self.traced_as(&reference, reservation.status());
    }

    fn reservations_were_answered_truly(&mut self, testimony: &Testimony) {
        for id in &testimony.reserved {
            let reservation = self.street.lending.streams.standing(*id).state;
            let there = reservation != Reservation::Unborn;
            self.must(there, || format!("reservation {id} was answered as taken, and is not there"));
            let cancelled = matches!(reservation, Reservation::Cancelled { .. });
            let expected = !testimony.given_back.contains(id) || cancelled;
            self.must(expected, || format!("{id} was answered as cancelled, and is {reservation:?}"));
        }
    }

    fn the_book_list_is_right(&mut self) {
        for row in self.street.books.all() {
            let Some(latest) = &row.view.latest else { continue };
            let name = highstreet_domain::inventory::StockName { shop: latest.shop.clone(), sku: latest.book.clone() };
            let on_hand = self.street.inventory.streams.standing(name.id()).state.on_hand;
            self.must(latest.available == on_hand, || format!("the list shows {latest:?}, there are {on_hand}"));
        }
    }
}
