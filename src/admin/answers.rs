//! The answers to requests that change something, and to those that are refused, as JSON.

use serde::{Deserialize, Serialize};

/// What a reload changed, or would change.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reloaded {
    pub changes: Vec<String>,
    /// Warnings and notes, rendered.
    pub notes: String,
}

/// The process that has taken over.
#[derive(Debug, Serialize, Deserialize)]
pub struct TakenOver {
    pub pid: u32,
    pub version: String,
    /// The process that drains from here on.
    pub draining_pid: u32,
}

/// The member that was resumed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resumed {
    pub pool: String,
    pub member: String,
}

/// Why a request was refused, in words.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    pub error: String,
}
