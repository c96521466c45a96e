//! The source files of a crate, read from a folder or made up by a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The text of each file by its path below `src/`.
pub struct Sources(pub BTreeMap<String, String>);

impl Sources {
    /// Reads every Rust file below pronk's `src/`.
    pub fn of_pronk() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = BTreeMap::new();
        read_folder(&root, "", &mut files);
        assert!(files.contains_key("lib.rs"), "no sources below {}", root.display());
        Self(files)
    }

    /// Makes up a crate.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let below = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read_folder(&path, &format!("{below}/"), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(below, fs::read_to_string(&path).unwrap());
        }
    }
}
