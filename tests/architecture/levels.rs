//! A top-level module imports modules of strictly lower levels only.

use crate::arrows::{Arrow, Arrows};
use crate::assert_none;
use crate::sources::Sources;

/// Every top-level module and its level. `lib.rs` and `main.rs` are above.
const LEVELS: &[(&str, u8)] = &[
    ("model", 0),
    ("snippet", 0),
    ("words", 0),
    ("reading", 0),
    ("config", 1),
    ("cert", 1),
    ("net", 1),
    ("stats", 1),
    ("log", 1),
    ("handover", 1),
    ("pool", 2),
    ("impala", 2),
    ("lint", 2),
    ("access", 2),
    ("audit", 2),
    ("inventory", 3),
    ("store", 3),
    ("tls", 3),
    ("proxy", 4),
    ("monitor", 4),
    ("control", 5),
    ("admin", 6),
    ("verify", 6),
    ("app", 7),
    ("cli", 8),
];

/// Imports that stay forbidden even where the levels would allow them.
const NEVER: &[(&str, &str, &str)] = &[
    ("proxy", "config", "the data path runs on snapshots of the model and never on the file"),
    ("proxy", "monitor", "health reaches the data path through the live state of members"),
    ("proxy", "admin", "the data path does not know who watches it"),
    ("config", "cert", "what needs the file and certificates is put together in `cli` or `control`"),
    ("config", "tls", "what needs the file and TLS is put together in `cli` or `control`"),
    ("config", "pool", "the file describes pools and runs none"),
];

#[test]
fn modules_import_strictly_lower_levels() {
    let broken: Vec<_> = Arrows::of(&Sources::of_pronk()).iter().filter_map(broken_rule).collect();
    assert_none(&broken);
}

#[test]
fn every_top_level_module_has_a_level() {
    let unknown: Vec<_> = Sources::of_pronk()
        .iter()
        .filter_map(|(path, _)| Some((path, top_module(path)?)))
        .filter(|(_, module)| level(module).is_none())
        .map(|(path, module)| format!("src/{path}: module `{module}` has no level: add it to LEVELS in {}", file!()))
        .collect();
    assert_none(&unknown);
}

/// What is wrong with an arrow from one top-level module to another.
pub fn broken_rule(arrow: &Arrow) -> Option<String> {
    let (importer, imported) = (top_module(&arrow.from)?, top_module(&arrow.to)?);
    let (upper, lower) = (level(importer)?, level(imported)?);
    if importer == imported {
        return None;
    }
    if let Some((.., why)) = NEVER.iter().find(|(by, of, _)| (*by, *of) == (importer, imported)) {
        return Some(format!("{arrow}: `{importer}` never imports `{imported}`: {why}"));
    }
    (lower >= upper).then(|| {
        format!(
            "{arrow}: `{importer}` at level {upper} imports levels below it only, and `{imported}` is at level {lower}"
        )
    })
}

/// The module below the crate's root that a file belongs to; none for the root itself and for `main.rs`.
fn top_module(path: &str) -> Option<&str> {
    match path.split_once('/') {
        Some((folder, _)) => Some(folder),
        None => path.strip_suffix(".rs").filter(|name| !matches!(*name, "lib" | "main")),
    }
}

fn level(module: &str) -> Option<u8> {
    LEVELS.iter().find(|(name, _)| *name == module).map(|(_, level)| *level)
}
