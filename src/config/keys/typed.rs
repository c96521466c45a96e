//! Types of profiles and monitors, and the two keys that all of them have.

use serde_json::{Value as Json, json};

use super::kind::{Kind, Written, Wrong};
use super::section::Section;
use crate::config::suggest::did_you_mean;

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

/// The word of a type, which decides what else may be written, and so is read before anything else.
#[derive(Clone, Copy)]
pub(super) struct TypeWord(pub &'static [&'static str]);

impl Kind for TypeWord {
    type Value = ();

    fn describe(&self) -> String {
        format!("one of {}", self.words().join(", "))
    }

    fn schema(&self) -> Json {
        json!({ "enum": self.words() })
    }

    fn read(&self, _: Written<'_>) -> Result<(), Wrong> {
        Ok(())
    }

    fn absent(&self) {}

    fn tell(&self, (): &()) -> String {
        String::new()
    }

    fn hint(&self, written: &str) -> Option<String> {
        did_you_mean(written, self.words().into_iter())
    }

    fn words(&self) -> Vec<&'static str> {
        self.0.to_vec()
    }
}

/// The name of a parent, which is followed before anything is read.
#[derive(Clone, Copy)]
pub(super) struct ParentName(pub &'static str);

impl Kind for ParentName {
    type Value = ();

    fn describe(&self) -> String {
        format!("the name of a {}", self.0)
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }

    fn read(&self, _: Written<'_>) -> Result<(), Wrong> {
        Ok(())
    }

    fn absent(&self) {}

    fn tell(&self, (): &()) -> String {
        String::new()
    }
}
