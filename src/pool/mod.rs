//! Pools while they run: members with their live counts and health, the choice among them, and persistence.
//!
//! What the configuration says of a pool is in a [`Pool`], made anew by each reload. What happens to it is in a
//! [`LivePool`] and its members, which a [`Registry`] keeps by name, so that a reload forgets no count.

mod health;
mod live;
mod measurement;
mod moment;
mod persistence;
mod queue;
mod rate;
mod removed;
mod select;
mod status;

pub use health::{Health, Verdict};
pub use live::{LiveMember, LiveNode, LivePool, Registry, Served};
pub use measurement::{Load, Measurement};
pub use persistence::{Place, RecordView, Records, Sharing, Sticky};
pub use queue::Waiting;
pub use rate::Rate;
pub use removed::Draining;
pub use select::{Arrival, Asker, Busy, Choice, MemberGuard, NoMember, Pool, PoolMember, SetupGuard, Step};
pub use status::{Availability, Status};
