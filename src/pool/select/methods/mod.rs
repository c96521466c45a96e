//! The load-balancing methods, one file each. `preference.rs` lists what each goes by.

mod dynamic_ratio;
mod least_connections;
mod least_load;
mod least_sessions;
mod observed;
mod predictive;
mod preference;
mod round_robin;

#[cfg(test)]
pub(super) use predictive::{INTERVAL, next_trend};
pub(in crate::pool) use preference::instead;
pub(super) use preference::{Preference, connections, in_force, own};
