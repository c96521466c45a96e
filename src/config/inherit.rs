//! The sections of all sources together, and what `defaults-from` makes of them.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::source::{At, Sources};
use super::tree::{self, Entry, Node, Value};

/// The user's file and the built-in ones.
#[derive(Debug)]
pub(super) struct Document {
    pub sources: Sources,
    pub root: Node,
    /// Built-in profiles and monitors.
    built_in: BTreeMap<&'static str, Vec<Entry>>,
}

/// A chain of inheritance that cannot be followed.
pub(super) enum Broken {
    /// The parent that does not exist.
    Unknown(String, At),
    /// The names of the circle.
    Cycle(Vec<String>, At),
}

impl Document {
    /// Reads every source; `None` when the user's is not a map of sections.
    pub fn read(sources: Sources, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut root = None;
        let mut built_in: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
        for (index, source) in sources.iter() {
            match (tree::read(&sources, index, &source.text), source.section) {
                (Ok(Node { value: Value::Map(entries), .. }), Some(section)) => {
                    built_in.entry(section).or_default().extend(entries);
                }
                (Ok(node), None) if matches!(node.value, Value::Map(_)) => root = Some(node),
                (Ok(node), _) => diagnostics.push(
                    Diagnostic::error(format!("a file is a map of sections, found {}", node.describe()))
                        .at(&sources, node.at),
                ),
                (Err(diagnostic), _) => diagnostics.push(diagnostic),
            }
        }
        root.map(|root| Self { sources, root, built_in })
    }

    /// The user's entries of a section.
    pub fn section(&self, name: &str) -> &[Entry] {
        self.root.entry(name).map_or(&[], |entry| entry.value.entries())
    }

    /// A named entry of a section, the user's before a built-in one.
    pub fn named(&self, section: &str, name: &str) -> Option<&Entry> {
        let user = self.section(section).iter().rev().find(|entry| entry.key == name);
        user.or_else(|| self.built_in.get(section)?.iter().find(|entry| entry.key == name))
    }

    /// Every name of a section, for suggestions.
    pub fn names(&self, section: &str) -> Vec<&str> {
        let built_in = self.built_in.get(section).into_iter().flatten();
        self.section(section).iter().chain(built_in).map(|entry| entry.key.as_str()).collect()
    }

    /// The entries that hold for a named profile or monitor, the root's first, each overlaid by its heirs.
    pub fn inherited(&self, section: &str, name: &str) -> Result<Vec<&Entry>, Broken> {
        let mut chain: Vec<&Entry> = Vec::new();
        let mut next = self.named(section, name);
        while let Some(entry) = next {
            if chain.iter().any(|seen| std::ptr::eq(*seen, entry)) {
                let names = chain.iter().chain([&entry]).map(|entry| entry.key.clone()).collect();
                return Err(Broken::Cycle(names, entry.key_at));
            }
            chain.push(entry);
            next = match entry.value.entry("defaults-from") {
                None => None,
                Some(parent) => {
                    let wanted = parent.value.scalar().unwrap_or_default();
                    // A profile may take the name of a built-in one and inherit from it.
                    let built_in = || self.built_in.get(section)?.iter().find(|other| other.key == wanted);
                    let found = if wanted == entry.key { built_in() } else { self.named(section, &wanted) };
                    if found.is_none() {
                        return Err(Broken::Unknown(wanted, parent.value.at));
                    }
                    found
                }
            };
        }
        let mut merged: Vec<&Entry> = Vec::new();
        for entry in chain.iter().rev().flat_map(|entry| entry.value.entries()) {
            merged.retain(|earlier| earlier.key != entry.key);
            merged.push(entry);
        }
        Ok(merged)
    }

    /// Where the value at a path stands, or its nearest ancestor.
    pub fn locate(&self, path: &[&str]) -> Option<At> {
        let (&[section, name], rest) = path.split_first_chunk::<2>()?;
        let entry = self.named(section, name)?;
        if !matches!(section, "profiles" | "monitors") {
            let Some((key, _)) = rest.split_first() else { return Some(entry.key_at) };
            return Some(entry.value.entry(key).map_or(entry.key_at, |inner| inner.value.at));
        }
        let Some((key, deeper)) = rest.split_first() else { return Some(entry.key_at) };
        let inherited = self.inherited(section, name).ok()?;
        let Some(value) = inherited.iter().find(|entry| entry.key == *key) else { return Some(entry.key_at) };
        let mut node = &value.value;
        for step in deeper {
            let child = match &node.value {
                Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => node.entry(step).map(|entry| &entry.value),
            };
            match child {
                Some(child) => node = child,
                None => break,
            }
        }
        Some(node.at)
    }
}
