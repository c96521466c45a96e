//! Scripts ask cargo where it puts binaries: a user may have set `CARGO_TARGET_DIR` or `build.target-dir`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::assert_none;

#[test]
fn scripts_ask_cargo_where_the_binary_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = vec![root.join("Makefile"), root.join(".ci/run")];
    ["tests", "benches", "packaging", "fuzz"].iter().for_each(|folder| collect(&root.join(folder), &mut scripts));
    assert!(scripts.len() > 20, "they are found");
    let wrong: Vec<_> = scripts
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let lines = text.lines().enumerate().filter(|(_, line)| PLACES.iter().any(|place| line.contains(place)));
            lines.map(|(at, line)| format!("{}:{}: {line}", path.display(), at + 1)).collect::<Vec<_>>()
        })
        .collect();
    assert_none(&wrong);
}

fn collect(folder: &Path, scripts: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let is_script = path.extension().is_some_and(|kind| kind == "sh" || kind == "py");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && path.file_name().is_some_and(|name| name != "target") => {
                collect(&path, scripts);
            }
            Ok(kind) if kind.is_file() && is_script => scripts.push(path),
            _ => {}
        }
    }
}

const PLACES: [&str; 3] = [concat!("target/", "release"), concat!("target/", "debug"), concat!("target/", "dist")];
