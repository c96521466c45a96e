//! A change of an entry: which files are written and which removed.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::cert::entry::Contents;

/// What becomes of an entry's files. Those that are not mentioned stay as they are.
#[derive(Debug, Default)]
pub struct Change {
    pub(super) set: BTreeMap<&'static str, Contents>,
    dropped: Vec<&'static str>,
}

impl Change {
    /// Writes a file.
    pub fn set(mut self, file: &'static str, contents: impl Into<Vec<u8>>) -> Self {
        self.set.insert(file, Zeroizing::new(contents.into()));
        self
    }

    /// Writes a file that holds secrets.
    pub fn set_secret(mut self, file: &'static str, contents: Contents) -> Self {
        self.set.insert(file, contents);
        self
    }

    /// Removes a file, if it is there.
    pub fn drop(mut self, file: &'static str) -> Self {
        self.dropped.push(file);
        self
    }

    pub(super) fn keeps(&self, file: &str) -> bool {
        !self.set.contains_key(file) && !self.dropped.contains(&file)
    }
}
