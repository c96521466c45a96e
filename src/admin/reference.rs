//! The reference of the API without a running pronk: its OpenAPI document, and its routes as a table.

use serde_json::Value;

use super::openapi;
use super::parameters::properties;
use super::route::{Access, Route};
use super::routes::routes;

/// Returns the OpenAPI document of the API.
pub fn openapi_document() -> Value {
    openapi::document(&routes())
}

/// Returns the routes of the API as a table, in Markdown.
pub fn route_table() -> String {
    let rows = routes().iter().map(row).collect::<String>();
    format!("| route | role | what it does | parameters |\n|---|---|---|---|\n{rows}")
}

fn row(route: &Route) -> String {
    let role = match route.access {
        Access::Anyone => "none",
        Access::Metrics => "viewer, or none with `metrics-without-token`",
        Access::Role(role) => role.as_str(),
    };
    let schema = (route.parameters)();
    let names: Vec<_> = properties(&schema).map(|(name, _)| format!("`{name}`")).collect();
    let Route { method, path, summary, .. } = route;
    format!("| `{method} {path}` | {role} | {summary} | {} |\n", names.join(", "))
}
