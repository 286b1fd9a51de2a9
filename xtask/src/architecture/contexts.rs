//! Proto, domain, wire, gRPC, services, and the values of the Helm chart, once there is one, name the same contexts.

use std::path::Path;

use super::{Breach, read};
use crate::sources::{contexts as contexts_of, names};

/// Where each context has a folder or a file of its own, and what else stands there. Where anything may stand beside
/// them, only missing ones are found: one too many names a module that the domain does not have, and fails to build.
const PLACES: [(&str, Beside); 4] = [
    ("domain/src", Beside::Only(&["kernel", "lib"])),
    ("services/src/contexts", Beside::Only(&["mod"])),
    ("adapters/wire/src", Beside::Anything),
    ("adapters/grpc/src", Beside::Anything),
];

/// The list of all contexts, which makes `ContextName::ALL`.
const LIST: &str = "services/src/contexts/mod.rs";
/// The values of the chart that installs all of them: what concerns one context stands under its name.
const VALUES: &str = "deploy/helm/highstreet/values.yaml";
/// What it installs them by: the chart of one context, under the name of each.
const CHART: &str = "deploy/helm/highstreet/Chart.yaml";
/// What else stands there.
const BESIDE_VALUES: [&str; 4] = ["global", "gateway", "dev", "tags"];

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
    breaches.extend(compare(LIST, Beside::Only(&[]), &contexts, &listed(&read(root, LIST)?)));
    if root.join(VALUES).exists() {
        breaches.extend(compare(VALUES, Beside::Only(&BESIDE_VALUES), &contexts, &keys(&read(root, VALUES)?)));
        breaches.extend(compare(CHART, Beside::Only(&["gateway"]), &contexts, &aliases(&read(root, CHART)?)));
    }
    Ok(breaches)
}

/// The modules in the list of contexts: `Payment = payment, calls [];`.
fn listed(text: &str) -> Vec<String> {
    let list = text.split_once("\ncontexts! {").map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| *line != "}");
    let module = |line: &str| {
        let (_, rest) = line.trim().split_once(" = ")?;
        rest.split_once(", calls [").map(|(module, _)| module.to_owned())
    };
    lines.filter_map(module).collect()
}

/// The outermost keys of a YAML file.
fn keys(text: &str) -> Vec<String> {
    let outer = text.lines().filter(|line| line.starts_with(|first: char| first.is_alphanumeric() || first == '"'));
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.trim_matches('"').to_owned());
    outer.filter_map(key).collect()
}

/// The names that a chart's dependencies go by: `{name: context, alias: payment, …}`.
fn aliases(text: &str) -> Vec<String> {
    let alias = |line: &str| Some(line.split_once("alias: ")?.1.split_once(',')?.0.to_owned());
    text.lines().filter_map(alias).collect()
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
    fn the_list_names_the_contexts_that_proto_names() {
        let root = crate::shell::root();
        let mut there = listed(&read(&root, LIST).expect("the list"));
        there.sort();
        assert_eq!(there, contexts_of(&root).expect("folders in proto"));
        assert_eq!(listed("macro contexts\ncontexts! {\n    A = a, calls [\n    ];\n}\nlet x = y, calls [];"), ["a"]);
    }

    #[test]
    fn charts_are_told_by_their_aliases() {
        let chart = "dependencies:\n  - {name: dev}\n  - {name: context, alias: payment, version: 1}\n";
        assert_eq!(aliases(chart), ["payment"]);
        let breaches = compare(CHART, Beside::Only(&["gateway"]), &["kitchen".into()], &aliases(chart));
        assert_eq!(breaches.len(), 2);
    }

    #[test]
    fn values_are_told_by_their_outermost_keys() {
        let values = "# payment: of old\nglobal:\n  image: x\npayment:\n  ordering: {}\n\"kitchen\": {}\n- none\n---\n";
        assert_eq!(keys(values), ["global", "payment", "kitchen"]);
        let contexts = ["kitchen", "loyalty", "payment"].map(String::from);
        let breaches = compare(VALUES, Beside::Only(&BESIDE_VALUES), &contexts, &keys(values));
        assert_eq!(breaches, [Breach::new(VALUES, "has nothing for loyalty, which proto names")]);
    }

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
