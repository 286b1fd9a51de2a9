//! The people of the high street, what they were told, and what must hold whatever happened to it.

mod audit;
mod books;
mod cafe;
mod calls;
mod cinema;
mod library;
mod load;
mod notes;
mod shops;
mod shops_audit;
mod store;

pub(crate) use audit::broken;
pub(crate) use books::Books;
pub(crate) use calls::{Calls, lattes};
pub(crate) use load::Load;
pub(crate) use notes::Notes;

pub(crate) use crate::common::mesh::{HIGHSTREET, Mesh, Plan, RECOVERY, Replica, Way, Weather};

/// The coffee shop.
pub(crate) const SHOP: &str = "skanu";
/// The other ones.
pub(crate) const STORE: &str = "corner";
pub(crate) const LIBRARY: &str = "alexandria";
pub(crate) const CINEMA: &str = "cgv";

/// As messages count.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap()
}
