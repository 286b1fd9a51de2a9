//! The domain knows no operating system, no runtime and no wire format.

use super::Breach;
use super::members::{Kind, Member};
use crate::sources::Source;

const DOMAIN: &str = "highstreet-domain";
/// What rules may be written with: no I/O, no runtime, no protobuf.
const ALLOWED: [&str; 8] =
    ["async-lock", "async-trait", "event-listener", "futures-channel", "futures-util", "serde", "thiserror", "uuid"];

/// The domain's sources are `no_std`, and stay so.
pub(super) fn sources(domain: &[&Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let declared = |source: &&Source| source.path == "domain/src/lib.rs" && source.text.contains("\n#![no_std]\n");
    if !domain.iter().any(declared) {
        breaches.push(Breach::new("domain/src/lib.rs", "does not say #![no_std]"));
    }
    for source in domain.iter().filter(|source| !source.is_test()) {
        for (line, number) in source.without_tests().lines().zip(1..) {
            let code = line.split("//").next().unwrap_or_default();
            if names_std(code) {
                let place = format!("{}:{number}", source.path);
                breaches.push(Breach::new(place, "names std; the domain has core and alloc only"));
            }
        }
    }
    breaches
}

/// The domain depends on what is allowed, and on nothing else.
pub(super) fn dependencies(members: &[Member]) -> Vec<Breach> {
    let domain = members.iter().filter(|member| member.name == DOMAIN);
    let used = domain.flat_map(|member| &member.dependencies).filter(|dependency| dependency.kind != Kind::Dev);
    used.filter(|dependency| !ALLOWED.contains(&dependency.name.as_str()))
        .map(|dependency| {
            let what = format!("depends on {}, which is not on the list in {}", dependency.name, file!());
            Breach::new("domain/Cargo.toml", what)
        })
        .collect()
}

/// Nothing that the domain depends on is built with its `std` feature.
pub(super) fn features(tree: &str) -> Vec<Breach> {
    tree.lines()
        .filter_map(|line| line.split_once('|'))
        .filter(|(_, features)| features.trim_end_matches(" (*)").split(',').any(|feature| feature == "std"))
        .map(|(package, _)| Breach::new("domain/Cargo.toml", format!("needs {package} with its feature std")))
        .collect()
}

fn names_std(code: &str) -> bool {
    let path = code.match_indices("std::").any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    });
    path || code.contains("extern crate std")
}

#[cfg(test)]
mod tests {
    use super::super::members::Dependency;
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "domain/src/lib.rs".into(), text: format!("//! x\n#![no_std]\n{text}") }
    }

    #[test]
    fn std_is_found_where_it_is_named() {
        for bad in ["use std::fmt;", "extern crate std;", "let x = ::std::mem::take(y);"] {
            assert_eq!(sources(&[&source(bad)]).len(), 1, "{bad}");
        }
        let good = "use core::fmt;\n// std::fmt would be wrong\nlet x = my_std::y();\n#[cfg(test)]\nmod tests {\nuse std::fmt;";
        assert_eq!(sources(&[&source(good)]), []);
        let without = Source { path: "domain/src/lib.rs".into(), text: "//! x\n".into() };
        assert_eq!(sources(&[&without]).len(), 1);
    }

    #[test]
    fn the_domain_depends_on_the_list_only() {
        let dependency = |name: &str, kind| Dependency { name: name.into(), kind };
        let named =
            [dependency("serde", Kind::Normal), dependency("tokio", Kind::Normal), dependency("proptest", Kind::Dev)];
        let domain = Member { name: DOMAIN.into(), folder: "domain".into(), dependencies: named.into() };
        assert_eq!(dependencies(&[domain]).len(), 1);
    }

    #[test]
    fn a_std_feature_is_found() {
        assert_eq!(features("serde v1|alloc,derive\nuuid v1|std,v5\nslab v0|std (*)\ncore v0|nostd").len(), 2);
    }
}
