//! The answers to requests that change something, and to those that are refused, as JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

impl IntoResponse for Refusal {
    /// The reason goes along beside the body, for the audit log.
    fn into_response(self) -> Response {
        let mut response = (self.code, Json(ErrorBody { error: self.error.clone() })).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
