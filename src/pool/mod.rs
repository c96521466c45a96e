//! Pools while they run: members with their live counts and health, the choice among them, and persistence.
//!
//! A [`Pool`] is a pool as one configuration describes it, made anew by each reload. Its counts and its members' health
//! are in a [`LivePool`], which a [`Registry`] keeps by name, so that a reload forgets none.

mod atomic;
mod atomic_instant;
mod count_guards;
mod elsewhere;
mod live_pool;
mod marks;
mod member;
mod node;
mod persisted_count;
mod persistence;
#[expect(clippy::module_inception, reason = "the file that defines `Pool`")]
mod pool;
mod queue;
mod rate_limit;
mod registry;
mod removed;
mod select;
mod service_down;
mod set_by;
mod shared;
mod status;

pub use count_guards::{MemberGuard, SetupGuard};
pub use elsewhere::{Elsewhere, MembersElsewhere};
pub use live_pool::LivePool;
pub use member::{
    Contact, Failure, Health, LiveMember, Load, Measurement, MonitorView, PassiveEvent, ProbeResult, Suspicion, Verdict,
};
pub use node::{BeforeResolved, LiveNode, Unresolved};
pub use persistence::{RecordTarget, RecordView, Records, Sharing, Sticky};
pub use pool::{Pool, PoolMember};
pub use queue::QueuePosition;
pub use rate_limit::RateLimiter;
pub use registry::Registry;
pub use removed::Draining;
pub use select::{Arrival, Asker, Busy, Choice, NoMember, Step};
pub use set_by::set_by_in_words;
pub use status::{Availability, Status, of_other_processes};
