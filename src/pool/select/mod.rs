//! The choice of a member: who may be chosen at all, then persistence, then priority groups and the load-balancing
//! method, then the count, in one step under one lock.

mod arrival;
mod asker;
mod by_persistence;
mod candidate;
mod choose;
mod decision;
mod eligibility;
#[cfg(test)]
mod exactness;
mod explain;
mod limits;
mod look;
mod methods;
mod no_member;
#[cfg(test)]
mod plain;
mod refusal;
mod row;
mod serving;
#[cfg(test)]
mod simulation;
mod standings;
#[cfg(test)]
mod suspects;
#[cfg(test)]
mod tests;

pub use arrival::Arrival;
pub use asker::Asker;
pub use choose::Choice;
pub(super) use eligibility::Applicant;
pub use explain::Step;
pub(super) use methods::instead;
pub use no_member::{Busy, NoMember};
pub(super) use refusal::Refused;
pub(super) use standings::Standings;
