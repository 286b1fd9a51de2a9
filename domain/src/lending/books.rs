//! The books of a library, as inventory told of them last.

use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::kernel::{Index, ProductId, ShopId, View};

/// A book that can be reserved, or could.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// What was told last; `None` before the first fact.
    pub latest: Option<BookFact>,
}

/// What is heard of a book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BookFact {
    /// The library.
    pub shop: ShopId,
    /// The book.
    pub book: ProductId,
    /// Its title; empty if it was asked for and never received.
    pub title: String,
    /// How many copies can be reserved.
    pub available: i64,
    /// The stock item's revision with it.
    pub revision: u64,
}

// === impl Book ===

impl View for Book {
    const NAME: &'static str = "book";

    type Fact = BookFact;

    fn key(fact: &BookFact) -> String {
        format!("{}/{}", fact.shop, fact.book)
    }

    fn apply(self, fact: &BookFact) -> Self {
        match self.latest {
            Some(latest) if latest.revision >= fact.revision => Self { latest: Some(latest) },
            _ => Self { latest: Some(fact.clone()) },
        }
    }

    fn index(&self) -> Index {
        // What was only ever asked for is no book of this library.
        let Some(latest) = self.latest.as_ref().filter(|latest| !latest.title.is_empty()) else {
            return Index::default();
        };
        let status = if latest.available > 0 { "AVAILABLE" } else { "OUT" };
        Index { shop: latest.shop.to_string(), status: status.into(), ..Index::default() }
    }
}
