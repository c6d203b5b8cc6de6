//! Tells the program the exact versions that it is made of, for `ready`.

use std::fs;

fn main() {
    println!("cargo::rerun-if-changed=Cargo.lock");
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock");
    let value = |line: &str, key: &str| {
        line.strip_prefix(key)
            .map(|rest| rest.trim_matches(['=', ' ', '"']).to_string())
    };
    let mut name = String::new();
    let mut found = Vec::new();
    for line in lock.lines() {
        if let Some(its) = value(line, "name ") {
            name = its;
        } else if let Some(version) = value(line, "version ") {
            if name.starts_with("libp2p-") || name == "yamux" {
                found.push(format!("{name} {version}"));
            }
        }
    }
    println!("cargo::rustc-env=LIBP2P_VERSIONS={}", found.join(","));
}
