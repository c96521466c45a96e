//! The answers to requests that change something, and to those that are refused, as JSON.

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::bounded;

/// What a reload changed, or would change.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reloaded {
    pub changes: Vec<String>,
    /// Warnings and notes, rendered.
    pub notes: String,
}

/// The process that has taken over.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct TakenOver {
    pub pid: u32,
    pub version: String,
    /// The process that drains from here on.
    pub draining_pid: u32,
}

/// The member that was resumed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {
    pub pool: String,
    pub member: String,
}

/// A process that drains after an upgrade, which was asked the same.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AskedProcess {
    pub pid: u32,
    /// How many of the connections are its own; where it does not answer all that it last reported.
    pub connections: Option<u64>,
    /// Why it has not done what was asked; null if it has.
    pub error: Option<String>,
}

/// Why a request was refused, in words.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    pub error: String,
}

/// A request that is refused, or failed.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub code: StatusCode,
    pub error: String,
}

/// The answer of a route.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

pub(super) fn refused(code: StatusCode, error: impl Into<String>) -> Refusal {
    Refusal { code, error: error.into() }
}

/// Refuses a request that no route is for.
pub(super) fn no_route(code: StatusCode, method: &Method, path: &str) -> Refusal {
    refused(code, format!("{}{}; is pronk of another version?", no_route_begins(method), bounded(path)))
}

impl ErrorBody {
    /// Returns whether a process of any version has no route for a request of this method: it says so in these words
    /// alone, with the same code as for a name that it does not know.
    pub(super) fn is_of_no_route(&self, method: &Method) -> bool {
        self.error.starts_with(&no_route_begins(method))
    }
}

/// Returns how that begins. Other versions look for it.
fn no_route_begins(method: &Method) -> String {
    format!("there is no {method} ")
}

impl IntoResponse for Refusal {
    /// The reason goes along beside the body, for the audit log.
    fn into_response(self) -> Response {
        let mut response = (self.code, Json(ErrorBody { error: self.error.clone() })).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use crate::admin::administration::{AdministrativeChanges, Changed};
    use crate::admin::connection_list::ListedConnections;
    use crate::admin::connections::Killed;
    use crate::admin::drains::{DrainProgress, StopProgress};
    use crate::admin::top_clients::TopClients;

    fn reads<T: DeserializeOwned>(answer: &str) {
        assert!(serde_json::from_str::<T>(answer).is_ok(), "{answer}");
    }

    /// A process that drains may be of a version that knows of no other processes.
    #[test]
    fn answers_without_processes_are_read() {
        reads::<Killed>(r#"{"connections":1}"#);
        reads::<TopClients>(r#"{"members":[]}"#);
        reads::<Changed>(r#"{"targets":["node a"],"not_kept":null}"#);
        reads::<AdministrativeChanges>(r#"{"changes":[],"drains":[]}"#);
        let left = r#"{"connections":1,"oldest":1.0,"longest_idle":1.0,"awaiting_answer":0}"#;
        reads::<StopProgress>(&format!(r#"{{"pid":1,"phase":"draining","left":{left}}}"#));
        let drain = r#""kind":"node","name":"a","state":"forced-offline","pending":null,"not_kept":null"#;
        reads::<DrainProgress>(&format!(r#"{{"pid":1,{drain},"left":{left}}}"#));
        let names = r#""client":"10.0.0.1:1","virtual_server":"vs","mode":"plain","phase":"relay","pool":"p""#;
        let counts = r#""opening":"thrift","bytes_in":1,"bytes_out":1,"age":1.0,"idle":1.0,"awaits_answer":false"#;
        reads::<ListedConnections>(&format!(r#"{{"total":1,"connections":[{{"id":1,{names},{counts}}}]}}"#));
    }
}
