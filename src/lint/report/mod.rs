//! Findings for people and for programs.

mod catalogue;
mod content;
mod github;
mod human;
mod json;
mod junit;
mod location;
mod sarif;
mod view;

pub use catalogue::catalogue_page;
pub use content::Report;
pub use github::github;
pub use human::{explain, human};
pub use json::{json, json_schema};
pub use junit::junit;
pub use sarif::sarif;
pub use view::{CertificateView, FindingView};
