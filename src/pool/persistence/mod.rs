//! Persistence: which member serves which client, by records of it or by a hash that needs none.

mod client;
mod match_across;
mod record_target;
mod records;
pub(super) mod rendezvous;
mod sticky;
mod table;

pub(super) use match_across::SharedRecords;
pub use match_across::Sharing;
pub use record_target::RecordTarget;
pub(super) use records::PersistenceHold;
pub use records::Records;
pub use sticky::Sticky;
pub use table::RecordView;
