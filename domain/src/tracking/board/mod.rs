//! The store owner's board: what was ordered from head office, what is in stock, what was sold today.

mod goods;
mod order;
mod takings;

pub use goods::{Goods, GoodsFact};
pub use order::{StoreDeliveryStatus, StoreOrder, StoreOrderFact, StoreOrderNews, StoreOrderStatus};
pub use takings::{Day, Sale, SaleKind, Takings};
