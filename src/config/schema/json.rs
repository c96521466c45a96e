use serde_json::{Map, Value, json};

use super::{CERT_KEY, Kind, LINT, MEMBER, MONITORS, NODE, POOL, PROFILES, Shape, TOP, VIRTUAL_SERVER};

/// A JSON Schema (draft 2020-12) of the file, for editors.
pub fn json_schema() -> Value {
    let mut schema = object(&TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("pronk configuration");
    schema["$defs"] = json!({
        "node": object(&NODE),
        "pool": object(&POOL),
        "member": object(&MEMBER),
        "monitor": of_types(MONITORS),
        "certificate": object(&CERT_KEY),
        "virtual server": object(&VIRTUAL_SERVER),
        "lint check": object(&LINT),
        "profile": of_types(PROFILES),
    });
    schema
}

/// A profile or monitor is judged by its type; one that takes its type from its parent may have the keys of any.
fn of_types(types: &[(&str, Shape)]) -> Value {
    let mut any = Map::new();
    let mut by_type = Vec::new();
    for (name, shape) in types {
        let shape = object(shape);
        if let Some(properties) = shape["properties"].as_object() {
            for key in properties.keys() {
                any.insert(key.clone(), json!(true));
            }
        }
        let is_of_type = json!({ "properties": { "type": { "const": name } }, "required": ["type"] });
        by_type.push(json!({ "if": is_of_type, "then": shape }));
    }
    json!({ "type": "object", "properties": any, "additionalProperties": false, "allOf": by_type })
}

fn object(shape: &Shape) -> Value {
    let mut properties = Map::new();
    for key in shape.keys {
        let mut value = kind(key.kind);
        value["description"] = json!(key.doc);
        if !key.default.is_empty() {
            value["default"] = json!(key.default);
        }
        properties.insert(key.name.to_owned(), value);
    }
    let required: Vec<_> = shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut object = json!({
        "type": "object",
        "description": shape.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

fn kind(kind: Kind) -> Value {
    let one_or_more = |item: Value| json!({ "anyOf": [item, { "type": "array", "items": item }] });
    let duration = json!({ "type": "string", "pattern": DURATION });
    match kind {
        Kind::Text => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Path
        | Kind::TrustAnchors
        | Kind::Address
        | Kind::IpAddress
        | Kind::HostName
        | Kind::CertificateName
        | Kind::Reference(_) => json!({ "type": "string", "minLength": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(least, most) => json!({
            "anyOf": [
                { "type": "integer", "minimum": least, "maximum": most },
                { "type": "string", "pattern": "^[0-9]+ *(B|KiB|MiB|GiB)?$" },
            ]
        }),
        Kind::Duration(least, _) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": u8::from(least > 0) }, duration] })
        }
        Kind::DurationOr(word, ..) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": word }, duration] })
        }
        Kind::Word(words) => {
            // Unquoted, YAML's `true` is no text.
            let flags = [("true", json!(true)), ("false", json!(false))];
            let flags = flags.into_iter().filter(|(word, _)| words.contains(word)).map(|(_, flag)| flag);
            json!({ "enum": words.iter().map(|word| json!(word)).chain(flags).collect::<Vec<_>>() })
        }
        Kind::Variable => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
        Kind::Day => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Kind::Destination => json!({ "type": "string", "pattern": "^(.*):[0-9]{1,5}$" }),
        Kind::NodePort => node_port(),
        Kind::Mask => json!({ "type": ["string", "integer"] }),
        Kind::Pattern => json!({ "type": "string", "format": "regex" }),
        Kind::Networks => one_or_more(json!({ "type": "string" })),
        Kind::Texts => one_or_more(json!({ "type": ["string", "number"] })),
        Kind::MonitorRule => {
            let names = json!({ "type": "array", "items": { "type": "string" } });
            let min = json!({
                "type": "object",
                "properties": { "min": { "type": "integer", "minimum": 1 }, "of": names },
                "required": ["min", "of"],
                "additionalProperties": false,
            });
            json!({ "anyOf": [{ "type": "string" }, names, min] })
        }
        Kind::Named(what) => {
            json!({ "type": "object", "additionalProperties": { "$ref": format!("#/$defs/{}", what.replace(' ', "%20")) } })
        }
        Kind::Members => {
            json!({ "type": "array", "items": { "anyOf": [node_port(), { "$ref": "#/$defs/member" }] } })
        }
        Kind::Certificates => json!({ "type": "array", "items": { "$ref": "#/$defs/certificate" } }),
    }
}

fn node_port() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]+:[0-9]{1,5}$" })
}

/// What [`duration`](crate::config::scalar::duration) reads.
const DURATION: &str = "^[0-9]+ *(ms|s|m|min|h|d)?$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_defined() {
        let schema = json_schema();
        for key in TOP.keys.iter().filter(|key| matches!(key.kind, Kind::Named(_))) {
            let reference = schema["properties"][key.name]["additionalProperties"]["$ref"].as_str().unwrap();
            let pointer = reference.trim_start_matches('#').replace("%20", " ");
            assert!(schema.pointer(&pointer).is_some_and(|found| found["type"] == "object"), "{reference}");
        }
    }

    #[test]
    fn every_key_is_offered() {
        let schema = json_schema();
        let keys = &schema["$defs"]["virtual server"]["properties"];
        assert!(VIRTUAL_SERVER.keys.iter().all(|key| keys[key.name]["description"] == key.doc));
        assert_eq!(schema["$defs"]["virtual server"]["required"], json!(["destination", "pool"]));
        assert_eq!(keys["source-address-translation"]["enum"], json!(["automap"]));
        let then = &schema["$defs"]["profile"]["allOf"][1]["then"];
        assert_eq!(then["properties"]["peer-cert-mode"]["enum"], json!(["require", "ignore"]));
        let impala = MONITORS.iter().position(|(name, _)| *name == "impala").unwrap();
        let sasl = &schema["$defs"]["monitor"]["allOf"][impala]["then"]["properties"]["sasl"];
        assert_eq!(sasl["enum"], json!(["auto", "true", "false", true, false]));
    }
}
