//! The tables as documents: a JSON Schema for editors and the reference for people.

use serde_json::{Value, json};

use super::{CERT_KEY, Kind, MEMBER, MONITOR, NODE, POOL, PROFILES, Shape, TOP, VIRTUAL_SERVER};

/// A JSON Schema (draft 2020-12) of the file.
pub fn json_schema() -> Value {
    let by_name = |shape: Value| json!({ "type": "object", "additionalProperties": shape });
    let profiles: Vec<_> = PROFILES.iter().map(|(_, shape)| object(shape)).collect();
    let mut schema = object(&TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("pronk configuration");
    for (section, shape) in [
        ("nodes", object(&NODE)),
        ("pools", object(&POOL)),
        ("monitors", object(&MONITOR)),
        ("profiles", json!({ "anyOf": profiles })),
        ("virtual-servers", object(&VIRTUAL_SERVER)),
    ] {
        schema["properties"][section] = by_name(shape);
    }
    let member = json!({ "anyOf": [{ "type": "string" }, object(&MEMBER)] });
    schema["properties"]["pools"]["additionalProperties"]["properties"]["members"] =
        json!({ "type": "array", "items": member });
    schema
}

fn object(shape: &Shape) -> Value {
    let properties: serde_json::Map<_, _> = shape
        .keys
        .iter()
        .map(|key| {
            let mut value = kind(key.kind);
            value["description"] = json!(key.doc);
            (key.name.to_owned(), value)
        })
        .collect();
    json!({ "type": "object", "description": shape.doc, "properties": properties, "additionalProperties": false })
}

fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Path => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(..) | Kind::Duration | Kind::DurationOr(_) => json!({ "type": ["integer", "string"] }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Texts => json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] }),
        Kind::Special(_) => json!({}),
    }
}

/// The reference in Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Configuration reference\n\nMade by `pronk config reference`; a test holds that it agrees with the code.\n\n\
         Durations are a number of seconds or carry `ms`, `s`, `m`, `h` or `d`; sizes may carry `KiB`, `MiB` or \
         `GiB`. Relative paths begin at the file's folder. A profile inherits from the one that `defaults-from` \
         names; the built-in ones are `clientssl`, `clientssl-secure`, `serverssl`, `serverssl-insecure-compatible`, \
         `tcp`, `fastL4` and `source_addr`, whose values are in the folder `profiles`.\n",
    );
    let shapes = [&TOP, &NODE, &POOL, &MEMBER, &MONITOR, &VIRTUAL_SERVER, &CERT_KEY];
    for shape in shapes.into_iter().chain(PROFILES.iter().map(|(_, shape)| shape)) {
        let mut title = shape.name.to_owned();
        title[..1].make_ascii_uppercase();
        text += &format!("\n## {title}\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n", shape.doc);
        for key in shape.keys {
            let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
            text += &format!("| `{}` | {} | {default} | {} |\n", key.name, key.kind.describe(), key.doc);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_reference_is_current() {
        let committed = include_str!("../../../docs/configuration.md");
        assert_eq!(committed, reference(), "run: pronk config reference > docs/configuration.md");
    }

    #[test]
    fn schema_names_every_key_of_a_virtual_server() {
        let schema = json_schema();
        let keys = &schema["properties"]["virtual-servers"]["additionalProperties"]["properties"];
        assert!(VIRTUAL_SERVER.keys.iter().all(|key| keys.get(key.name).is_some()));
    }
}
