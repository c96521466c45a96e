//! What a kind of value can do.

use serde_json::Value as Json;

use crate::config::fields::Fields;
use crate::config::keys::section::Section;
use crate::config::tree::Node;

/// A kind of value.
pub(in crate::config::keys) trait Kind {
    type Value;

    /// In words that fit "expected …".
    fn describe(&self) -> String;

    /// Returns what may be written, as JSON Schema.
    fn schema(&self) -> Json;

    /// Understands a scalar; `None` when it is not of this kind.
    fn parse(&self, _text: &str) -> Option<Self::Value> {
        None
    }

    /// Reads what is written; by default a scalar.
    fn read(&self, written: Written<'_>) -> Result<Self::Value, Wrong> {
        written.node.scalar().and_then(|text| self.parse(&text)).ok_or(Wrong::Kind)
    }

    /// Returns whether what is written counts as nothing, as `none` for a name or a path.
    fn is_absent(&self, _node: &Node) -> bool {
        false
    }

    /// Returns the value where nothing is written, or where what is written is wrong.
    fn absent(&self) -> Self::Value;

    /// Returns the value for people, as it would be written.
    fn tell(&self, value: &Self::Value) -> String;

    /// Returns what a value of another kind may have been meant to be.
    fn hint(&self, _written: &str) -> Option<String> {
        None
    }

    /// Returns what the maps in a list have, where the value is a list of maps.
    fn items(&self) -> Option<&'static Section> {
        None
    }

    fn is_section(&self) -> bool {
        false
    }

    /// Returns the words that may be written, where only words may.
    fn words(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A value as it is written, in its map.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Written<'a> {
    pub node: &'a Node,
    pub fields: &'a Fields<'a>,
}

/// Why a value is not taken.
pub(in crate::config::keys) enum Wrong {
    /// It is not of the kind, which is still to be noted.
    Kind,
    /// An item of a list is not of the kind, which is still to be noted.
    Item(Box<Node>),
    /// It was noted already, in better words.
    Noted,
}

/// Items told as one text.
pub(in crate::config::keys) fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    if items.is_empty() { "none".to_owned() } else { format!("[{}]", items.join("; ")) }
}
