//! What requests read.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::control::Handle;
use crate::log::Log;

/// What requests read.
#[derive(Clone)]
pub(super) struct ApiState {
    pub handle: Handle,
    pub log: Log,
    /// The OpenAPI document, as JSON.
    pub document: Arc<str>,
}

impl FromRef<ApiState> for Handle {
    fn from_ref(state: &ApiState) -> Self {
        state.handle.clone()
    }
}
