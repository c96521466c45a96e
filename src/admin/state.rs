//! What requests read.

use std::path::Path;
use std::sync::Arc;

use axum::extract::FromRef;
use tokio::sync::Semaphore;

use super::metrics::Scraper;
use crate::control::Handle;
use crate::log::Log;

/// What requests read.
#[derive(Clone)]
pub(super) struct ApiState {
    pub handle: Handle,
    pub log: Log,
    pub scraper: Scraper,
    /// Where the admin socket is, to find those of other processes.
    pub socket: Arc<Path>,
    /// For long answers of other processes, which are kept in memory: few at a time.
    pub long_answers: Arc<Semaphore>,
    /// The OpenAPI document, as JSON.
    pub document: Arc<str>,
}

impl FromRef<ApiState> for Handle {
    fn from_ref(state: &ApiState) -> Self {
        state.handle.clone()
    }
}

impl FromRef<ApiState> for Scraper {
    fn from_ref(state: &ApiState) -> Self {
        state.scraper.clone()
    }
}
