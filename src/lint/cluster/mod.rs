//! The servers of a cluster beside each other: what only shows when their certificates are compared.

mod duplicate_serial;
mod lint;
mod mixed_issuers;
mod overview;
mod pairs;
mod san_drift;
mod served_differs;
mod shared_key;
mod shortened_list;

pub(super) use lint::{CHECKS, lint};
pub use overview::{ClusterView, ServerRow};
use pairs::Pairs;
