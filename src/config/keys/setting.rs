//! What a declaration can do: list its keys, read a value of the model, and tell the value.

use super::section::AnyKey;
use crate::config::fields::Fields;

/// A value of the model, and the keys of the file that make it.
pub(in crate::config) trait Setting {
    type Value;

    /// Adds its keys, in the order in which the reference has them.
    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>);

    /// Reads the value. Every mistake is noted, and something of the right type stands in for what is wrong, so that
    /// other mistakes are found as well.
    fn read(&self, fields: &Fields<'_>) -> Self::Value;

    /// Adds what tells the value from another: pairs of a key and what would be written for it.
    fn facts(&self, value: &Self::Value, facts: &mut Facts);
}

/// Keys with their values, as people read them.
pub(in crate::config) type Facts = Vec<(&'static str, String)>;

/// A field that no key of the file sets.
pub(super) struct Constant<T>(pub T);

impl<T: Clone> Setting for Constant<T> {
    type Value = T;

    fn list(&'static self, _: &mut Vec<&'static dyn AnyKey>) {}

    fn read(&self, _: &Fields<'_>) -> T {
        self.0.clone()
    }

    fn facts(&self, _: &T, _: &mut Facts) {}
}

/// The name under which the entry stands in its section.
pub(super) struct EntryName;

impl Setting for EntryName {
    type Value = crate::model::Name;

    fn list(&'static self, _: &mut Vec<&'static dyn AnyKey>) {}

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        fields.name.into()
    }

    fn facts(&self, _: &Self::Value, _: &mut Facts) {}
}

/// What follows from the entry's `type` alone.
pub(super) struct OfType<T: 'static> {
    pub all: &'static [T],
    pub word: fn(T) -> &'static str,
}

impl<T: Copy> Setting for OfType<T> {
    type Value = T;

    fn list(&'static self, _: &mut Vec<&'static dyn AnyKey>) {}

    fn read(&self, fields: &Fields<'_>) -> T {
        let of_type = self.all.iter().find(|it| (self.word)(**it) == fields.kind);
        *of_type.unwrap_or(&self.all[0])
    }

    fn facts(&self, value: &T, facts: &mut Facts) {
        facts.push(("type", (self.word)(*value).to_owned()));
    }
}
