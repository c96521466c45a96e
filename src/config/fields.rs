//! Reading the values of one map against its shape, noting every mistake.

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::scalar;
use super::schema::{Key, Kind, PROFILES, Shape};
use super::source::{At, Sources};
use super::tree::{Entry, Node, Value};
use crate::model::is_host_name;

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
        // A mistake that several heirs inherit is one mistake.
        if !self.diagnostics.borrow().iter().any(|noted| *noted == diagnostic) {
            self.diagnostics.borrow_mut().push(diagnostic);
        }
    }

    /// Notes keys that the shape does not have, and those that stand twice.
    pub fn check_keys(&self, entries: &[Entry], shape: &Shape) {
        for (index, entry) in entries.iter().enumerate() {
            if shape.key(&entry.key).is_none() {
                let message = format!("unknown key `{}` in a {}", entry.key, shape.name);
                self.error(entry.key_at, message, Some(instead(&entry.key, shape)));
            }
            self.check_twice(&entries[..index], entry);
        }
    }

    /// The fields of a map, its keys checked; `None` when it is no map, which is noted.
    pub fn fields<'b>(&'b self, node: &'b Node, at: At, shape: &'static Shape) -> Option<Fields<'b>> {
        if !matches!(node.value, Value::Map(_) | Value::Null) {
            self.error(node.at, format!("a {} is a map, found {}", shape.name, node.describe()), None);
            return None;
        }
        self.check_keys(node.entries(), shape);
        Some(Fields::new(self, shape, node.entries().iter().collect(), at))
    }

    /// Does something whose mistakes are noted elsewhere.
    pub fn quietly<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.diagnostics.take();
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

/// What may have been meant by a key that a shape does not have.
fn instead(key: &str, shape: &Shape) -> String {
    let known = shape.keys.iter().map(|key| key.name);
    let on_f5 = shape.elsewhere.iter().find(|(name, _)| *name == key).map(|(_, instead)| (*instead).to_owned());
    let elsewhere = || {
        let having = PROFILES.iter().filter(|(_, other)| other.key(key).is_some()).map(|(name, _)| *name);
        let having: Vec<_> = having.collect();
        let is_profile = PROFILES.iter().any(|(_, profile)| profile.name == shape.name);
        (is_profile && !having.is_empty()).then(|| format!("it is a key of {} profiles", having.join(" and ")))
    };
    on_f5
        .or_else(|| did_you_mean(key, known.clone()))
        .or_else(elsewhere)
        .unwrap_or_else(|| format!("a {} has: {}", shape.name, known.collect::<Vec<_>>().join(", ")))
}

/// "did you mean …", when something is close.
pub(super) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let close = known.map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    (close.0 <= 1 + word.len() / 4).then(|| format!("did you mean `{}`?", close.1))
}

/// What a value of the wrong kind may have been meant to be.
fn hint(kind: Kind, written: &str) -> Option<String> {
    match kind {
        Kind::Word(words) => did_you_mean(written, words.iter().copied()),
        Kind::Flag => match written.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "enabled" | "y" | "1" => Some("did you mean `true`?".to_owned()),
            "false" | "no" | "off" | "disabled" | "n" | "0" => Some("did you mean `false`?".to_owned()),
            _ => None,
        },
        Kind::Duration(..) | Kind::DurationOr(..) if scalar::duration(written).is_none() => {
            Some("a number is of seconds; units are `ms`, `s`, `m`, `h` and `d`, such as 90s or 1h".to_owned())
        }
        Kind::Pattern => Some("the syntax is that of https://docs.rs/regex; a `\\` needs single quotes".to_owned()),
        Kind::HostName if written.parse::<IpAddr>().is_ok() => {
            Some("an IP address is no host name: leave it out, or write the name in the certificate".to_owned())
        }
        Kind::HostName | Kind::CertificateName | Kind::Address => {
            Some("labels of letters, digits and hyphens, no `_`, no trailing dot, the last not a number".to_owned())
        }
        Kind::Destination => {
            Some("write `address:port`, `\"[v6-address]:port\"`, or `\"*:port\"` for every address".to_owned())
        }
        _ => None,
    }
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

    /// The value of a key; `None` when it is absent, empty, or `none` where that means absent.
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().rev().find(|entry| entry.key == name)?;
        match &entry.value.value {
            Value::Null => None,
            Value::Text(text) if text == "none" && self.key(name).can_be_none() => None,
            _ => Some(&entry.value),
        }
    }

    pub fn key(&self, name: &str) -> &'static Key {
        self.shape.key(name).unwrap_or_else(|| unreachable!("{name} is not a key of a {}", self.shape.name))
    }

    /// Notes that a value is not of its key's kind.
    pub fn wrong(&self, key: &Key, node: &Node) {
        let written = node.scalar().unwrap_or_default();
        if let Some((_, why)) = key.refused.iter().find(|(word, _)| *word == written) {
            let message = format!("{} `{written}` is not offered", key.name);
            self.reader.error(node.at, message, Some((*why).to_owned()));
            return;
        }
        let message = format!("`{}` must be {}, found {}", key.name, key.kind.describe(), node.describe());
        self.reader.error(node.at, message, hint(key.kind, &written));
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

    /// Notes when a key that must be there is not.
    pub fn require(&mut self, name: &str) {
        if self.node(name).is_none() {
            let message = format!("a {} needs `{name}`", self.shape.name);
            self.reader.error(self.at, message, Some(self.key(name).doc.to_owned()));
        }
    }

    /// A host name as certificates carry them.
    pub fn host_name(&mut self, name: &str) -> Option<String> {
        self.parsed(name, |text| is_host_name(text).then(|| text.to_owned()))
    }

    /// The value as `parse` understands it, or the default; what it does not understand is noted.
    pub fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
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
        match self.node(name) {
            Some(node) if !matches!(node.value, Value::Bool(_)) => {
                self.wrong(self.key(name), node);
                false
            }
            _ => self.parsed(name, |text| text.parse().ok()).unwrap_or(false),
        }
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
        let kind = self.key(name).kind;
        self.parsed(name, |text| within(kind, text)).unwrap_or(Duration::from_secs(1))
    }

    /// A duration, or `None` for the kind's word.
    pub fn duration_or_never(&mut self, name: &str) -> Option<Duration> {
        let kind = self.key(name).kind;
        self.parsed(name, |text| match kind {
            Kind::DurationOr(never, ..) if text == never => Some(None),
            _ => within(kind, text).map(Some),
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

/// A duration within the kind's bounds.
fn within(kind: Kind, text: &str) -> Option<Duration> {
    let (Kind::Duration(least, most) | Kind::DurationOr(_, least, most)) = kind else { return None };
    scalar::duration(text).filter(|it| (u128::from(least)..=u128::from(most)).contains(&it.as_millis()))
}
