//! What there is to know of a key of any kind, and of the map that it is in.

use serde_json::Value as Json;

/// The keys of a map.
pub(in crate::config) struct Section {
    /// In words that fit "in a …".
    pub name: &'static str,
    pub doc: &'static str,
    /// Adds the keys, in the order of the reference.
    pub list: fn(&mut Vec<&'static dyn AnyKey>),
}

impl Section {
    pub(crate) fn keys(&self) -> Vec<&'static dyn AnyKey> {
        let mut keys = Vec::new();
        (self.list)(&mut keys);
        keys
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static dyn AnyKey> {
        self.keys().into_iter().find(|key| key.name() == name)
    }
}

/// A key of any kind.
pub(in crate::config) trait AnyKey {
    fn name(&self) -> &'static str;
    fn doc(&self) -> &'static str;
    fn default(&self) -> &'static str;
    fn because(&self) -> &'static str;
    fn refused(&self) -> &'static [(&'static str, &'static str)];
    fn is_required(&self) -> bool;
    /// In words that fit "expected …".
    fn describe(&self) -> String;
    /// Returns what may be written, as JSON Schema.
    fn schema(&self) -> Json;
    /// Returns what a value of the wrong kind may have been meant to be.
    fn hint(&self, written: &str) -> Option<String>;
    /// Returns what the maps in a list have, where the value is a list of maps.
    fn items(&self) -> Option<&'static Section>;
    /// Returns whether it is a section: a map of named entries.
    fn is_section(&self) -> bool;
}
