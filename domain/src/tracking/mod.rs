//! Tracking (마이페이지, OrderTrace): the timeline of everything that belongs to one case, and the owner's board.

mod board;
mod kind;
mod trace;

pub use board::{
    Day, Goods, GoodsFact, Sale, SaleKind, StoreDeliveryStatus, StoreOrder, StoreOrderFact, StoreOrderNews,
    StoreOrderStatus, Takings,
};
pub use kind::Kind;
pub use trace::{Fact, Step, Trace};

/// The context's name.
pub const CONTEXT: &str = "tracking";
