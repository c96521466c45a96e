//! The values of one map, and where their mistakes go.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::elsewhere;
use super::inherit::Document;
use super::keys::{AnyKey, Section};
use super::long_form;
use super::source::At;
use super::suggest::{did_you_mean, instead_of_key};
use super::tree::{Entry, Node, Value};
use crate::model::Model;

/// What was noted so far, and where the errors are.
#[derive(Default)]
pub(super) struct Notes {
    diagnostics: RefCell<Diagnostics>,
    errors: RefCell<Vec<At>>,
}

/// What reading a value needs to know besides the value.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub document: &'a Document,
    /// The folder at which relative paths begin.
    pub folder: &'a Path,
    /// What is resolved already, for references.
    pub model: &'a Model,
    pub notes: &'a Notes,
}

impl Notes {
    /// Returns what was noted, and the places of the errors.
    pub(super) fn into_parts(self) -> (Diagnostics, Vec<At>) {
        (self.diagnostics.into_inner(), self.errors.into_inner())
    }
}

impl Context<'_> {
    pub(super) fn error(&self, at: At, message: impl Into<String>, help: Option<String>) {
        self.report(Severity::Error, at, message, help);
    }

    pub(super) fn report(&self, severity: Severity, at: At, message: impl Into<String>, help: Option<String>) {
        let mut diagnostics = self.notes.diagnostics.borrow_mut();
        if diagnostics.is_full() {
            return diagnostics.leave_out(severity);
        }
        if severity == Severity::Error {
            self.notes.errors.borrow_mut().push(at);
        }
        let mut diagnostic = Diagnostic::new(severity, message).at(&self.document.sources, at);
        diagnostic.help = help;
        // A mistake that several heirs inherit is one mistake.
        diagnostics.extend([diagnostic]);
    }

    /// Returns whether no error is noted within a value.
    pub(super) fn is_good(&self, node: &Node) -> bool {
        !self.notes.errors.borrow().iter().any(|error| node.contains(*error))
    }

    /// Returns whether no error is noted within an entry of a section, or within what it inherits.
    pub(super) fn is_good_entry(&self, section: &str, name: &str) -> bool {
        !self.document.has_mistakes(&[section, name], &self.notes.errors.borrow())
    }

    /// Returns whether a name is that of something in its section, of one of these types if there are any. Notes it if
    /// not.
    pub(super) fn has_reference(&self, what: &str, section: &str, name: &str, at: At, types: &[&str]) -> bool {
        let Some(entry) = self.document.named(section, name) else {
            self.unknown(what, section, name, at);
            return false;
        };
        let Some(word) = self.document.type_of(section, entry) else { return true };
        if types.is_empty() || types.contains(&word.as_str()) {
            return true;
        }
        let names = self.document.names(section).into_iter().filter(|name| {
            let word = self.document.named(section, name).and_then(|entry| self.document.type_of(section, entry));
            word.is_some_and(|word| types.contains(&word.as_str()))
        });
        let names: Vec<_> = names.collect();
        let help = (!names.is_empty()).then(|| format!("there are: {}", names.join(", ")));
        self.error(at, format!("{what} `{name}` is {word}, not {}", types.join(" or ")), help);
        false
    }

    /// Notes a name that nothing in its section has.
    pub(super) fn unknown(&self, what: &str, section: &str, name: &str, at: At) {
        let names = self.document.names(section);
        let unpartitioned = name.rsplit_once('/').filter(|(before, _)| before.starts_with('/')).map(|(_, bare)| bare);
        let help = unpartitioned
            .map(|bare| format!("there are no partitions: write `{bare}`"))
            .or_else(|| elsewhere::for_name(section, name).map(str::to_owned))
            .or_else(|| did_you_mean(name, names.iter().copied()))
            .or_else(|| (!names.is_empty()).then(|| format!("there are: {}", names.join(", "))));
        self.error(at, format!("there is no {what} `{name}`"), help);
    }

    /// Notes keys that are unknown in a section, and keys that are given twice. `having` are other types that have a
    /// key.
    pub(super) fn check_keys(&self, entries: &[Entry], section: &Section, having: impl Fn(&str) -> Vec<&'static str>) {
        for entry in entries {
            if section.key(&entry.key).is_none() {
                let message = format!("unknown key `{}` in a {}", entry.key, section.name);
                let help = instead_of_key(&entry.key, section, &having(&entry.key));
                let help = with_name(help, &entry.value);
                self.error(entry.key_at, message, Some(help));
            }
        }
        self.check_twice(entries);
    }

    /// Notes keys or names that are given twice.
    pub(super) fn check_twice(&self, entries: &[Entry]) {
        let mut seen = HashMap::new();
        for entry in entries {
            let first = *seen.entry(entry.key.as_str()).or_insert(entry.key_at);
            if first != entry.key_at {
                let help = format!("it is first at {}", self.document.sources.origin(first));
                self.error(entry.key_at, format!("`{}` is given twice", entry.key), Some(help));
            }
        }
    }
}

/// One map's values, by key.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    pub context: Context<'a>,
    pub section: &'static Section,
    /// The name of the entry.
    pub name: &'a str,
    /// The word of its type; empty where there are no types.
    pub kind: &'a str,
    /// The defaults of its type where they differ from those of the keys.
    pub defaults: &'static [(&'static str, &'static str)],
    values: Vec<(&'a str, &'a Node)>,
    /// The place to show for what is missing.
    pub at: At,
}

impl<'a> Fields<'a> {
    /// Of entries whose keys are checked already; of several with the same key the last counts.
    pub(super) fn new(
        context: Context<'a>,
        section: &'static Section,
        (name, kind): (&'a str, &'a str),
        entries: impl IntoIterator<Item = &'a Entry>,
        at: At,
    ) -> Self {
        let values = entries.into_iter().map(|entry| (entry.key.as_str(), &entry.value)).collect();
        Self { context, section, name, kind, defaults: &[], values, at }
    }

    /// Returns the same, where the type of the entry has defaults of its own.
    pub(super) fn with_defaults(self, defaults: &'static [(&'static str, &'static str)]) -> Self {
        Self { defaults, ..self }
    }

    /// Returns those of an entry that inherits nothing, its keys checked; `None` when it is no map, which is noted.
    pub(super) fn of_entry(context: Context<'a>, section: &'static Section, entry: &'a Entry) -> Option<Self> {
        check_map(context, section, &entry.value)?;
        Some(Self::new(context, section, (&entry.key, ""), entry.value.entries(), entry.key_at))
    }

    /// Returns those of a map in a list, its keys checked; `None` when it is no map, which is noted.
    pub(super) fn of_map(&self, section: &'static Section, item: &'a Node) -> Option<Self> {
        check_map(self.context, section, item)?;
        Some(Self::new(self.context, section, (self.name, ""), item.entries(), item.at))
    }

    /// Returns a map of which only one value is written.
    pub(super) fn of_single(&self, section: &'static Section, key: &'a str, value: &'a Node) -> Self {
        Self { section, kind: "", defaults: &[], values: vec![(key, value)], at: value.at, ..self.clone() }
    }

    /// Returns a map in which nothing is written.
    pub(super) fn blank(&self) -> Self {
        Self { name: "", values: Vec::new(), ..self.clone() }
    }

    /// Returns the value of a key; `None` when it is absent or empty.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        let (_, node) = self.values.iter().rev().find(|(name, _)| *name == key)?;
        (!matches!(node.value, Value::Null)).then_some(*node)
    }

    /// Returns whether something is written, and that is not `none`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.node(key).is_some_and(|node| !node.is_none())
    }

    /// Returns a key's default by the type of the entry, if that has one of its own.
    pub(super) fn default_of(&self, key: &str) -> Option<&'static str> {
        self.defaults.iter().find(|(name, _)| *name == key).map(|(_, default)| *default)
    }

    /// Returns where a key's value is, else the map.
    pub(super) fn place(&self, key: &str) -> At {
        self.node(key).map_or(self.at, |node| node.at)
    }

    /// Returns whether no error is noted in a key's value.
    pub(super) fn is_good(&self, key: &str) -> bool {
        self.node(key).is_none_or(|node| self.context.is_good(node))
    }

    pub(super) fn error(&self, at: At, message: impl Into<String>, help: Option<String>) {
        self.context.error(at, message, help);
    }

    pub(super) fn report(&self, severity: Severity, at: At, message: impl Into<String>, help: Option<String>) {
        self.context.report(severity, at, message, help);
    }

    /// Notes that a key that must be there is not.
    pub(super) fn missing(&self, key: &dyn AnyKey) {
        let message = format!("a {} needs `{}`", self.section.name, key.name());
        self.error(self.at, message, Some(key.doc().to_owned()));
    }

    /// Notes that a value is not of its key's kind.
    pub(super) fn wrong(&self, key: &dyn AnyKey, node: &Node) {
        let written = node.scalar().unwrap_or_default();
        if let Some((_, why)) = key.refused().iter().find(|(word, _)| *word == written) {
            let message = format!("{} `{written}` is not offered", key.name());
            self.error(node.at, message, Some((*why).to_owned()));
            return;
        }
        let message = format!("`{}` must be {}, found {}", key.name(), key.describe(), node.describe());
        let help = long_form::of_list(key.name(), &key.describe(), node)
            .or_else(|| elsewhere::for_value(self.section.name, key.name(), &written).map(str::to_owned))
            .or_else(|| key.hint(&written));
        self.error(node.at, message, help);
    }
}

/// Puts the name that was written into what is to be written.
fn with_name(help: String, written: &Node) -> String {
    // A time, a number or a switch was written for something else.
    let is_name = |text: &String| {
        let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && !NO_NAMES.contains(&text.as_str());
        is_word
            && text.len() < LONGEST_SHOWN
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    match written.scalar().filter(is_name) {
        Some(name) => help.replace("NAME", &name),
        None => help,
    }
}

/// Words that are no names of a user's.
const NO_NAMES: &[&str] =
    &["true", "false", "yes", "no", "on", "off", "none", "enabled", "disabled", "indefinite", "immediate"];

/// Bytes of a name that is shown in what is to be written.
const LONGEST_SHOWN: usize = 100;

fn check_map(context: Context<'_>, section: &Section, node: &Node) -> Option<()> {
    if !matches!(node.value, Value::Map(_) | Value::Null) {
        let message = format!("a {} is a map, found {}", section.name, node.describe());
        context.error(node.at, message, long_form::of_map(section.name, node));
        return None;
    }
    context.check_keys(node.entries(), section, |_| Vec::new());
    Some(())
}
