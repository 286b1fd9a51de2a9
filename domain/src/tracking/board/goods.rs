//! What is in stock of one product.

use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::kernel::{Index, Money, ProductId, ShopId, Timestamp, View};

/// What the owner sees of a product: what inventory told last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Goods {
    /// What was told last; `None` before the first fact.
    pub latest: Option<GoodsFact>,
}

/// What the board hears of a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoodsFact {
    /// The shop.
    pub shop: ShopId,
    /// The product.
    pub sku: ProductId,
    /// What people call it; empty if it was asked for and never received.
    pub name: String,
    /// How many there are.
    pub on_hand: i64,
    /// At how many or fewer it is low.
    pub reorder_point: i64,
    /// What one costs, where that is known.
    pub unit_price: Option<Money>,
    /// The stock item's revision with it.
    pub revision: u64,
    /// When.
    pub time: Timestamp,
}

// === impl Goods ===

impl View for Goods {
    const NAME: &'static str = "goods";

    type Fact = GoodsFact;

    fn key(fact: &GoodsFact) -> String {
        format!("{}/{}", fact.shop, fact.sku)
    }

    fn apply(self, fact: &GoodsFact) -> Self {
        match self.latest {
            Some(latest) if latest.revision >= fact.revision => Self { latest: Some(latest) },
            _ => Self { latest: Some(fact.clone()) },
        }
    }

    fn index(&self) -> Index {
        // What was only ever asked for is no stock.
        let Some(latest) = self.latest.as_ref().filter(|latest| !latest.name.is_empty()) else {
            return Index::default();
        };
        Index { shop: latest.shop.to_string(), ..Index::default() }
    }
}

impl GoodsFact {
    /// Whether it is time to order more.
    pub const fn is_low(&self) -> bool {
        self.on_hand <= self.reorder_point
    }
}
