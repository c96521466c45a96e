//! The validated configuration: what the file means once every reference is resolved and every value is in range.
//!
//! Plain data without I/O. A [`Model`] can be compared with another, so a reload can tell what changed, and nothing
//! in it is running: live state (health, counts, records) is kept elsewhere and keyed by the names used here.

mod discovery;
mod host;
mod lint;
mod member;
mod monitor;
mod node;
mod pool;
pub mod profile;
mod virtual_server;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use discovery::{Discovery, Seed};
pub use host::{Host, is_host_name};
pub use lint::{Level, LintLevel};
pub use member::{Member, MemberKey};
pub use monitor::{Credentials, HttpCheck, ImpalaCheck, ImpalaProtocol, Inband, Monitor, MonitorKind, Probing, WebUi};
pub use node::{Address, Node};
pub use pool::{LoadBalancing, MonitorRule, Pacing, Pool, Queueing, Scope, ServiceDownAction};
use profile::{ClientSsl, Profiles, ServerSsl};
pub use virtual_server::{Dial, ImmediateAction, Mode, VirtualServer, VirtualServerKind, covers, overlap};

/// Everything that one configuration file describes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub nodes: BTreeMap<Name, Arc<Node>>,
    /// Those of the file and the built-in ones, in use or not.
    pub profiles: Profiles,
    /// Those of the file and the built-in ones, in use or not.
    pub monitors: BTreeMap<Name, Arc<Monitor>>,
    pub pools: BTreeMap<Name, Arc<Pool>>,
    pub virtual_servers: BTreeMap<Name, Arc<VirtualServer>>,
    /// The folder of the certificate store, absolute.
    pub certificate_store: PathBuf,
    /// How often the files that profiles name are looked at for replacements; `None` is never (`indefinite`).
    pub certificate_refresh: Option<Duration>,
    /// By the id of the check.
    pub lint: BTreeMap<Name, LintLevel>,
}

impl Model {
    /// The client-ssl profiles that virtual servers use, each once.
    pub fn client_ssl_in_use(&self) -> BTreeMap<&Name, &Arc<ClientSsl>> {
        let used = self.virtual_servers.values().filter_map(|it| it.client_ssl.as_ref());
        used.map(|profile| (&profile.name, profile)).collect()
    }

    /// The server-ssl profiles that virtual servers and monitors use, each once.
    pub fn server_ssl_in_use(&self) -> BTreeMap<&Name, &Arc<ServerSsl>> {
        let of_virtual_servers = self.virtual_servers.values().filter_map(|it| it.server_ssl.as_ref());
        let of_monitors = self.monitors_in_use().into_values().flat_map(|monitor| monitor.server_ssl());
        of_virtual_servers.chain(of_monitors).map(|profile| (&profile.name, profile)).collect()
    }

    /// The monitors that pools use, each once.
    pub fn monitors_in_use(&self) -> BTreeMap<&Name, &Arc<Monitor>> {
        self.pools.values().flat_map(|pool| &pool.monitors.all).map(|monitor| (&monitor.name, monitor)).collect()
    }
}

/// The name that the file gives to a node, pool, profile, monitor or virtual server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Administrative state, which monitors never change (F5's `session` and `state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdminState {
    /// Every connection is welcome.
    #[default]
    Enabled,
    /// Only active connections and those with a persistence record (`user-disabled`).
    Disabled,
    /// Only active connections (`user-down`).
    ForcedOffline,
}

impl AdminState {
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::ForcedOffline];

    /// The word that the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::ForcedOffline => "forced-offline",
        }
    }
}
