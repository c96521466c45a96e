//! Persistence: which member serves which client, by records of it or by a hash that needs none.

mod client;
mod record_target;
mod records;
pub(super) mod rendezvous;
mod sharing;
mod sticky;
mod table;

pub use record_target::RecordTarget;
pub(super) use records::PersistenceHold;
pub use records::Records;
pub(super) use sharing::SharedRecords;
pub use sharing::Sharing;
pub use sticky::Sticky;
pub use table::RecordView;
