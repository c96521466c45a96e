//! Texts and lists of texts.

use serde_json::{Value as Json, json};

use super::read::{Kind, Written, Wrong, list};
use crate::config::keys::section::Section;
use crate::config::scalar;
use crate::config::tree::{Node, Value};

/// A value that may be missing; `none` takes back what a parent gives, as on F5.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Optional<K>(pub K);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn schema(&self) -> Json {
        self.0.schema()
    }

    fn read(&self, written: Written<'_>) -> Result<Self::Value, Wrong> {
        if written.node.is_none() { Ok(None) } else { self.0.read(written).map(Some) }
    }

    fn absent(&self) -> Self::Value {
        None
    }

    fn tell(&self, value: &Self::Value) -> String {
        value.as_ref().map_or_else(|| "none".to_owned(), |value| self.0.tell(value))
    }

    fn hint(&self, written: &str) -> Option<String> {
        self.0.hint(written)
    }

    fn items(&self) -> Option<&'static Section> {
        self.0.items()
    }

    fn words(&self) -> Vec<&'static str> {
        self.0.words()
    }
}

/// Any text.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Line;

impl Kind for Line {
    type Value = String;

    fn describe(&self) -> String {
        "text".into()
    }

    fn is_absent(&self, node: &Node) -> bool {
        node.is_none()
    }

    fn schema(&self) -> Json {
        json!({ "type": ["string", "number", "boolean"] })
    }

    fn parse(&self, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn absent(&self) -> String {
        String::new()
    }

    fn tell(&self, value: &String) -> String {
        format!("{value:?}")
    }
}

/// A regular expression.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Pattern;

impl Kind for Pattern {
    type Value = String;

    fn describe(&self) -> String {
        "a regular expression".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "format": "regex" })
    }

    fn parse(&self, text: &str) -> Option<String> {
        scalar::pattern(text).ok().map(|_| text.to_owned())
    }

    fn absent(&self) -> String {
        String::new()
    }

    fn tell(&self, value: &String) -> String {
        format!("{value:?}")
    }

    fn hint(&self, _: &str) -> Option<String> {
        Some("the syntax is that of https://docs.rs/regex; a `\\` needs single quotes".to_owned())
    }
}

/// The name of an environment variable.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Variable;

impl Kind for Variable {
    type Value = String;

    fn describe(&self) -> String {
        "the name of an environment variable".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }

    fn parse(&self, text: &str) -> Option<String> {
        scalar::variable(text)
    }

    fn absent(&self) -> String {
        String::new()
    }

    fn tell(&self, value: &String) -> String {
        format!("${value}")
    }
}

/// A day such as `2027-01-31`: its beginning (UTC), in seconds since 1970.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Day;

impl Kind for Day {
    type Value = i64;

    fn describe(&self) -> String {
        "a day such as 2027-01-31".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }

    fn parse(&self, text: &str) -> Option<i64> {
        scalar::day(text)
    }

    fn absent(&self) -> i64 {
        0
    }

    fn tell(&self, value: &i64) -> String {
        let day = time::OffsetDateTime::from_unix_timestamp(*value);
        day.map_or_else(|_| value.to_string(), |day| day.date().to_string())
    }
}

/// One text or a list of them.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Texts;

impl Kind for Texts {
    type Value = Vec<String>;

    fn describe(&self) -> String {
        "text or a list of texts".into()
    }

    fn schema(&self) -> Json {
        one_or_more(json!({ "type": ["string", "number"] }))
    }

    fn read(&self, written: Written<'_>) -> Result<Vec<String>, Wrong> {
        each_text(written, |text, _| Some(text))
    }

    fn absent(&self) -> Vec<String> {
        Vec::new()
    }

    fn tell(&self, value: &Vec<String>) -> String {
        list(value.iter().cloned())
    }
}

/// Reads one text or a list of them by `parse`, which notes what it does not understand.
pub(in crate::config::keys) fn each_text<T>(
    written: Written<'_>,
    mut parse: impl FnMut(String, &Node) -> Option<T>,
) -> Result<Vec<T>, Wrong> {
    if written.node.is_none() {
        return Ok(Vec::new());
    }
    let items = match &written.node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(written.node),
    };
    let text = |item: &Node| item.scalar().ok_or_else(|| Wrong::Item(Box::new(item.clone())));
    let texts = items.iter().map(|item| Ok((text(item)?, item))).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.into_iter().filter_map(|(text, item)| parse(text, item)).collect())
}

/// Returns the schema of one item or a list of them.
pub(in crate::config::keys) fn one_or_more(item: Json) -> Json {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}
