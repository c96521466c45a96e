//! The validated configuration: what the file means once every reference is resolved and every value is in range.
//!
//! Plain data without I/O. A [`Model`] can be compared with another, so a reload can tell what changed, and nothing
//! in it is running: live state (health, counts, records) is kept elsewhere and keyed by the names used here.

mod admin;
mod admin_state;
mod configuration;
mod discovery;
mod host;
mod lint;
mod member;
mod monitor;
mod name;
mod node;
mod pool;
pub mod profile;
mod set_by;
mod transport;
mod virtual_server;

pub use admin::Admin;
pub use admin_state::AdminState;
pub use configuration::Model;
pub use discovery::{Discovery, Seed};
pub use host::{Host, is_host_name};
pub use lint::{Level, LintLevel};
pub use member::{Member, MemberKey};
pub use monitor::{
    Credentials, HttpCheck, ImpalaCheck, ImpalaProtocol, Inband, Monitor, MonitorKind, PortSsl, Probing, WebUi,
};
pub use name::Name;
pub use node::{Address, Node};
pub use pool::{LoadBalancing, MonitorRule, Pacing, Pool, Queueing, Scope, ServiceDownAction};
pub use set_by::SetBy;
pub use transport::{PoolUse, Transport};
pub use virtual_server::{Dial, ImmediateAction, Mode, VirtualServer, VirtualServerKind, covers, overlap};
