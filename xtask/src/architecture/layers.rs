//! Dependencies point inwards, and no adapter knows another.

use super::Breach;
use super::members::{Kind, Member};

/// What every adapter may use of ours.
const SHARED: [&str; 3] = ["highstreet-domain", "highstreet-foundation", "highstreet-wire"];
/// What its tests may use besides.
const FOR_TESTS: &str = "highstreet-testkit";

/// Adapters depend on the domain and the published language; everything else of ours composes them.
pub(super) fn adapters(members: &[Member]) -> Vec<Breach> {
    let ours = |name: &str| members.iter().any(|member| member.name == name);
    let mut breaches = Vec::new();
    for member in members.iter().filter(|member| member.folder.starts_with("adapters/")) {
        for dependency in member.dependencies.iter().filter(|dependency| ours(&dependency.name)) {
            let tested_with = dependency.kind == Kind::Dev && dependency.name == FOR_TESTS;
            if !SHARED.contains(&dependency.name.as_str()) && !tested_with {
                let what = format!(
                    "depends on {}; an adapter knows the domain, the foundation and wire only",
                    dependency.name
                );
                breaches.push(Breach::new(format!("{}/Cargo.toml", member.folder), what));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::super::members::Dependency;
    use super::*;

    #[test]
    fn an_adapter_that_knows_another_is_found() {
        let member = |name: &str, folder: &str, dependencies: Vec<Dependency>| Member {
            name: name.into(),
            folder: folder.into(),
            dependencies,
        };
        let on = |name: &str, kind| Dependency { name: name.into(), kind };
        let sqlite =
            vec![on("highstreet-domain", Kind::Normal), on(FOR_TESTS, Kind::Dev), on("rusqlite", Kind::Normal)];
        let grpc = vec![on("highstreet-wire", Kind::Normal), on("highstreet-sqlite", Kind::Dev)];
        let services = vec![on("highstreet-sqlite", Kind::Normal), on("highstreet-grpc", Kind::Normal)];
        let members = [
            member("highstreet-domain", "domain", vec![]),
            member("highstreet-wire", "adapters/wire", vec![]),
            member("highstreet-sqlite", "adapters/sqlite", sqlite),
            member("highstreet-grpc", "adapters/grpc", grpc),
            member(FOR_TESTS, "testkit", vec![]),
            member("highstreet", "services", services),
        ];
        let breaches = adapters(&members);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        assert_eq!(breaches[0].place, "adapters/grpc/Cargo.toml");
    }
}
