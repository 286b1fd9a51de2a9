//! Inventory (상품/재고): what there is of each product, and what took or brought it.

mod language;
mod movement;
mod policy;
mod stock;

pub use language::{Command, Event, Intake, Rejection};
pub use movement::{Moved, Movement};
pub use policy::{Fact, react};
pub use stock::{Goods, Stock, StockName};

/// The context's name.
pub const CONTEXT: &str = "inventory";
