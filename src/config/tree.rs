//! YAML as a tree that knows where everything stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::Budget;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, NonFiniteFloatPolicy, Options, Spanned};

use super::diagnostic::Diagnostic;
use super::elsewhere;
use super::source::{At, Sources};
use super::yaml_error;
use crate::words::bounded;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub at: At,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written, so that `1.10` stays what it was.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_at: At,
    pub value: Node,
}

impl Node {
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Returns whether a place is that of this node, or of a key or value below it.
    pub(super) fn contains(&self, at: At) -> bool {
        let within = |entry: &Entry| entry.key_at == at || entry.value.contains(at);
        self.at == at
            || match &self.value {
                Value::List(items) => items.iter().any(|item| item.contains(at)),
                Value::Map(entries) => entries.iter().any(within),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
            }
    }

    /// Returns whether nothing is written.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Returns whether it is the word `none`.
    pub(super) fn is_none(&self) -> bool {
        matches!(&self.value, Value::Text(text) if text == "none")
    }

    /// Returns a scalar as it would be written.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Number(text) | Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// In words, for "expected …, found …".
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(flag) => format!("`{flag}`"),
            Value::Number(number) => format!("the number {}", bounded(number)),
            Value::Text(text) => format!("`{}`", bounded(text)),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }
}

/// Reads one source.
pub(super) fn read(sources: &Sources, source: usize, text: &str) -> Result<Node, Diagnostic> {
    read_up_to(MOST, sources, source, text)
}

/// Reads one source, if it has at most so many anchors and aliases, and aliases stand for so many values.
fn read_up_to(most: usize, sources: &Sources, source: usize, text: &str) -> Result<Node, Diagnostic> {
    if text.trim().is_empty() {
        return Err(Diagnostic::error("the file is empty"));
    }
    let mut options = Options::default();
    options.with_snippet = false;
    // Keys that stand twice are noted with both places, not by the parser.
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    // As YAML 1.2 and editors have it: `off` and `no` are words.
    options.strict_booleans = true;
    options.reject_unsupported_tags = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options.budget = Some(budget(most));
    options.alias_limits.max_total_replayed_events = most;
    options.alias_limits.max_alias_expansions_per_anchor = most;
    let parsed: Result<Spanned<Raw>, _> = serde_saphyr::from_str_with_options(text, options);
    parsed.map(|raw| node(raw, source, text)).map_err(|error| not_yaml(sources, source, text, &error))
}

/// Returns how much is read: far more than a configuration has, and no more than fits into memory.
fn budget(most: usize) -> Budget {
    let mut budget = Budget::default();
    (budget.max_events, budget.max_nodes) = (10 * most, 4 * most);
    (budget.max_aliases, budget.max_anchors) = (most, most);
    budget.enforce_alias_anchor_ratio = false;
    budget
}

/// The most anchors and aliases, and the most values that aliases stand for.
const MOST: usize = 1_000_000;

fn not_yaml(sources: &Sources, source: usize, text: &str, error: &Error) -> Diagnostic {
    let (message, help) = yaml_error::explain(error);
    let mut diagnostic = Diagnostic::error(format!("not YAML: {message}"));
    diagnostic.help = elsewhere::for_file(text).map(str::to_owned).or(help);
    if let Some(location) = error.location() {
        let at = at(&location, source);
        let line_start = text.get(..at.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        if line.contains(": *:") || line.contains(": [::") {
            diagnostic.help = Some("in YAML such a destination needs quotes: `\"*:21050\"`, `\"[::]:21050\"`".into());
        } else if line.contains('\t') {
            diagnostic.help = Some("YAML is indented with spaces".into());
        }
        diagnostic = diagnostic.at(sources, at);
    }
    diagnostic
}

fn at(location: &Location, source: usize) -> At {
    let span = location.span();
    let start = span.byte_offset().unwrap_or_else(|| span.offset()) as usize;
    At { source, start, length: span.byte_len().unwrap_or_else(|| span.len()) as usize }
}

fn node(raw: Spanned<Raw>, source: usize, text: &str) -> Node {
    let at = at(&raw.defined, source);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(flag) => Value::Bool(flag),
        Raw::Number(number) => Value::Number(text.get(at.start..at.start + at.length).unwrap_or(&number).to_owned()),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, source, text)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    key_at: self::at(&key.defined, source),
                    key: key.value,
                    value: node(value, source, text),
                })
                .collect(),
        ),
    };
    Node { value, at }
}

enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Node, Diagnostic> {
        read(&Sources::new("test.yaml", text, Vec::new()), 0, text)
    }

    /// Reads with limits that take no time to reach.
    fn parsed_up_to(most: usize, text: &str) -> Result<Node, Diagnostic> {
        read_up_to(most, &Sources::new("test.yaml", text, Vec::new()), 0, text)
    }

    #[test]
    fn scalars_stay_as_written() {
        let node =
            parsed("{ a: 1.10, b: 0x10, c: off, d: true, e: 10.1.1.1, f: 'true', g: .nan, h: 1_000, i: ~ }").unwrap();
        let written: Vec<_> = node.entries()[..8].iter().filter_map(|entry| entry.value.scalar()).collect();
        assert_eq!(written, ["1.10", "0x10", "off", "true", "10.1.1.1", "true", ".nan", "1_000"]);
        assert!(matches!(node.entry("d").unwrap().value.value, Value::Bool(true)));
        assert!(matches!(node.entry("i").unwrap().value.value, Value::Null));
    }

    #[test]
    fn aliases_and_merges_stand_where_they_were_written() {
        let text = "base: &base { x: 1 }\nalias: *base\nmerged: { <<: *base, y: 2 }\n";
        let node = parsed(text).unwrap();
        for section in ["alias", "merged"] {
            let x = node.entry(section).unwrap().value.entry("x").unwrap();
            assert_eq!(&text[x.value.at.start..][..x.value.at.length], "1", "{section}");
            assert!(x.value.at.start < 20, "{section}");
        }
    }

    #[test]
    fn mistakes_in_yaml_have_a_place_and_a_remedy() {
        let wrong = |text: &str| {
            let diagnostic = parsed(text).unwrap_err();
            let place = diagnostic.place.unwrap();
            (place.line, place.column, diagnostic.message, diagnostic.help.unwrap_or_default())
        };
        let (line, column, _, help) = wrong("v:\n  destination: *:21050\n");
        assert_eq!((line, column), (2, 16));
        assert!(help.contains("quotes"));
        assert!(wrong("v:\n  destination: [::]:21050\n").3.contains("quotes"));
        assert!(wrong("a:\n\tb: 1\n").3.contains("spaces"));
        assert!(wrong("a: 1\n---\nb: 1\n").2.contains("second one begins"));
        assert!(!wrong("a: {b: 1\nc: 2\n").2.contains("at line"));
        assert_eq!(parsed(" \n").unwrap_err().message, "the file is empty");
    }

    #[test]
    fn mistakes_are_told_in_words_that_are_not_the_librarys() {
        let many_values = format!("a: &a [{}]\nb: [{}]", "x,".repeat(100), "*a,".repeat(20));
        let many_aliases = format!("a: &a x\nb: [{}]", "*a,".repeat(2000));
        let many_nodes = "- x\n".repeat(5000);
        let deep = "[".repeat(200);
        let bad = [
            "a: [1, 2\nb: 3\n",
            "~: 1\n",
            ": 1\n",
            "? [a, b]\n: 1\n",
            "[a]: 1",
            "{a: 1}: 2",
            "a: !!binary zz\n",
            "a: !foo 1\n",
            "a: !!int x\n",
            "a: *nope\n",
            "a: &x [*x]\n",
            "{a: 1, <<: 3}\n",
            "a: \"x\n",
            "a: 'x\n",
            "a: \u{1}\n",
            "a: @b\n",
            "a: `b`\n",
            "a: 1\n b: 2\n",
            "a: b: c\n",
            "a:\n- b\n c: d\n",
            "a: |\n x\nb: >2\n x\n",
            "a: 1\n---\nb: 2\n",
            "a: %x\n",
            "a: }\n",
            "a: ]\n",
            "a: !include b.yaml\n",
            &many_values,
            &many_aliases,
            &many_nodes,
            &deep,
        ];
        for text in bad {
            let Err(diagnostic) = parsed_up_to(1000, text) else { continue };
            let said = format!("{} {}", diagnostic.message, diagnostic.help.unwrap_or_default());
            for word in ["Option<", "Budget", "breach", "serialize", "serde", "{ ", "anchor_id", "weak", "ContainerEnd"]
            {
                assert!(!said.contains(word), "{word}: {said}");
            }
            assert!(diagnostic.place.is_some(), "{said}");
        }
        for text in [&many_values, &many_aliases, &many_nodes] {
            assert!(parsed_up_to(1000, text).is_err() && parsed(text).is_ok(), "{}", &text[..40]);
        }
    }

    /// Larger than the library reads unless it is told otherwise.
    #[test]
    fn large_files_are_read() {
        let nodes: String = (0..250_001).map(|number| format!("- n{number}\n")).collect();
        assert!(parsed(&nodes).is_ok());
        let aliases = format!("a: &a {{ x: 1 }}\nb: [{}]\n", "*a, ".repeat(60_000));
        assert!(parsed(&aliases).is_ok());
    }
}
