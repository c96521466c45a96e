//! The parameters of a request, from its query; what is wrong with them is told as every refusal is.

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answers::{Refusal, refused};
use crate::words::bounded;

/// The parameters of a request.
pub(super) struct Parameters<T>(pub(super) T);

/// The parameters of a request that has none.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParameters {}

impl<T: DeserializeOwned + JsonSchema, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(_) => {
                let error = format!("the parameters of {} are: {}", bounded(parts.uri.path()), names::<T>());
                Err(refused(StatusCode::BAD_REQUEST, error))
            }
        }
    }
}

/// Returns the name of a parameter, as in `name=value` of a query, however it is written there.
pub(super) fn name_of(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
    percent_decode_str(&name).decode_utf8_lossy().into_owned()
}

/// Returns the schema of parameters, which are read.
pub(super) fn schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.for_deserialize().into_generator().into_root_schema_for::<T>()
}

/// Returns the names of parameters, in words.
fn names<T: JsonSchema>() -> String {
    let schema = schema::<T>();
    let names: Vec<_> = properties(&schema)
        .map(|(name, value)| match value.get("type").and_then(Value::as_str) {
            Some("boolean") => format!("{name} (true or false)"),
            Some("integer") => format!("{name} (a number)"),
            _ => name.clone(),
        })
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Returns the parameters of a schema, each with its own.
pub(super) fn properties(schema: &Schema) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}
