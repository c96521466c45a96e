//! How files are laid out: each says what is in it, none is long, a folder's module is its `mod.rs`, and each is part
//! of the crate.

use crate::assert_none;
use crate::crate_tree::CrateTree;
use crate::sources::Sources;

const LONGEST_FILE: usize = 600;

#[test]
fn files_begin_with_what_is_in_them() {
    assert_none(&without_a_first_line(&Sources::of_pronk()));
}

#[test]
fn files_stay_readable() {
    assert_none(&too_long(&Sources::of_pronk()));
}

#[test]
fn the_module_of_a_folder_is_its_mod_file() {
    assert_none(&beside_their_folder(&Sources::of_pronk()));
}

#[test]
fn files_are_read_and_their_paths_followed() {
    let tree = CrateTree::new(&Sources::of_pronk());
    assert_none(&tree.broken);
    assert_none(&tree.unknown());
}

pub fn without_a_first_line(sources: &Sources) -> Vec<String> {
    let silent = sources.iter().filter(|(_, text)| !text.starts_with("//! "));
    silent.map(|(path, _)| format!("src/{path}:1: begin with a `//!` line that says what is in the file")).collect()
}

pub fn too_long(sources: &Sources) -> Vec<String> {
    let long =
        sources.iter().map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > LONGEST_FILE);
    long.map(|(path, lines)| format!("src/{path}: {lines} lines, at most {LONGEST_FILE}: split it by concept"))
        .collect()
}

pub fn beside_their_folder(sources: &Sources) -> Vec<String> {
    let folder = |path: &str| path.strip_suffix(".rs").map(|name| format!("{name}/")).unwrap_or_default();
    let has_folder = |path: &str| sources.iter().any(|(other, _)| other.starts_with(&folder(path)));
    let beside = sources.iter().filter(|(path, _)| has_folder(path));
    beside
        .map(|(path, _)| format!("src/{path}: has a folder beside it: move it to src/{}mod.rs", folder(path)))
        .collect()
}
