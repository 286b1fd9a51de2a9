//! A mesh on this machine, its customers and staff, and what must hold whatever happened to it.

mod audit;
mod books;
mod calls;
mod load;
mod mesh;
mod notes;
mod plan;
mod proxy;
mod replica;
mod turns;

pub(crate) use audit::broken;
pub(crate) use books::Books;
pub(crate) use calls::{Calls, lattes};
pub(crate) use load::Load;
pub(crate) use mesh::{Mesh, RECOVERY};
pub(crate) use notes::Notes;
pub(crate) use plan::{Plan, Way};
pub(crate) use proxy::Weather;
pub(crate) use replica::{HIGHSTREET, Replica};

/// The shop that all of it is about.
pub(crate) const SHOP: &str = "skanu";
