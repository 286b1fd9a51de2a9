//! Lays together in the program what runs until it is ready, and then what runs when it is called.

use std::env;

/// The functions that do, in this order; `cargo xtask link-order` writes it.
const ORDER: &str = "link-order.txt";

fn main() {
    println!("cargo::rerun-if-changed={ORDER}");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release && links_with_lld() {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={folder}/{ORDER}");
        // Another compiler gives functions other names: then they lie as they come.
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}

/// Whether the linker is the one that takes such a list: Rust's own, where nobody chose another.
fn links_with_lld() -> bool {
    let target = env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let chosen = env::var_os("RUSTC_LINKER").is_some() || ["linker", "fuse-ld"].iter().any(|flag| flags.contains(flag));
    target && !chosen
}
