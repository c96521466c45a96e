//! The configuration as YAML, with what is inherited and where it comes from.

use std::collections::BTreeMap;

use super::inherit::Document;
use super::keys::{AnyKey, LINT, MONITORS, NODE, POOL, PROFILES, Section, TOP, VIRTUAL_SERVER, default_protocol};
use super::load::Loaded;
use super::rule::Rule;
use super::tree::{Entry, Node, Value};
use crate::model::VirtualServerKind;

/// Returns the configuration as YAML that reads back to the same model. `resolved` adds inherited and default values,
/// the built-in profiles in use, and behind each value where it comes from.
pub fn show(loaded: &Loaded, resolved: bool) -> String {
    let mut page = Page { document: &loaded.document, text: String::new(), resolved };
    for key in TOP.keys() {
        if key.is_section() {
            page.section(key.name());
        } else {
            page.value(0, key, page.document.root.entry(key.name()));
        }
    }
    if resolved {
        page.built_in();
    }
    page.text
}

struct Page<'a> {
    document: &'a Document,
    text: String,
    resolved: bool,
}

impl<'a> Page<'a> {
    fn section(&mut self, name: &str) {
        let entries = self.document.section(name);
        if entries.is_empty() {
            return;
        }
        self.text += &format!("{name}:\n");
        for entry in entries {
            self.named("  ", name, entry);
        }
    }

    fn named(&mut self, indent: &str, section: &str, entry: &'a Entry) {
        self.text += &format!("{indent}{}:", scalar(&entry.key));
        let before = self.text.len();
        self.text.push('\n');
        let (shape, values) = self.holding(section, entry);
        for key in shape.map(Section::keys).unwrap_or_default() {
            self.value(2, key, values.get(key.name()).copied());
            if self.resolved
                && section == "virtual-servers"
                && key.name() == "protocol"
                && !values.contains_key(key.name())
            {
                let kind = values.get("type").and_then(|entry| entry.value.scalar());
                self.text += &format!("    protocol: {}  # default\n", protocol_of(kind.as_deref()));
            }
        }
        if self.text.len() == before + 1 {
            self.text.insert_str(before, " {}");
        }
    }

    /// Returns what an entry may have and what holds for it.
    fn holding(&self, section: &str, entry: &'a Entry) -> (Option<&'static Section>, BTreeMap<&'a str, &'a Entry>) {
        let document = self.document;
        let inherited =
            if document.has_types(section) { document.inherited(section, &entry.key) } else { Ok(Vec::new()) };
        let inherited = inherited.unwrap_or_default();
        let kind = inherited.iter().find(|inner| inner.key == "type").and_then(|inner| inner.value.scalar());
        let shape = match section {
            "nodes" => Some(&NODE),
            "pools" => Some(&POOL),
            "virtual-servers" => Some(&VIRTUAL_SERVER),
            "lint" => Some(&LINT),
            "monitors" => MONITORS.iter().find(|it| Some(it.word) == kind.as_deref()).map(|it| &it.section),
            "profiles" => PROFILES.iter().find(|it| Some(it.word) == kind.as_deref()).map(|it| &it.section),
            _ => None,
        };
        let of_parents = if self.resolved { inherited } else { Vec::new() }.into_iter();
        // A parent's parent is not this one's.
        let of_parents = of_parents.filter(|inner| inner.key != "defaults-from");
        let all = of_parents.chain(entry.value.entries());
        (shape, all.map(|inner| (inner.key.as_str(), inner)).collect())
    }

    fn value(&mut self, depth: usize, key: &dyn AnyKey, written: Option<&Entry>) {
        let indent = "  ".repeat(depth);
        match written {
            Some(entry) if !matches!(entry.value.value, Value::Null) => {
                let items = match (&entry.value.value, key.items()) {
                    (Value::List(items), Some(_)) => items.as_slice(),
                    _ => &[],
                };
                if items.is_empty() {
                    let origin = self.origin(&entry.value);
                    self.text += &format!("{indent}{}: {}{origin}\n", key.name(), flow(&entry.value));
                    return;
                }
                self.text += &format!("{indent}{}:\n", key.name());
                for item in items {
                    let origin = self.origin(item);
                    let defaults = if self.resolved { defaults(key, item) } else { String::new() };
                    self.text += &format!("{indent}  - {}{origin}{defaults}\n", flow(item));
                }
            }
            _ if self.resolved && !key.default().is_empty() => {
                self.text += &format!("{indent}{}: {}  # default\n", key.name(), key.default());
            }
            _ => {}
        }
    }

    fn origin(&self, node: &Node) -> String {
        if self.resolved { format!("  # {}", self.document.sources.origin(node.at)) } else { String::new() }
    }

    /// The built-in profiles and monitors that are named, as comments: they cannot be written again.
    fn built_in(&mut self) {
        let mut used: Vec<(&str, String)> = Vec::new();
        for pool in self.document.section("pools") {
            let Some(monitors) = pool.value.entry("monitors") else { continue };
            let names = Rule::read(&monitors.value).map(|rule| rule.names).unwrap_or_default();
            used.extend(names.into_iter().map(|(name, _)| ("monitors", name)));
        }
        for virtual_server in self.document.section("virtual-servers") {
            let named = |key: &str| virtual_server.value.entry(key).and_then(|entry| entry.value.scalar());
            let profiles = ["persistence", "client-ssl", "server-ssl"].into_iter().filter_map(named);
            let protocol = named("protocol").unwrap_or_else(|| protocol_of(named("type").as_deref()).to_owned());
            used.extend(profiles.chain([protocol]).map(|name| ("profiles", name)));
        }
        used.sort();
        used.dedup();
        let mut inner = Page { document: self.document, text: String::new(), resolved: true };
        for (section, name) in used {
            let entry = self.document.named(section, &name).filter(|entry| entry.key_at.is_built_in());
            if let Some(entry) = entry {
                inner.text += &format!("{section}, built in:\n");
                inner.named("  ", section, entry);
            }
        }
        self.text.extend(inner.text.lines().map(|line| format!("# {line}\n")));
    }
}

/// Returns the protocol profile of a virtual server of this type that names none.
fn protocol_of(word: Option<&str>) -> &'static str {
    let kind = VirtualServerKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == word);
    default_protocol(kind.unwrap_or(VirtualServerKind::Standard))
}

/// Returns what holds for an item of a list besides what it says, as a comment.
fn defaults(key: &dyn AnyKey, item: &Node) -> String {
    let keys = key.items().map(Section::keys).unwrap_or_default();
    let absent = keys.iter().filter(|key| !key.default().is_empty() && item.entry(key.name()).is_none());
    let absent: Vec<_> = absent.map(|key| format!("{}: {}", key.name(), key.default())).collect();
    if absent.is_empty() { String::new() } else { format!("; default: {}", absent.join(", ")) }
}

/// Returns a value in one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.clone(),
        Value::Text(text) => scalar(text),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let pair = |entry: &Entry| format!("{}: {}", scalar(&entry.key), flow(&entry.value));
            format!("{{ {} }}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text, in quotes where YAML would take it for something else.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c))
        && !text.ends_with(':')
        && !["0x", "0o", "0b"].iter().any(|prefix| text.starts_with(prefix))
        && text.replace('_', "").parse::<f64>().is_err()
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    // JSON's strings are YAML's.
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
