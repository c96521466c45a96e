//! Plaintext or TLS toward the members of a pool, and how probes of their port follow what connections do.

use std::sync::Arc;

use super::admin_state::AdminState;
use super::monitor::{Monitor, MonitorKind, PortSsl};
use super::pool::Pool;
use super::profile::ServerSsl;
use super::virtual_server::{Mode, VirtualServer};

/// What is spoken to a port. `T` is a server-ssl profile, or what is made of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport<T> {
    Plaintext,
    /// TLS with each of these in turn: a member is up only if all of them succeed.
    Tls(Vec<T>),
    /// Plaintext or this TLS, whichever the port speaks.
    Either(Vec<T>),
}

impl<T> Transport<T> {
    /// Returns the TLS that may be spoken.
    pub fn tls(&self) -> &[T] {
        match self {
            Self::Plaintext => &[],
            Self::Tls(tls) | Self::Either(tls) => tls,
        }
    }

    /// Returns whether TLS, or else plaintext, may be spoken.
    pub fn allows(&self, tls: bool) -> bool {
        match self {
            Self::Plaintext => !tls,
            Self::Tls(_) => tls,
            Self::Either(_) => true,
        }
    }

    /// Returns the same with each TLS changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Transport<U> {
        let all = |tls: Vec<T>| tls.into_iter().map(change).collect();
        match self {
            Self::Plaintext => Transport::Plaintext,
            Self::Tls(tls) => Transport::Tls(all(tls)),
            Self::Either(tls) => Transport::Either(all(tls)),
        }
    }
}

impl<T> Transport<Arc<T>> {
    /// Returns whether the other one is of the very same TLS.
    pub fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (self.tls(), other.tls());
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && one.len() == two.len()
            && one.iter().zip(two).all(|(one, two)| Arc::ptr_eq(one, two))
    }
}

/// The virtual servers that speak to the members of a pool, by what they speak.
#[derive(Debug, Default)]
pub struct PoolUse<'a> {
    /// Those with server-ssl.
    pub tls: Vec<&'a VirtualServer>,
    /// Those with client-ssl only.
    pub plaintext: Vec<&'a VirtualServer>,
    /// Those without SSL profiles: what their clients speak is not known.
    pub untouched: Vec<&'a VirtualServer>,
}

impl<'a> PoolUse<'a> {
    /// Adds a virtual server of the pool. One that is forced offline speaks to nobody.
    pub(super) fn add(&mut self, virtual_server: &'a VirtualServer) {
        if virtual_server.state == AdminState::ForcedOffline {
            return;
        }
        match virtual_server.mode() {
            Mode::ReEncrypt | Mode::ServerOnly => self.tls.push(virtual_server),
            Mode::Offload => self.plaintext.push(virtual_server),
            Mode::Passthrough => self.untouched.push(virtual_server),
        }
    }

    /// Returns what probes of a monitor speak to the port. Those of some types say nothing on it.
    pub fn probed_by(&self, monitor: &Monitor) -> Transport<Arc<ServerSsl>> {
        match &monitor.kind {
            MonitorKind::Impala(check) => self.transport(&check.ssl),
            MonitorKind::Http(check) => match &check.tls {
                Some(profile) => Transport::Tls(vec![Arc::clone(profile)]),
                None => Transport::Plaintext,
            },
            MonitorKind::Tcp
            | MonitorKind::Tls
            | MonitorKind::TcpHalfOpen
            | MonitorKind::Gateway
            | MonitorKind::GatewayIcmp
            | MonitorKind::Inband(_) => Transport::Plaintext,
        }
    }

    /// Returns what a monitor speaks to the port by its own configuration, whatever virtual servers do: TLS or not; `None`
    /// if it says nothing there, or speaks as they do.
    pub fn is_probed_in_tls(monitor: &Monitor) -> Option<bool> {
        if monitor.probing.alias_port.is_some() || monitor.probing.alias_address.is_some() {
            return None;
        }
        match &monitor.kind {
            MonitorKind::Impala(check) => match check.ssl {
                PortSsl::Auto { .. } => None,
                PortSsl::On { .. } | PortSsl::Profile(_) => Some(true),
                PortSsl::Off => Some(false),
            },
            MonitorKind::Http(check) => Some(check.tls.is_some()),
            MonitorKind::Tls => Some(true),
            MonitorKind::Tcp
            | MonitorKind::TcpHalfOpen
            | MonitorKind::Gateway
            | MonitorKind::GatewayIcmp
            | MonitorKind::Inband(_) => None,
        }
    }

    /// Returns whether the members of a pool speak TLS, as far as its virtual servers or else its monitors agree on it.
    pub fn members_speak_tls(&self, pool: &Pool) -> Option<bool> {
        match (self.tls.is_empty(), self.plaintext.is_empty()) {
            (false, true) => return Some(true),
            (true, false) => return Some(false),
            (false, false) => return None,
            (true, true) => {}
        }
        let mut probed = pool.monitors.all.iter().filter_map(|monitor| Self::is_probed_in_tls(monitor));
        let first = probed.next()?;
        probed.all(|other| other == first).then_some(first)
    }

    fn transport(&self, ssl: &PortSsl) -> Transport<Arc<ServerSsl>> {
        let profiles = self.server_ssl();
        match ssl {
            PortSsl::Off => Transport::Plaintext,
            PortSsl::Profile(profile) => Transport::Tls(vec![Arc::clone(profile)]),
            PortSsl::On { unverified } if profiles.is_empty() => Transport::Tls(vec![Arc::clone(unverified)]),
            PortSsl::On { .. } => Transport::Tls(profiles),
            PortSsl::Auto { unverified } => match (profiles.is_empty(), self.plaintext.is_empty()) {
                (false, true) => Transport::Tls(profiles),
                (true, false) => Transport::Plaintext,
                (true, true) => Transport::Either(vec![Arc::clone(unverified)]),
                // A member serves one half of the virtual servers at best, so that it does is enough.
                (false, false) => Transport::Either(profiles),
            },
        }
    }

    /// Returns the server-ssl profiles, each once.
    fn server_ssl(&self) -> Vec<Arc<ServerSsl>> {
        let mut profiles: Vec<Arc<ServerSsl>> = Vec::new();
        for profile in self.tls.iter().filter_map(|it| it.server_ssl.as_ref()) {
            if !profiles.iter().any(|known| known.name == profile.name) {
                profiles.push(Arc::clone(profile));
            }
        }
        profiles
    }
}
