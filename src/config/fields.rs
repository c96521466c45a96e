//! Reading the values of one map against its shape, noting every mistake.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::scalar;
use super::schema::{Key, Kind, Shape};
use super::source::{At, Sources};
use super::tree::{Entry, Node, Value};

/// Where mistakes go, and what is needed to place them.
pub(super) struct Reader<'a> {
    pub sources: &'a Sources,
    pub folder: &'a Path,
    pub diagnostics: RefCell<Diagnostics>,
}

impl Reader<'_> {
    pub fn error(&self, at: At, message: impl Into<String>, help: Option<String>) {
        self.report(Severity::Error, at, message, help);
    }

    pub fn report(&self, severity: Severity, at: At, message: impl Into<String>, help: Option<String>) {
        let mut diagnostic = Diagnostic::new(severity, message).at(self.sources, at);
        diagnostic.help = help;
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Notes keys that the shape does not have, and those that stand twice.
    pub fn check_keys(&self, entries: &[Entry], shape: &Shape) {
        for (index, entry) in entries.iter().enumerate() {
            if shape.key(&entry.key).is_none() {
                let known = shape.keys.iter().map(|key| key.name);
                let help = did_you_mean(&entry.key, known.clone())
                    .unwrap_or_else(|| format!("a {} has: {}", shape.name, known.collect::<Vec<_>>().join(", ")));
                self.error(entry.key_at, format!("unknown key `{}` in a {}", entry.key, shape.name), Some(help));
            }
            self.check_twice(&entries[..index], entry);
        }
    }

    /// Does something whose mistakes are noted elsewhere.
    pub fn quietly<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.diagnostics.borrow().clone();
        let done = act();
        self.diagnostics.replace(before);
        done
    }

    pub fn check_twice(&self, before: &[Entry], entry: &Entry) {
        if let Some(first) = before.iter().find(|other| other.key == entry.key) {
            let help = format!("it stands first at {}", self.sources.origin(first.key_at));
            self.error(entry.key_at, format!("`{}` stands twice", entry.key), Some(help));
        }
    }
}

/// "did you mean …", when something is close.
pub(super) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let close = known.map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    (close.0 <= 1 + word.len() / 4).then(|| format!("did you mean `{}`?", close.1))
}

/// One map's values, by key.
pub(super) struct Fields<'a> {
    pub reader: &'a Reader<'a>,
    shape: &'static Shape,
    entries: Vec<&'a Entry>,
    /// The place to show for what is missing.
    pub at: At,
}

impl<'a> Fields<'a> {
    /// Of entries whose keys are checked already; of several with the same key the last counts.
    pub fn new(reader: &'a Reader<'a>, shape: &'static Shape, entries: Vec<&'a Entry>, at: At) -> Self {
        Self { reader, shape, entries, at }
    }

    pub fn node(&self, name: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().rev().find(|entry| entry.key == name)?;
        (!matches!(entry.value.value, Value::Null)).then_some(&entry.value)
    }

    fn key(&self, name: &str) -> &'static Key {
        self.shape.key(name).unwrap_or_else(|| unreachable!("{name} is not a key of a {}", self.shape.name))
    }

    fn wrong(&mut self, key: &Key, node: &Node) {
        let help = match key.kind {
            Kind::Word(words) => did_you_mean(&node.scalar().unwrap_or_default(), words.iter().copied()),
            _ => None,
        };
        let message = format!("`{}` is {}, found {}", key.name, key.kind.describe(), node.describe());
        self.reader.error(node.at, message, help);
    }

    /// The text in the file, else the default; `None` when there is neither.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let key = self.key(name);
        match self.node(name) {
            None => (!key.default.is_empty()).then(|| key.default.to_owned()),
            Some(node) => {
                let text = node.scalar();
                if text.is_none() {
                    self.wrong(key, node);
                }
                text
            }
        }
    }

    /// Text that must be there.
    pub fn required(&mut self, name: &str) -> String {
        if self.node(name).is_none() {
            let message = format!("a {} needs `{name}`", self.shape.name);
            self.reader.error(self.at, message, Some(self.key(name).doc.to_owned()));
        }
        self.text(name).unwrap_or_default()
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let parsed = self.text(name).and_then(|text| parse(&text));
        if let (None, Some(node)) = (&parsed, self.node(name)) {
            // A list or map was reported as such already.
            if node.scalar().is_some() {
                self.wrong(self.key(name), node);
            }
        }
        parsed
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.parsed(name, |text| text.parse().ok()).unwrap_or(false)
    }

    pub fn count(&mut self, name: &str) -> u32 {
        let bounds = match self.key(name).kind {
            Kind::Count(least, most) => least..=most,
            _ => 0..=u64::from(u32::MAX),
        };
        let count = self.parsed(name, |text| scalar::count(text).filter(|count| bounds.contains(count)));
        count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
    }

    /// A limit, where 0 is none.
    pub fn limit(&mut self, name: &str) -> Option<u32> {
        Some(self.count(name)).filter(|count| *count > 0)
    }

    pub fn duration(&mut self, name: &str) -> Duration {
        let parsed = self.parsed(name, |text| scalar::duration(text).filter(|duration| !duration.is_zero()));
        parsed.unwrap_or(Duration::from_secs(1))
    }

    /// A duration, or `None` for the kind's word.
    pub fn duration_or_never(&mut self, name: &str) -> Option<Duration> {
        let never = match self.key(name).kind {
            Kind::DurationOr(word) => word,
            _ => "",
        };
        self.parsed(name, |text| {
            if text == never {
                return Some(None);
            }
            scalar::duration(text).filter(|duration| !duration.is_zero()).map(Some)
        })
        .flatten()
    }

    /// One of the kind's words.
    pub fn word(&mut self, name: &str) -> String {
        let words = match self.key(name).kind {
            Kind::Word(words) => words,
            _ => &[],
        };
        self.parsed(name, |text| words.contains(&text).then(|| text.to_owned())).unwrap_or_default()
    }

    pub fn path(&mut self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|text| self.reader.folder.join(text))
    }

    /// One text or a list of them, each with its place.
    pub fn texts(&mut self, name: &str) -> Vec<(String, At)> {
        let key = self.key(name);
        let Some(node) = self.node(name) else { return Vec::new() };
        let items = match &node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.scalar() {
                Some(text) => texts.push((text, item.at)),
                None => self.wrong(key, item),
            }
        }
        texts
    }

    /// The items of a list.
    pub fn list(&mut self, name: &str) -> &'a [Node] {
        match self.node(name) {
            None => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                self.wrong(self.key(name), node);
                &[]
            }
        }
    }

    /// Where a key's value stands, else the map.
    pub fn place(&self, name: &str) -> At {
        self.node(name).map_or(self.at, |node| node.at)
    }
}
