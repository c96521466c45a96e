//! A member while it runs: [`LiveMember`] and its parts, one file each.

mod counts;
mod health;
mod live_member;
mod load;
mod measurement;
mod method_state;
mod passive_events;
mod probe_results;
mod setups;
mod slow_ramp;
mod suspicion;
mod verdicts;

pub use health::{Health, Verdict};
pub use live_member::LiveMember;
pub use load::Load;
pub use measurement::Measurement;
#[cfg(test)]
pub(super) use measurement::measurement;
pub use passive_events::PassiveEvent;
pub use probe_results::{MonitorView, ProbeResult};
pub(super) use setups::SetupRoom;
pub(super) use suspicion::first_pause;
pub use suspicion::{Contact, Failure, Suspicion};
