//! What a map of the file may have.

use super::AnyKey;

/// The keys of a map.
pub(in crate::config) struct Section {
    /// In words that fit "in a …".
    pub name: &'static str,
    pub doc: &'static str,
    /// Adds the keys, in the order of the reference.
    pub list: fn(&mut Vec<&'static dyn AnyKey>),
    /// F5's keys that are not here, each with what serves instead.
    pub elsewhere: &'static [(&'static str, &'static str)],
}

/// A type of profile or monitor, with how one is read.
pub(in crate::config) struct Type<R> {
    /// What is written for `type`.
    pub word: &'static str,
    /// The built-in entry that everything of the type inherits from in the end.
    pub root: &'static str,
    /// What the built-in file says above that entry.
    pub head: &'static str,
    /// Keys whose default is another than that of other types.
    pub defaults: &'static [(&'static str, &'static str)],
    pub section: Section,
    pub read: R,
}

impl Section {
    pub fn keys(&self) -> Vec<&'static dyn AnyKey> {
        let mut keys = Vec::new();
        (self.list)(&mut keys);
        keys
    }

    pub fn key(&self, name: &str) -> Option<&'static dyn AnyKey> {
        self.keys().into_iter().find(|key| key.name() == name)
    }
}

/// Declares `$keys`, the [`Setting`](super::Setting) of a struct of the model: one setting, most often a key, for every
/// field. Each field also becomes a function that returns the name of its (first) key.
macro_rules! settings {
    ($keys:ident = $model:ident { $($field:ident: $setting:expr),* $(,)? }) => {
        #[derive(Clone, Copy, Debug)]
        pub(in crate::config) struct $keys;

        #[expect(clippy::allow_attributes, reason = "some sections have all of their keys named by checks")]
        #[allow(dead_code, reason = "most sections have few")]
        impl $keys {
            $(pub fn $field() -> &'static str {
                let mut keys = Vec::new();
                $crate::config::keys::Setting::list(const { &$setting }, &mut keys);
                keys.first().map_or("", |key| key.name())
            })*
        }

        impl $crate::config::keys::Setting for $keys {
            type Value = $model;

            fn list(&'static self, keys: &mut Vec<&'static dyn $crate::config::keys::AnyKey>) {
                $($crate::config::keys::Setting::list(const { &$setting }, keys);)*
            }

            fn read(&self, fields: &$crate::config::fields::Fields<'_>) -> $model {
                $model { $($field: $crate::config::keys::Setting::read(const { &$setting }, fields)),* }
            }

            fn facts(&self, value: &$model, facts: &mut $crate::config::keys::Facts) {
                let $model { $($field),* } = value;
                $($crate::config::keys::Setting::facts(const { &$setting }, $field, facts);)*
            }
        }
    };
}
pub(super) use settings;
