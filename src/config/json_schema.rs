//! A JSON Schema of the file, for editors.

use serde_json::{Map, Value, json};

use super::keys::{
    ADMIN, CERTIFICATE, LINT, MEMBER, MONITORS, NODE, POOL, PROFILES, Section, TOP, Type, VIRTUAL_SERVER,
};

/// Returns a JSON Schema (draft 2020-12) of the file, for editors.
pub fn json_schema() -> Value {
    let mut schema = object(&TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("pronk configuration");
    schema["$defs"] = json!({
        "node": object(&NODE),
        "pool": object(&POOL),
        "member": object(&MEMBER),
        "monitor": of_types(MONITORS),
        "certificate": object(&CERTIFICATE),
        "virtual server": object(&VIRTUAL_SERVER),
        "lint check": object(&LINT),
        "admin": object(&ADMIN),
        "profile": of_types(PROFILES),
    });
    schema
}

/// A profile or monitor is judged by its type; one that takes its type from its parent may have the keys of
/// any.
fn of_types<R>(types: &[&Type<R>]) -> Value {
    let mut any = Map::new();
    let mut by_type = Vec::new();
    for of_type in types {
        let (name, shape) = (of_type.word, object(&of_type.section));
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

fn object(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in section.keys() {
        let mut value = key.schema();
        value["description"] = json!(key.doc());
        if !key.default().is_empty() {
            value["default"] = json!(key.default());
        }
        properties.insert(key.name().to_owned(), value);
    }
    let required: Vec<_> = section.keys().iter().filter(|key| key.is_required()).map(|key| key.name()).collect();
    let mut object = json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_defined() {
        let schema = json_schema();
        for key in TOP.keys().iter().filter(|key| key.is_section()) {
            let reference = schema["properties"][key.name()]["additionalProperties"]["$ref"].as_str().unwrap();
            let pointer = reference.trim_start_matches('#').replace("%20", " ");
            assert!(schema.pointer(&pointer).is_some_and(|found| found["type"] == "object"), "{reference}");
        }
    }

    #[test]
    fn every_key_is_offered() {
        let schema = json_schema();
        let keys = &schema["$defs"]["virtual server"]["properties"];
        assert!(VIRTUAL_SERVER.keys().iter().all(|key| keys[key.name()]["description"] == key.doc()));
        assert_eq!(schema["$defs"]["virtual server"]["required"], json!(["destination", "pool"]));
        assert_eq!(keys["source-address-translation"]["enum"], json!(["automap"]));
        let then = &schema["$defs"]["profile"]["allOf"][1]["then"];
        assert_eq!(then["properties"]["peer-cert-mode"]["enum"], json!(["require", "ignore"]));
        let impala = MONITORS.iter().position(|it| it.word == "impala").unwrap();
        let sasl = &schema["$defs"]["monitor"]["allOf"][impala]["then"]["properties"]["sasl"];
        assert_eq!(sasl["enum"], json!(["auto", "true", "false", true, false]));
    }
}
