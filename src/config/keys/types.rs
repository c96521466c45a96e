//! Which types there are in a section.

use super::{MONITORS, PROFILES};

/// The built-in entry that everything of a type inherits from in the end; `None` when there is no such type.
pub(in crate::config) fn root_of(section: &str, word: &str) -> Option<&'static str> {
    match section {
        "profiles" => PROFILES.iter().find(|it| it.word == word).map(|it| it.root),
        "monitors" => MONITORS.iter().find(|it| it.word == word).map(|it| it.root),
        _ => None,
    }
}

/// The type of an entry that says none, and whose parents say none.
pub(in crate::config) fn default_type(section: &str) -> Option<&'static str> {
    (section == "monitors").then_some("tcp")
}
