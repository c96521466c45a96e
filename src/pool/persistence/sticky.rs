//! A persistence profile in use.

use std::sync::Arc;

use super::records::Records;
use crate::model::profile::Persistence;

/// A persistence profile of a virtual server, with the records that it keeps, if it does.
#[derive(Clone, Debug)]
pub struct Sticky {
    pub profile: Arc<Persistence>,
    pub records: Option<Arc<Records>>,
}
