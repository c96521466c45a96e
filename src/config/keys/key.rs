//! One key of a map.

use serde_json::Value as Json;

use super::kind::{Kind, Written, Wrong};
use super::section::{AnyKey, Section};
use super::setting::{Facts, Setting};
use crate::config::fields::Fields;
use crate::config::source::At;
use crate::config::tree::{Node, Value};

/// A key, with everything that there is to know about it.
#[derive(Clone, Copy)]
pub(super) struct Key<K> {
    name: &'static str,
    kind: K,
    doc: &'static str,
    /// As it would be written; empty when there is none.
    default: &'static str,
    /// Why it is the default, where that is not plain.
    because: &'static str,
    /// F5's words that are understood and not offered, each with the reason.
    refused: &'static [(&'static str, &'static str)],
    required: bool,
}

impl<K> Key<K> {
    pub(super) const fn new(name: &'static str, kind: K, doc: &'static str) -> Self {
        Self { name, kind, doc, default: "", because: "", refused: &[], required: false }
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// Sets the reason for the default, for the built-in profiles' files.
    pub(super) const fn because(mut self, reason: &'static str) -> Self {
        self.because = reason;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn refusing(mut self, refused: &'static [(&'static str, &'static str)]) -> Self {
        self.refused = refused;
        self
    }
}

impl<K: Kind + 'static> Setting for Key<K> {
    type Value = K::Value;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        keys.push(self);
    }

    fn read(&self, fields: &Fields<'_>) -> K::Value {
        let default = plain(fields.default_of(self.name).unwrap_or(self.default));
        let node = match fields.node(self.name).filter(|node| !self.kind.is_absent(node)) {
            Some(node) => node,
            None if self.default.is_empty() => {
                if self.required {
                    fields.missing(self);
                }
                return self.kind.absent();
            }
            None => &default,
        };
        match self.kind.read(Written { node, fields }) {
            Ok(value) => value,
            Err(wrong) => {
                match wrong {
                    Wrong::Kind => fields.wrong(self, node),
                    Wrong::Item(item) => fields.wrong(self, &item),
                    Wrong::Noted => {}
                }
                self.kind.absent()
            }
        }
    }

    fn facts(&self, value: &K::Value, facts: &mut Facts) {
        facts.push((self.name, self.kind.tell(value)));
    }
}

impl<K: Kind> AnyKey for Key<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn default(&self) -> &'static str {
        self.default
    }

    fn because(&self) -> &'static str {
        self.because
    }

    fn refused(&self) -> &'static [(&'static str, &'static str)] {
        self.refused
    }

    fn is_required(&self) -> bool {
        self.required
    }

    fn describe(&self) -> String {
        self.kind.describe()
    }

    fn schema(&self) -> Json {
        self.kind.schema()
    }

    fn hint(&self, written: &str) -> Option<String> {
        self.kind.hint(written)
    }

    fn items(&self) -> Option<&'static Section> {
        self.kind.items()
    }

    fn is_section(&self) -> bool {
        self.kind.is_section()
    }
}

/// Returns a default as the file would have it.
fn plain(text: &str) -> Node {
    let value = match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Text(text.to_owned()),
    };
    Node { value, at: At::default() }
}
