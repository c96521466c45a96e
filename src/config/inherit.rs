//! The sections of all sources together, and what `defaults-from` makes of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::elsewhere;
use super::source::{At, Sources};
use super::tree::{self, Entry, Node, Value};

/// The types that entries of a section may have.
#[derive(Clone, Debug, Default)]
pub(super) struct Types {
    /// By the word of the type: the built-in entry that everything of the type inherits from in the end.
    pub roots: BTreeMap<&'static str, &'static str>,
    /// That of an entry that says none, and whose parents say none.
    pub default: Option<&'static str>,
}

/// The user's file and the built-in ones.
#[derive(Debug)]
pub(super) struct Document {
    pub sources: Sources,
    pub root: Node,
    /// Built-in profiles and monitors.
    built_in: BTreeMap<&'static str, Vec<Entry>>,
    /// The types of each section that has some.
    types: BTreeMap<&'static str, Types>,
    /// Where each name is in a section of the user's; of several the last.
    by_name: HashMap<String, HashMap<String, usize>>,
}

/// A chain of inheritance that cannot be followed.
pub(super) enum Broken {
    /// The parent that does not exist.
    Unknown(String, At),
    /// The names of the circle.
    Cycle(Vec<String>, At),
    /// Where it begins.
    TooLong(At),
}

/// Returns the circle, told from the member that stands first in the file, whichever one was being followed.
fn cycle(circle: &mut [&Entry]) -> Broken {
    let first = circle.iter().enumerate().min_by_key(|(_, entry)| entry.key_at.start).map_or(0, |(index, _)| index);
    circle.rotate_left(first);
    let names = circle.iter().chain(&circle[..1]).map(|entry| entry.key.clone()).collect();
    let at = circle[0].value.entry("defaults-from").map_or(circle[0].key_at, |parent| parent.value.at);
    Broken::Cycle(names, at)
}

/// How many profiles or monitors one may inherit from, one after the other.
pub(super) const MOST_PARENTS: usize = 100;

impl Document {
    /// Reads every source; `None` when the user's is not a map of sections.
    pub(super) fn read(
        sources: Sources,
        types: BTreeMap<&'static str, Types>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut root = None;
        let mut built_in: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
        for (index, source) in sources.iter() {
            match (tree::read(&sources, index, &source.text), source.section) {
                (Ok(Node { value: Value::Map(entries), .. }), Some(section)) => {
                    built_in.entry(section).or_default().extend(entries);
                }
                (Ok(node), None) if matches!(node.value, Value::Map(_)) => root = Some(node),
                (Ok(node), _) => {
                    let message = format!("a file is a map of sections, found {}", node.describe());
                    let mut diagnostic = Diagnostic::error(message).at(&sources, node.at);
                    diagnostic.help = elsewhere::for_file(&source.text).map(str::to_owned);
                    diagnostics.push(diagnostic);
                }
                (Err(diagnostic), _) => diagnostics.push(diagnostic),
            }
        }
        let root = root?;
        let names = |section: &Entry| {
            section.value.entries().iter().enumerate().map(|(index, entry)| (entry.key.clone(), index)).collect()
        };
        // Of a section that is given twice, the first counts.
        let by_name = root.entries().iter().rev().map(|section| (section.key.clone(), names(section))).collect();
        Some(Self { sources, root, built_in, types, by_name })
    }

    /// Returns the user's entries of a section.
    pub(super) fn section(&self, name: &str) -> &[Entry] {
        self.root.entry(name).map_or(&[], |entry| entry.value.entries())
    }

    /// Returns a named entry of a section, the user's before a built-in one.
    pub(super) fn named(&self, section: &str, name: &str) -> Option<&Entry> {
        let index = self.by_name.get(section).and_then(|names| names.get(name));
        let user = index.and_then(|index| self.section(section).get(*index));
        user.or_else(|| self.built_in.get(section)?.iter().find(|entry| entry.key == name))
    }

    /// Returns every name of a section, for suggestions.
    pub(super) fn names(&self, section: &str) -> Vec<&str> {
        let built_in = self.built_in.get(section).into_iter().flatten();
        let mut names: Vec<_> = self.section(section).iter().chain(built_in).map(|entry| entry.key.as_str()).collect();
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        names
    }

    /// Returns every entry of a section, built in or the user's. One that has the name of a built-in one replaces it.
    pub(super) fn all(&self, section: &str) -> impl Iterator<Item = &Entry> {
        let built_in = self.built_in.get(section).into_iter().flatten();
        let user = self.section(section);
        built_in.filter(|entry| !user.iter().any(|other| other.key == entry.key)).chain(user)
    }

    /// Returns the word of an entry's type, if it has one that is known.
    pub(super) fn type_of(&self, section: &str, entry: &Entry) -> Option<String> {
        let inherited = self.inherited_by(section, entry).ok()?;
        let word = match inherited.iter().find(|inner| inner.key == "type" && !inner.value.is_null()) {
            Some(written) => written.value.scalar()?,
            None => self.default_type(section)?.to_owned(),
        };
        self.types.get(section)?.roots.contains_key(word.as_str()).then_some(word)
    }

    /// Returns whether the entries of a section have types, and inherit.
    pub(super) fn has_types(&self, section: &str) -> bool {
        self.types.contains_key(section)
    }

    /// Returns the type of an entry that says none, and whose parents say none.
    pub(super) fn default_type(&self, section: &str) -> Option<&'static str> {
        self.types.get(section)?.default
    }

    /// Returns the entries that hold for a named profile or monitor, the root's first, each overlaid by its heirs.
    pub(super) fn inherited(&self, section: &str, name: &str) -> Result<Vec<&Entry>, Broken> {
        self.named(section, name).map_or_else(|| Ok(Vec::new()), |entry| self.inherited_by(section, entry))
    }

    /// Returns the same for an entry of the section.
    pub(super) fn inherited_by<'a>(&'a self, section: &str, entry: &'a Entry) -> Result<Vec<&'a Entry>, Broken> {
        let mut chain: Vec<&Entry> = Vec::new();
        let mut next = Some(entry);
        while let Some(entry) = next {
            if let Some(begin) = chain.iter().position(|seen| std::ptr::eq(*seen, entry)) {
                return Err(cycle(&mut chain[begin..]));
            }
            if chain.len() >= MOST_PARENTS {
                return Err(Broken::TooLong(chain[0].key_at));
            }
            chain.push(entry);
            next = match entry.value.entry("defaults-from") {
                None => self.root_of(section, entry),
                Some(parent) => {
                    let wanted = parent.value.scalar().unwrap_or_default();
                    // A profile may take the name of a built-in one and inherit from it.
                    let of_same_name = || self.built_in_entry(section, &wanted);
                    let found = if wanted == entry.key { of_same_name() } else { self.named(section, &wanted) };
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

    /// Returns the built-in parent of an entry that names none: that of its type.
    fn root_of(&self, section: &str, entry: &Entry) -> Option<&Entry> {
        if entry.key_at.is_built_in() {
            return None;
        }
        let kind = match entry.value.entry("type") {
            Some(kind) => kind.value.scalar()?,
            None => self.default_type(section)?.to_owned(),
        };
        self.built_in_entry(section, self.types.get(section)?.roots.get(kind.as_str())?)
    }

    fn built_in_entry(&self, section: &str, name: &str) -> Option<&Entry> {
        self.built_in.get(section)?.iter().find(|entry| entry.key == name)
    }

    /// Returns whether one of these errors is within a value of the file, or within what it inherits. `path` is a key,
    /// or a section and a name in it.
    pub(super) fn has_mistakes(&self, path: &[&str], errors: &[At]) -> bool {
        let within = |node: &Node| errors.iter().any(|error| node.contains(*error));
        match path {
            [key] => self.root.entry(key).is_some_and(|entry| within(&entry.value)),
            [section, name, ..] => self.named(section, name).is_some_and(|entry| {
                let inherited = || self.inherited_by(section, entry).unwrap_or_default();
                let is_inherited = |value: &&Entry| errors.contains(&value.key_at) || within(&value.value);
                errors.contains(&entry.key_at) || within(&entry.value) || inherited().iter().any(is_inherited)
            }),
            [] => false,
        }
    }

    /// Returns whether the user wrote a key of a named profile or monitor, or of what it inherits from.
    pub(super) fn is_written(&self, section: &str, name: &str, key: &str) -> bool {
        let inherited = self.inherited(section, name).unwrap_or_default();
        inherited.iter().any(|entry| entry.key == key && !entry.key_at.is_built_in())
    }

    /// Returns where the value at a path stands, or its nearest ancestor.
    pub(super) fn locate(&self, path: &[&str]) -> Option<At> {
        let (first, rest) = path.split_first()?;
        let section = self.root.entry(first).map(|entry| (entry.key_at, &entry.value));
        let Some((name, rest)) = rest.split_first() else { return section.map(|(key_at, _)| key_at) };
        let Some(named) = self.named(first, name) else { return section.map(|(key_at, _)| key_at) };
        let Some((key, deeper)) = rest.split_first() else { return Some(named.key_at) };
        let inherited = if self.has_types(first) {
            self.inherited(first, name).unwrap_or_default()
        } else {
            named.value.entries().iter().collect()
        };
        let Some(value) = inherited.iter().find(|entry| entry.key == *key) else { return Some(named.key_at) };
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
