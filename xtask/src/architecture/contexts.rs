//! Proto, domain, wire, gRPC and services name the same contexts.

use std::path::Path;

use super::Breach;
use crate::sources::{contexts as contexts_of, names};

/// Where each context has a folder or a file of its own, and what else stands there. Where anything may stand beside
/// them, only missing ones are found: one too many names a module that the domain does not have, and fails to build.
const PLACES: [(&str, Beside); 4] = [
    ("domain/src", Beside::Only(&["kernel", "lib"])),
    ("services/src/contexts", Beside::Only(&["mod"])),
    ("adapters/wire/src", Beside::Anything),
    ("adapters/grpc/src", Beside::Anything),
];

#[derive(Clone, Copy)]
enum Beside {
    Only(&'static [&'static str]),
    Anything,
}

/// The published language says which contexts there are.
pub(super) fn contexts(root: &Path) -> Result<Vec<Breach>, String> {
    let contexts = contexts_of(root)?;
    let mut breaches = Vec::new();
    for (place, beside) in PLACES {
        breaches.extend(compare(place, beside, &contexts, &names(&root.join(place))?));
    }
    Ok(breaches)
}

fn compare(place: &str, beside: Beside, contexts: &[String], there: &[String]) -> Vec<Breach> {
    let missing = contexts.iter().filter(|context| !there.contains(context));
    let missing = missing.map(|context| Breach::new(place, format!("has nothing for {context}, which proto names")));
    let mut breaches: Vec<_> = missing.collect();
    if let Beside::Only(others) = beside {
        let strange = there.iter().filter(|name| !contexts.contains(name) && !others.contains(&name.as_str()));
        breaches.extend(strange.map(|name| Breach::new(place, format!("has {name}, which is no context in proto"))));
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_too_few_or_too_many_is_found() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let contexts = names(&["kitchen", "ordering"]);
        let there = names(&["kitchen", "bakery", "mod"]);
        assert_eq!(compare("x", Beside::Only(&["mod"]), &contexts, &there).len(), 2);
        assert_eq!(compare("x", Beside::Anything, &contexts, &there).len(), 1);
        assert_eq!(compare("x", Beside::Only(&["mod"]), &contexts, &names(&["kitchen", "ordering", "mod"])), []);
    }
}
