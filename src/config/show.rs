use super::Loaded;
use super::inherit::Document;
use super::schema::{MONITOR, PROFILES, Shape};
use super::source::At;
use super::tree::{Entry, Node, Value};

/// The configuration that is in force, as YAML. `resolved` adds inherited values and, behind each, where it is from.
pub fn show(loaded: &Loaded, resolved: bool) -> String {
    let document = &loaded.document;
    let mut text = String::new();
    for section in document.root.entries() {
        if section.value.entries().is_empty() || !resolved || !matches!(section.key.as_str(), "profiles" | "monitors") {
            write(&mut text, document, 0, section, resolved);
            continue;
        }
        text += &format!("{}:\n", section.key);
        for named in section.value.entries() {
            text += &format!("  {}:\n", named.key);
            let inherited = document.inherited(&section.key, &named.key).unwrap_or_default();
            inherited.iter().for_each(|entry| write(&mut text, document, 2, entry, true));
            for key in shape(&section.key, &inherited).map_or(&[][..], |shape| shape.keys) {
                if !key.default.is_empty() && !inherited.iter().any(|entry| entry.key == key.name) {
                    text += &format!("    {}: {}  # default\n", key.name, key.default);
                }
            }
        }
    }
    text
}

fn shape(section: &str, inherited: &[&Entry]) -> Option<&'static Shape> {
    let kind = inherited.iter().find(|entry| entry.key == "type").and_then(|entry| entry.value.scalar());
    match section {
        "monitors" => Some(&MONITOR),
        _ => PROFILES.iter().find(|(name, _)| Some(*name) == kind.as_deref()).map(|(_, shape)| shape),
    }
}

fn write(text: &mut String, document: &Document, depth: usize, entry: &Entry, origins: bool) {
    let indent = "  ".repeat(depth);
    let origin = |at: At| if origins { format!("  # {}", document.sources.origin(at)) } else { String::new() };
    match &entry.value.value {
        Value::Map(entries) if !entries.is_empty() => {
            *text += &format!("{indent}{}:\n", entry.key);
            entries.iter().for_each(|inner| write(text, document, depth + 1, inner, origins));
        }
        _ => *text += &format!("{indent}{}: {}{}\n", entry.key, flow(&entry.value), origin(entry.value.at)),
    }
}

/// A value in one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.clone(),
        Value::Text(text) => {
            let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
                && !matches!(text.as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
            if plain { text.clone() } else { format!("{text:?}") }
        }
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let inner: Vec<_> = entries.iter().map(|entry| format!("{}: {}", entry.key, flow(&entry.value))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
    }
}
