//! Every key of the file: its name, kind, default and meaning. What is read, suggested, documented and offered to
//! editors comes from these tables alone.

mod document;
mod profiles;
mod tables;

pub use document::{json_schema, reference};
pub(super) use profiles::{CERT_KEY, PROFILES};
pub(super) use tables::{MEMBER, MONITOR, NODE, POOL, TOP, VIRTUAL_SERVER};

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Flag,
    /// A whole number or a size, within these bounds.
    Count(u64, u64),
    Duration,
    /// A duration, or this word for "never".
    DurationOr(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A path, relative to the file's folder.
    Path,
    /// One text or a list of them.
    Texts,
    /// Whatever the section's own rules say.
    Special(&'static str),
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written; empty when there is none.
    pub default: &'static str,
    pub doc: &'static str,
}

/// A map's keys.
#[derive(Debug)]
pub(super) struct Shape {
    /// In words that fit "in a …".
    pub name: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
}

impl Shape {
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(super) const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, doc }
}

impl Kind {
    /// In words that fit "expected …".
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Flag => "true or false".into(),
            Self::Count(least, u64::MAX) => format!("a number of at least {least}"),
            Self::Count(least, most) => format!("a number from {least} to {most}"),
            Self::Duration => "a duration such as 30s, 5m or 1h".into(),
            Self::DurationOr(word) => format!("a duration such as 30s, 5m or 1h, or {word}"),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Path => "a path".into(),
            Self::Texts => "text or a list of texts".into(),
            Self::Special(what) => what.into(),
        }
    }
}
