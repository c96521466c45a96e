//! The macro that ties the fields of a struct of the model to keys.

/// Declares `$keys`, the [`Setting`](super::setting::Setting) of a struct of the model: one setting, most often a key,
/// for every field. Each field also becomes a function that returns the name of its (first) key.
macro_rules! settings {
    ($keys:ident = $model:ident { $($field:ident: $setting:expr),* $(,)? }) => {
        #[derive(Clone, Copy, Debug)]
        pub(in crate::config) struct $keys;

        #[expect(clippy::allow_attributes, reason = "some sections have all of their keys named by checks")]
        #[allow(dead_code, reason = "most sections have few")]
        impl $keys {
            $(pub(in crate::config) fn $field() -> &'static str {
                let mut keys = Vec::new();
                $crate::config::keys::setting::Setting::list(const { &$setting }, &mut keys);
                keys.first().map_or("", |key| key.name())
            })*
        }

        impl $crate::config::keys::setting::Setting for $keys {
            type Value = $model;

            fn list(&'static self, keys: &mut Vec<&'static dyn $crate::config::keys::section::AnyKey>) {
                $($crate::config::keys::setting::Setting::list(const { &$setting }, keys);)*
            }

            fn read(&self, fields: &$crate::config::fields::Fields<'_>) -> $model {
                $model { $($field: $crate::config::keys::setting::Setting::read(const { &$setting }, fields)),* }
            }

            fn facts(&self, value: &$model, facts: &mut $crate::config::keys::setting::Facts) {
                let $model { $($field),* } = value;
                $($crate::config::keys::setting::Setting::facts(const { &$setting }, $field, facts);)*
            }
        }
    };
}
pub(super) use settings;
