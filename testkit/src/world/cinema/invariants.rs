//! What must hold of the cinemas once the world has settled.

use std::collections::BTreeMap;

use highstreet_domain::booking::Booking;
use highstreet_domain::kernel::{Id, Seat};
use highstreet_domain::loyalty::Program;
use highstreet_domain::payment::{Closing, Payment, Refund};
use highstreet_domain::ticketing::Ticket;

use crate::world::invariants::Inspection;
use crate::world::witness::Testimony;

/// Who has which seats for good, by booking.
type Seated = BTreeMap<String, Vec<Seat>>;

/// Collects what does not hold.
pub(in crate::world) fn inspect(inspection: &mut Inspection<'_>, testimony: &Testimony) {
    let seated = inspection.nobody_is_about_to_sit();
    for (id, standing) in inspection.street.booking.streams.all() {
        inspection.booking(id, &standing.state, &seated);
    }
    inspection.every_seat_has_a_booking(&seated);
    inspection.points_are_collected_tickets();
    inspection.bookings_were_answered_truly(testimony);
}

impl Inspection<'_> {
    fn nobody_is_about_to_sit(&mut self) -> Seated {
        let mut seated = Seated::new();
        for (_, standing) in self.street.seating.streams.all() {
            for (seat, holding) in standing.state.opened.into_iter().flat_map(|opened| opened.seats) {
                self.must(holding.until.is_none(), || format!("{seat:?} is still held: {holding:?}"));
                seated.entry(holding.guest.booking).or_default().push(seat);
            }
        }
        seated
    }

    /// Seats, payment, ticket, money and trace of one booking agree with it.
    fn booking(&mut self, id: Id<Booking>, booking: &Booking, seated: &Seated) {
        let reference = Booking::reference(id);
        let payment_id = Id::<Payment>::made_for(&reference);
        let payment = self.street.payment.streams.standing(payment_id).state;
        let ticket_id = Id::<Ticket>::made_for(&reference);
        let ticket = self.street.ticketing.streams.standing(ticket_id).state;
        let knows_it = booking.chosen().is_some_and(|chosen| chosen.ticket == Some(ticket_id.to_string()));
        let money = self.money_for(&reference.to_string(), payment_id);
        let seats = seated.get(&id.to_string()).cloned().unwrap_or_default();
        let chosen: Vec<Seat> = booking.chosen().map(|chosen| chosen.seats.iter().collect()).unwrap_or_default();
        let price = booking.details().map(|details| details.price);
        let given_back =
            matches!(payment, Payment::Unborn | Payment::Cancelled { refund: Refund::NotDue | Refund::Done, .. });
        let agrees = match booking {
            Booking::Confirmed(_) => {
                seats == chosen
                    && money == price
                    && matches!(payment, Payment::Approved { closing: Closing::Open, .. })
                    && matches!(ticket, Ticket::Issued { .. })
                    && knows_it
            }
            Booking::Completed { .. } => {
                seats == chosen
                    && money == price
                    && matches!(payment, Payment::Approved { closing: Closing::Closed, .. })
                    && matches!(ticket, Ticket::Collected { .. })
                    && knows_it
            }
            Booking::Cancelled(_) => {
                seats.is_empty() && money.is_none() && given_back && matches!(ticket, Ticket::Cancelled(_))
            }
            Booking::Failed { .. } => seats.is_empty() && money.is_none() && given_back && ticket == Ticket::Unborn,
            // Whoever was to answer has, and what was to be paid or chosen in time was, or is over.
            _ => false,
        };
        self.must(agrees, || {
            format!(
                "{id} is {booking:?}, its payment {payment:?}, its ticket {ticket:?}; {money:?} is held, and {seats:?}"
            )
        });
        if !matches!(booking, Booking::Failed { .. }) {
            self.traced_as(&reference.to_string(), booking.status());
        }
    }

    fn every_seat_has_a_booking(&mut self, seated: &Seated) {
        for id in seated.keys() {
            let booking = uuid::Uuid::parse_str(id).map(Id::<Booking>::new).ok();
            let state = booking.map(|id| self.street.booking.streams.standing(id).state);
            let lives = matches!(state, Some(Booking::Confirmed(_) | Booking::Completed { .. }));
            self.must(lives, || format!("{id} has seats, and is {state:?}"));
        }
    }

    fn points_are_collected_tickets(&mut self) {
        let mut owed: BTreeMap<String, i64> = BTreeMap::new();
        for (_, standing) in self.street.ticketing.streams.all() {
            if let Ticket::Collected { admission, .. } = &standing.state {
                *owed.entry(admission.case.customer.clone()).or_default() += 100;
            }
        }
        let points = self.balances(Program::Points);
        self.must(points == owed, || format!("points are {points:?}, collected tickets make {owed:?}"));
    }

    fn bookings_were_answered_truly(&mut self, testimony: &Testimony) {
        for id in &testimony.confirmed {
            let booking = self.street.booking.streams.standing(*id).state;
            let lives = matches!(booking, Booking::Confirmed(_) | Booking::Completed { .. } | Booking::Cancelled(_));
            self.must(lives, || format!("{id} was answered as confirmed, and is {booking:?}"));
        }
        for id in &testimony.collected {
            let ticket = self.street.ticketing.streams.standing(*id).state;
            let collected = matches!(ticket, Ticket::Collected { .. });
            self.must(collected, || format!("ticket {id} was answered as collected, and is {ticket:?}"));
        }
    }
}
