//! Metrics for Prometheus (`GET /metrics`), in its text format and in that of OpenMetrics.
//!
//! Each metric is declared in `catalogue`. For a scrape, `readings` reads the running system, and `collector` and
//! `traffic_families` write it through `families`, which bounds how many series each metric has.

mod accept;
mod catalogue;
mod collector;
mod families;
mod page;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "read on a thread that may block"))]
mod process;
mod readings;
mod scrape;
#[cfg(test)]
mod tests;
mod traffic_families;

pub use catalogue::{ALL, Kind, Metric};
pub use page::catalogue_page;
pub(super) use scrape::{Scraper, metrics};
