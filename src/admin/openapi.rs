//! The OpenAPI 3.1 document, made from the table of routes.

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::answers::ErrorBody;
use super::asked::{LONGEST_NAME, LONGEST_REASON};
use super::parameters::properties;
use super::route::{Access, Content, Route};

/// Returns the OpenAPI document of these routes.
pub(super) fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for route in routes {
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(route.path).or_insert_with(|| json!({}))[method] = operation(route, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "pronk",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let (role, security) = match route.access {
        Access::Anyone => ("Needs no token.".to_owned(), json!([])),
        Access::Metrics => {
            let needs = "Needs the role viewer, or no token where the configuration has metrics-without-token.";
            (needs.to_owned(), json!([{ "token": [] }, {}]))
        }
        Access::Role(role) => (format!("Needs the role {}.", role.as_str()), json!([{ "token": [] }])),
    };
    json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "description": role,
        // For programs that ask who may do it.
        "x-pronk-access": access(route),
        "security": security,
        "parameters": parameters(route),
        "responses": responses(route, schemas),
    })
}

fn access(route: &Route) -> &'static str {
    match route.access {
        Access::Anyone => "anyone",
        Access::Metrics => "metrics",
        Access::Role(role) => role.as_str(),
    }
}

/// Returns a name such as `get_administration`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/v1").trim_start_matches('/');
    format!("{}_{}", route.method.as_str().to_ascii_lowercase(), path.replace(['/', '.', '-'], "_"))
}

fn parameters(route: &Route) -> Vec<Value> {
    let schema = (route.parameters)();
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = properties(&schema).map(|(name, schema)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|it| it.remove("description"));
        not_null(&mut schema);
        let mut parameter = json!({ "name": name, "in": "query", "schema": schema });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        if required.iter().any(|it| it == name) {
            parameter["required"] = json!(true);
        }
        parameter
    });
    let mut parameters: Vec<_> = own.collect();
    if route.writes() {
        for (name, longest, description) in OF_WRITES {
            // No control characters: they are shown on terminals.
            let schema = json!({ "type": "string", "maxLength": longest, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$" });
            parameters.push(json!({ "name": name, "in": "query", "description": description, "schema": schema }));
        }
    }
    parameters
}

/// A parameter that may be left out is never null.
fn not_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type")
        && let Value::Array(several) = &types
        && let Some(only) = several.iter().find(|it| *it != "null").cloned()
    {
        *types = only;
    }
}

fn responses(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let content = match route.answer {
        Content::Json(schema) => json!({ "application/json": { "schema": schema(schemas) } }),
        Content::Text(media_types) => {
            let text = json!({ "schema": { "type": "string" } });
            media_types.iter().map(|media_type| ((*media_type).to_owned(), text.clone())).collect::<Map<_, _>>().into()
        }
    };
    for code in [&[StatusCode::OK], route.also_with].concat() {
        let answer = json!({ "description": about(code), "content": content });
        responses.insert(code.as_str().to_owned(), answer);
    }
    for code in refusals(route) {
        let error = json!({ "application/json": { "schema": schemas.subschema_for::<ErrorBody>() } });
        let mut refusal = json!({ "description": about(code), "content": error });
        if code == StatusCode::TOO_MANY_REQUESTS {
            let seconds = json!({ "description": "In seconds.", "schema": { "type": "integer", "minimum": 1 } });
            refusal["headers"] = json!({ "Retry-After": seconds });
        }
        responses.insert(code.as_str().to_owned(), refusal);
    }
    responses.into()
}

/// Returns every refusal that a route may answer with.
pub(super) fn refusals(route: &Route) -> Vec<StatusCode> {
    let mut codes = vec![StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG, StatusCode::TOO_MANY_REQUESTS];
    if route.access != Access::Anyone {
        codes.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]);
    }
    if route.writes() {
        codes.push(StatusCode::INTERNAL_SERVER_ERROR);
    }
    codes.extend(route.refusals);
    codes.sort();
    codes.dedup();
    codes
}

fn about(code: StatusCode) -> &'static str {
    match code {
        StatusCode::OK => "Done.",
        StatusCode::BAD_REQUEST => "A parameter is unknown, missing or of the wrong kind, or the request has a body.",
        StatusCode::UNAUTHORIZED => "There is no token, or it is not known or has expired.",
        StatusCode::FORBIDDEN => "The token's role does not suffice, or a web page sent the request.",
        StatusCode::NOT_FOUND => "There is nothing of that name.",
        StatusCode::CONFLICT => "It cannot be done now; nothing has changed.",
        StatusCode::URI_TOO_LONG => "The query is too long.",
        StatusCode::UNPROCESSABLE_ENTITY => "A parameter cannot be used, or the configuration file has mistakes.",
        StatusCode::TOO_MANY_REQUESTS => "Too many failed logins or requests from this address.",
        StatusCode::SERVICE_UNAVAILABLE => "It is not available.",
        StatusCode::INTERNAL_SERVER_ERROR => "An internal error, which the log tells of.",
        _ => "It is refused.",
    }
}

/// The parameters that every change has.
const OF_WRITES: [(&str, usize, &str); 2] = [
    ("by", LONGEST_NAME, "The name of who asks, for the audit log."),
    ("reason", LONGEST_REASON, "Why, for the audit log and for those who see the change."),
];
const ABOUT: &str = "Administration of a running pronk. The admin socket lets in whom its mode does, without a token. Over \
                     the network a bearer token is needed. Parameters are in the query; a request has no body. Every \
                     change is in the audit log.";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::access::Role;
    use crate::admin::routes::routes;

    #[test]
    fn document_has_the_routes_of_the_table_and_no_others() {
        let (rows, document) = (routes(), document(&routes()));
        let of_table: BTreeSet<_> =
            rows.iter().map(|row| (row.path, row.method.as_str().to_ascii_lowercase())).collect();
        assert_eq!(of_table.len(), rows.len(), "a route is there twice");
        let mut told = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            told.extend(methods.as_object().unwrap().keys().map(|method| (path.as_str(), method.clone())));
        }
        assert_eq!(of_table, told);
        let ids: Vec<_> = rows.iter().map(operation_id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let text = document(&routes()).to_string();
        let document: Value = serde_json::from_str(&text).unwrap();
        let references: BTreeSet<_> =
            text.split("\"$ref\":\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
        assert!(!references.is_empty());
        for reference in references {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn changes_need_a_role_that_may_change_something() {
        for row in routes() {
            let (writes, path) = (row.writes(), row.path);
            match row.access {
                Access::Role(role) => assert_eq!(writes, role > Role::Viewer, "{path}"),
                Access::Anyone | Access::Metrics => assert!(!writes, "{path}"),
            }
            let names: Vec<_> = properties(&(row.parameters)()).map(|(name, _)| name.clone()).collect();
            let reserved = |name: &String| writes && OF_WRITES.iter().any(|(reserved, ..)| reserved == name);
            assert!(!names.iter().any(reserved), "{path}: `by` and `reason` are those of every change");
        }
    }
}
