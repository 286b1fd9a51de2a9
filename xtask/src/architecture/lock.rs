//! One version of what everything talks through, and one cryptography library.

use super::Breach;

/// Two versions of one of these are two types of the same name that do not fit together.
const ONE_VERSION: [&str; 6] = ["tonic", "prost", "tower", "hyper", "http", "rustls"];
/// rustls runs on ring here; this is its other, which needs cmake and a C compiler's newest features.
const BANNED: &str = "aws-lc";

/// What Cargo.lock settled on.
pub(super) fn versions(lock: &str) -> Vec<Breach> {
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    let mut breaches = Vec::new();
    for name in ONE_VERSION {
        let versions = names.iter().filter(|found| **found == name).count();
        if versions > 1 {
            breaches.push(Breach::new("Cargo.lock", format!("has {versions} versions of {name}, and must have one")));
        }
    }
    for name in names.iter().filter(|name| name.starts_with(BANNED)) {
        breaches.push(Breach::new("Cargo.lock", format!("has {name}: use ring")));
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_versions_and_aws_lc_are_found() {
        let lock = |names: &[&str]| {
            let packages: Vec<_> = names.iter().map(|name| format!("[[package]]\nname = \"{name}\"\n")).collect();
            packages.concat()
        };
        assert_eq!(versions(&lock(&["tonic", "tower", "tower-layer", "itoa", "itoa"])), []);
        assert_eq!(versions(&lock(&["tonic", "tonic", "aws-lc-rs", "aws-lc-sys"])).len(), 3);
    }
}
