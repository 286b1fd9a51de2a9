//! What everything that happens belongs to.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Reference, ShopId};

/// The order, booking, reservation or purchase that something belongs to, with its shop and its customer. Every
/// event carries it, so that listeners find their own streams without asking back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The order, booking, reservation or purchase itself.
    pub root: Reference,
    /// The shop it was made in.
    pub shop: ShopId,
    /// The customer's phone number or name; empty where there is none.
    pub customer: String,
}
