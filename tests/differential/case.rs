//! A case of the generator: a chain, what is trusted, and the name that is asked for.

use std::fs;
use std::path::{Path, PathBuf};

/// A chain to be judged.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) number: usize,
    /// The classes of its changes, such as `A+names`.
    pub(crate) class: String,
    pub(crate) host: String,
    /// What was changed.
    pub(crate) title: String,
    pub(crate) chain: PathBuf,
    pub(crate) anchors: PathBuf,
    pub(crate) key: PathBuf,
    /// OpenSSL's server does not show the chain.
    pub(crate) is_raw: bool,
}

/// Reads the cases that the generator wrote.
pub(crate) fn read(folder: &Path) -> Vec<Case> {
    let index = fs::read_to_string(folder.join("cases.tsv")).unwrap();
    let case = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        Case {
            number: fields[0].parse().unwrap(),
            class: fields[1].into(),
            host: fields[2].into(),
            title: fields[3].into(),
            chain: folder.join(format!("{}.chain.pem", fields[0])),
            anchors: folder.join(format!("{}.anchors.pem", fields[0])),
            key: folder.join(format!("{}.key.pem", fields[0])),
            is_raw: fields[4] == "raw",
        }
    };
    index.lines().map(case).collect()
}
