//! Which member serves which client: records of it, and the score that needs none.

mod client;
mod place;
mod records;
mod sharing;
mod table;

use std::sync::Arc;

use crate::model::profile::Persistence;

pub(super) use client::score;
pub use place::Place;
pub use records::{PersistenceHold, Records};
pub use sharing::Sharing;
pub(super) use sharing::Tables;
pub use table::RecordView;

/// A persistence profile of a virtual server, with the records that it keeps, if it does.
#[derive(Clone, Debug)]
pub struct Sticky {
    pub profile: Arc<Persistence>,
    pub records: Option<Arc<Records>>,
}
