//! What seating does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::language::{Change, Command, Guest};
use super::screening::{Screening, ScreeningName};
use crate::kernel::Id;

/// A revision that no booking comes to: nothing it ever asked for counts any more.
const LAST: u64 = u64::MAX >> 1;

/// What seating listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A booking did not come about.
    BookingFailed {
        /// On which screening.
        name: ScreeningName,
        /// Which.
        guest: Guest,
        /// Its revision with that.
        revision: u64,
    },
    /// A booking that never had a payment was cancelled. Where there is a payment its cancellation always follows, and
    /// releases the seats: the ticket goes first, then the booking, then the payment, and the seats last.
    UnbilledBookingCancelled {
        /// On which screening.
        name: ScreeningName,
        /// Which.
        guest: Guest,
        /// Its revision with that.
        revision: u64,
    },
    /// A booking's payment was cancelled: the booking is over for good.
    PaymentCancelled {
        /// On which screening.
        name: ScreeningName,
        /// Which booking.
        guest: Guest,
    },
}

/// The commands that follow from `fact`: the seats become free, and stay so whatever of that booking comes late.
pub fn react(fact: &Fact) -> Vec<(Id<Screening>, Command)> {
    let (name, guest, revision) = match fact {
        Fact::BookingFailed { name, guest, revision } | Fact::UnbilledBookingCancelled { name, guest, revision } => {
            (name, guest, *revision)
        }
        Fact::PaymentCancelled { name, guest } => (name, guest, LAST),
    };
    let change = Change { name: name.clone(), guest: guest.clone(), revision };
    vec![(name.id(), Command::Release { change, seats: None })]
}
