//! The house rules, held by reading `src/`: which file may import which, how files are laid out, what types are not
//! called. A failure names the file, the line and the rule.
//!
//! An import is an arrow from the file that names something to the file that defines it, whichever re-exports lie
//! between. `mod` lines are no arrows, and neither is the `pub use` by which a `mod.rs` hands on what is below it.
//! What only tests compile is left out.

mod arrows;
mod circles;
mod crate_tree;
mod files;
mod items;
mod levels;
mod macros;
mod made_up;
mod reader;
mod scripts;
mod sources;
mod type_names;

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "{} broken:\n  {}\n", broken.len(), broken.join("\n  "));
}
