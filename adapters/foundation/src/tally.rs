//! Counts what happened in the shops: the figures that owners ask for, and the first to look at when something is odd.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use highstreet_domain::kernel::ports::Subscription;
use metrics::{Counter, Unit, counter, describe_counter};

use crate::encoded::EncodedAppend;

const EVENTS: &str = "highstreet_events_total";
const REDELIVERIES: &str = "highstreet_redeliveries_total";
/// So many shops of a context have a number of their own. Callers name shops, and a label for whatever they think of
/// would grow without end.
const MOST_SHOPS: usize = 100;
const OTHER: &str = "other";

/// The published events that one context committed, by name and shop.
#[derive(Debug)]
pub struct Tally {
    context: String,
    shops: RwLock<HashMap<String, HashMap<&'static str, Counter>>>,
}

/// Counts the messages that a listener is given again, whatever for: an outage, a failure, or a replica that died.
pub fn redeliveries(Subscription { consumer, source, .. }: &Subscription) -> Counter {
    describe_counter!(REDELIVERIES, Unit::Count, "Messages that were given to a listener again, for whatever reason.");
    counter!(REDELIVERIES, "consumer" => consumer.clone(), "source" => source.clone())
}

// === impl Tally ===

impl Tally {
    /// Nothing yet.
    pub fn of(context: &str) -> Self {
        describe_counter!(
            EVENTS,
            Unit::Count,
            "Events that a context committed and publishes, by the shop they are about."
        );
        Self { context: context.to_owned(), shops: RwLock::default() }
    }

    /// Whose events are counted.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Counts the published events of an append that was committed.
    pub fn count(&self, append: &EncodedAppend) {
        let shop = append.index[0].as_deref().unwrap_or_default();
        for (name, _) in append.events.iter().filter_map(|event| event.published.as_ref()) {
            self.known(name, shop).unwrap_or_else(|| self.add(name, shop)).increment(1);
        }
    }

    fn known(&self, event: &'static str, shop: &str) -> Option<Counter> {
        let shops = self.shops.read().unwrap_or_else(PoisonError::into_inner);
        let all_others = || shops.get(OTHER).filter(|_| shops.len() > MOST_SHOPS);
        shops.get(shop).or_else(all_others)?.get(event).cloned()
    }

    fn add(&self, event: &'static str, shop: &str) -> Counter {
        let mut shops = self.shops.write().unwrap_or_else(PoisonError::into_inner);
        let shop = if shops.contains_key(shop) || shops.len() < MOST_SHOPS { shop } else { OTHER };
        let (context, label) = (self.context.clone(), shop.to_owned());
        let counters = shops.entry(shop.to_owned()).or_default();
        let of = || counter!(EVENTS, "context" => context, "event" => event, "shop" => label);
        counters.entry(event).or_insert_with(of).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_who_think_of_shops_make_no_labels() {
        let tally = Tally::of("ordering");
        for number in 0..1000 {
            let _ = tally.add("OrderPlaced", &format!("shop-{number}"));
        }
        let shops: Vec<_> = tally.shops.read().unwrap().keys().cloned().collect();
        assert!(shops.contains(&"shop-7".to_owned()) && shops.contains(&OTHER.to_owned()), "{shops:?}");
        assert!(tally.known("OrderPlaced", "shop-999").is_some(), "counted with all others");
        assert_eq!(tally.shops.read().unwrap().len(), MOST_SHOPS + 1);
    }
}
