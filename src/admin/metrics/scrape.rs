//! Answering a scrape.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::accept::Exposition;
use super::collector::PronkCollector;
use crate::control::Handle;
use crate::log::Log;

/// Answers scrapes, one at a time, so that many of them take no more of the processor than one.
#[derive(Clone, Debug)]
pub(in crate::admin) struct Scraper {
    registry: Arc<Registry>,
    turn: Arc<Mutex<()>>,
}

impl Scraper {
    pub(in crate::admin) fn new(handle: Handle, log: Log) -> Self {
        Self::with_most(handle, log, MOST_SERIES)
    }

    /// `most` is how many series a metric has at most.
    pub(super) fn with_most(handle: Handle, log: Log, most: usize) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(PronkCollector { handle, log, most }));
        Self { registry: Arc::new(registry), turn: Arc::default() }
    }

    /// Returns all metrics as text, made on the thread that calls.
    pub(super) fn text(&self, exposition: Exposition) -> Result<String, std::fmt::Error> {
        let mut page = String::new();
        match exposition {
            Exposition::Prometheus => prometheus_text::encode(&mut page, &self.registry)?,
            Exposition::OpenMetrics => text::encode(&mut page, &self.registry)?,
        }
        Ok(page)
    }
}

/// Answers `GET /metrics`. The text is made on a thread of its own, as with thousands of members it takes long enough to
/// hold up monitors.
pub(in crate::admin) async fn metrics(State(scraper): State<Scraper>, headers: HeaderMap) -> Response {
    let accepted: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let exposition = Exposition::preferred(&accepted.join(","));
    let turn = Arc::clone(&scraper.turn).lock_owned().await;
    let made = spawn_blocking(move || {
        // Held to the end, also if the client leaves.
        let _turn = turn;
        scraper.text(exposition)
    });
    match made.await {
        Ok(Ok(page)) => {
            ([(CONTENT_TYPE, exposition.content_type()), (CACHE_CONTROL, "no-store")], page).into_response()
        }
        Ok(Err(_)) | Err(_) => {
            tracing::error!("internal error: cannot make the metrics");
            (StatusCode::INTERNAL_SERVER_ERROR, "internal error: the log says why\n").into_response()
        }
    }
}

/// Series that a metric has at most. A thousand members have as many of their availability.
pub(super) const MOST_SERIES: usize = 4000;
