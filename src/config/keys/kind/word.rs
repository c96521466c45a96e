//! Words, each for one value of the model.

use serde_json::{Value as Json, json};

use super::read::{Kind, Written, Wrong};
use crate::config::suggest::did_you_mean;
use crate::config::tree::Value;

/// One of these values, by its word. The first stands in where what is written is wrong.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Words<T: 'static> {
    pub all: &'static [T],
    pub word: fn(T) -> &'static str,
}

impl<T: Copy> Kind for Words<T> {
    type Value = T;

    fn describe(&self) -> String {
        match self.words().as_slice() {
            [only] => format!("`{only}`"),
            words => format!("one of {}", words.join(", ")),
        }
    }

    fn schema(&self) -> Json {
        let words = self.words();
        // Unquoted, YAML's `true` is no text.
        let flags = [("true", json!(true)), ("false", json!(false))];
        let flags = flags.into_iter().filter(|(word, _)| words.contains(word)).map(|(_, flag)| flag);
        json!({ "enum": words.iter().map(|word| json!(word)).chain(flags).collect::<Vec<_>>() })
    }

    fn parse(&self, text: &str) -> Option<T> {
        self.all.iter().copied().find(|it| (self.word)(*it) == text)
    }

    fn absent(&self) -> T {
        self.all[0]
    }

    fn tell(&self, value: &T) -> String {
        (self.word)(*value).to_owned()
    }

    fn hint(&self, written: &str) -> Option<String> {
        did_you_mean(written, self.words().into_iter())
    }

    fn words(&self) -> Vec<&'static str> {
        self.all.iter().map(|it| (self.word)(*it)).collect()
    }
}

/// `true` or `false`.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Flag;

impl Kind for Flag {
    type Value = bool;

    fn describe(&self) -> String {
        "true or false".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "boolean" })
    }

    fn read(&self, written: Written<'_>) -> Result<bool, Wrong> {
        match written.node.value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(Wrong::Kind),
        }
    }

    fn absent(&self) -> bool {
        false
    }

    fn tell(&self, value: &bool) -> String {
        value.to_string()
    }

    fn hint(&self, written: &str) -> Option<String> {
        match written.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "enabled" | "y" | "1" => Some("did you mean `true`?".to_owned()),
            "false" | "no" | "off" | "disabled" | "n" | "0" => Some("did you mean `false`?".to_owned()),
            _ => None,
        }
    }
}
