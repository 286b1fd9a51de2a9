//! Counts what happened in the shops: the figures that owners ask for, and the first to look at when something is odd.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use highstreet_domain::kernel::ports::Subscription;
use metrics::{Counter, Unit, counter, describe_counter};

use crate::encoded::EncodedAppend;

const EVENTS: &str = "highstreet_events_total";
const REDELIVERIES: &str = "highstreet_redeliveries_total";
/// So many shops have a number of their own. Callers name shops, and a label for whatever they think of would grow
/// without end.
const MOST_SHOPS: usize = 100;
const OTHER: &str = "other";

/// A kind of aggregate, an event's name, and a shop.
type Kind = (&'static str, &'static str, &'static str);

/// The counters, and what the shops among them are called.
#[derive(Default)]
struct Tally {
    shops: HashMap<String, &'static str>,
    counters: HashMap<Kind, Counter>,
}

static TALLY: LazyLock<RwLock<Tally>> = LazyLock::new(|| {
    describe_counter!(EVENTS, Unit::Count, "Events that were committed and are published, by the shop they are about.");
    RwLock::default()
});

/// Counts the published events of an append that was committed.
pub fn count(append: &EncodedAppend) {
    let names = append.events.iter().filter_map(|event| event.published.as_ref().map(|(name, _)| *name));
    let shop = append.index[0].as_deref().unwrap_or_default();
    for name in names {
        let known = {
            let tally = TALLY.read().unwrap_or_else(PoisonError::into_inner);
            tally.known(append.aggregate, name, shop)
        };
        known.unwrap_or_else(|| first(append.aggregate, name, shop)).increment(1);
    }
}

/// Counts the messages that a listener is given again, whatever for: an outage, a failure, or a replica that died.
pub fn redeliveries(Subscription { consumer, source, .. }: &Subscription) -> Counter {
    describe_counter!(REDELIVERIES, Unit::Count, "Messages that were given to a listener again, for whatever reason.");
    counter!(REDELIVERIES, "consumer" => consumer.clone(), "source" => source.clone())
}

fn first(aggregate: &'static str, event: &'static str, shop: &str) -> Counter {
    TALLY.write().unwrap_or_else(PoisonError::into_inner).add(aggregate, event, shop)
}

// === impl Tally ===

impl Tally {
    fn known(&self, aggregate: &'static str, event: &'static str, shop: &str) -> Option<Counter> {
        self.counters.get(&(aggregate, event, *self.shops.get(shop)?)).cloned()
    }

    fn add(&mut self, aggregate: &'static str, event: &'static str, shop: &str) -> Counter {
        let shop = self.label(shop);
        let of = || counter!(EVENTS, "aggregate" => aggregate, "event" => event, "shop" => shop);
        self.counters.entry((aggregate, event, shop)).or_insert_with(of).clone()
    }

    /// What the shop is called in the label.
    fn label(&mut self, shop: &str) -> &'static str {
        if let Some(known) = self.shops.get(shop) {
            return known;
        }
        if self.shops.len() >= MOST_SHOPS {
            return OTHER;
        }
        // For as long as the process runs, and at most a hundred of them.
        let label: &'static str = Box::leak(shop.to_owned().into_boxed_str());
        self.shops.insert(shop.to_owned(), label);
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_who_think_of_shops_make_no_labels() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            tally.add("order", "OrderPlaced", &format!("shop-{number}"));
        }
        assert_eq!(tally.label("shop-7"), "shop-7");
        assert_eq!(tally.label("shop-999"), OTHER);
        assert_eq!(tally.shops.len(), MOST_SHOPS);
        assert_eq!(tally.counters.len(), MOST_SHOPS + 1);
    }
}
