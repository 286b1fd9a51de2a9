//! The people of the high street, what they were told, and what must hold whatever happened to it.

mod audit;
mod books;
mod calls;
mod load;
mod notes;

pub(crate) use audit::broken;
pub(crate) use books::Books;
pub(crate) use calls::{Calls, lattes};
pub(crate) use load::Load;
pub(crate) use notes::Notes;

pub(crate) use crate::common::mesh::{HIGHSTREET, Mesh, Plan, RECOVERY, Replica, Way, Weather};

/// The shop that all of it is about.
pub(crate) const SHOP: &str = "skanu";
