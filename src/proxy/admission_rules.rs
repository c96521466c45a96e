//! Whether a client is let in: the rules of a virtual server, in the order in which they are applied.
//!
//! Limits come last, so that a connection which another rule refuses counts toward none of them. But a connection that
//! is held in silence stays for long, and so counts as a connection first.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::client_counts::Reached;
use super::close_reasons::{Close, CloseReason};
use super::snapshot::Snapshot;
use super::virtual_server::LiveVirtualServer;
use crate::model::{AdminState, ClientLimits, ImmediateAction, Name};
use crate::pool::{Availability, Pool, Status};

/// A rule that could have refused a client and let it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdmittedBy {
    /// The client is in the networks of `source`.
    Source,
    /// The virtual server is disabled, and the client has a persistence record.
    PersistenceRecord,
    /// The client has fewer connections than `client-connection-limit`.
    ClientConnectionLimit,
    /// There are fewer connections than `connection-limit`.
    ConnectionLimit,
}

/// The rule that refuses a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RefusedBy {
    Source,
    /// The virtual server is disabled, and the client has no persistence record.
    Disabled,
    /// The virtual server is forced offline, and the client was accepted just before it stopped to listen.
    ForcedOffline,
    /// No member can serve, with the reason in words, and `service-down-immediate-action` refuses clients at once.
    ServiceDown(String),
    /// The client has reached a limit for each client.
    ClientLimit(Reached),
    ConnectionLimit,
    RateLimit,
}

/// A refused client.
#[derive(Debug)]
pub(super) struct Refusal<Guard> {
    pub by: RefusedBy,
    /// Counts the client while it is held in silence; none where it is reset at once.
    pub guard: Option<Guard>,
}

impl<Guard> From<RefusedBy> for Refusal<Guard> {
    fn from(by: RefusedBy) -> Self {
        Self { by, guard: None }
    }
}

/// The limits of a virtual server: counted for a connection, and only looked at for an explanation.
pub(super) trait Limits {
    /// Counts one connection of a client until it is dropped.
    type Client;
    /// Counts one connection until it is dropped.
    type Guard;

    /// Counts one more connection of the client.
    ///
    /// # Errors
    /// The limit that the client has reached.
    fn take_client(&self, client: IpAddr, limits: &ClientLimits) -> Result<Self::Client, Reached>;

    /// Takes a place below the connection limit, if there is one.
    fn take_connection(&self, limit: Option<u32>, client: Self::Client) -> Option<Self::Guard>;

    /// Returns whether one more connection may come within this second, and counts it. One that may not counts toward
    /// no other rate.
    fn take_rate(&self, limit: Option<u32>, guard: &Self::Guard) -> bool;
}

/// Decides whether `client` is let in, and calls `admitted` for each rule that lets it pass.
///
/// # Errors
/// The first rule that refuses it.
pub(super) fn decide<L: Limits>(
    snapshot: &Snapshot,
    client: IpAddr,
    now: Instant,
    limits: &L,
    mut admitted: impl FnMut(AdmittedBy),
) -> Result<L::Guard, Refusal<L::Guard>> {
    let config = &snapshot.config;
    let client = client.to_canonical();
    if !config.source.is_empty() {
        if !config.source.iter().any(|network| network.contains(&client)) {
            return Err(RefusedBy::Source.into());
        }
        admitted(AdmittedBy::Source);
    }
    match config.state {
        AdminState::Enabled => {}
        AdminState::Disabled if snapshot.has_record(client, now) => admitted(AdmittedBy::PersistenceRecord),
        AdminState::Disabled => return Err(RefusedBy::Disabled.into()),
        AdminState::ForcedOffline => return Err(RefusedBy::ForcedOffline.into()),
    }
    let is_down = || no_member_can_serve(&snapshot.pool, now).map(RefusedBy::ServiceDown);
    if config.service_down_immediate_action == ImmediateAction::Reset
        && let Some(by) = is_down()
    {
        return Err(by.into());
    }
    // First, so that a client beyond its own limit takes no place from others, not even for an instant.
    let of_client = limits.take_client(client, &config.client_limits).map_err(RefusedBy::ClientLimit)?;
    if config.client_limits.connections.is_some() {
        admitted(AdmittedBy::ClientConnectionLimit);
    }
    let guard = limits.take_connection(config.connection_limit, of_client).ok_or(RefusedBy::ConnectionLimit)?;
    if config.connection_limit.is_some() {
        admitted(AdmittedBy::ConnectionLimit);
    }
    if !limits.take_rate(config.rate_limit, &guard) {
        return Err(RefusedBy::RateLimit.into());
    }
    if config.service_down_immediate_action == ImmediateAction::Drop
        && let Some(by) = is_down()
    {
        return Err(Refusal { by, guard: Some(guard) });
    }
    Ok(guard)
}

/// Returns why no member can serve a new client, if so. A pool that queues takes clients at its limits.
fn no_member_can_serve(pool: &Pool, now: Instant) -> Option<String> {
    // The usual case, which makes no text.
    if pool.has_choice(now) {
        return None;
    }
    let Status { availability, reason, .. } = pool.status_at(now);
    match availability {
        Availability::Offline => Some(reason),
        Availability::Unavailable if !pool.config.queue.on_connection_limit => Some(reason),
        _ => None,
    }
}

impl RefusedBy {
    /// Returns how the client's connection ends.
    pub(super) fn close(self, pool: &Name) -> Close {
        match self {
            Self::Source => CloseReason::SourceRefused.into(),
            Self::Disabled => CloseReason::VirtualServerDisabled.into(),
            Self::ForcedOffline => CloseReason::VirtualServerDisabled.because("it is forced offline"),
            Self::ServiceDown(why) => CloseReason::ServiceDownImmediate.because(format_args!("pool {pool}: {why}")),
            Self::ClientLimit(Reached::Connections) => CloseReason::ClientConnectionLimit.into(),
            Self::ClientLimit(Reached::Rate) => CloseReason::ClientRateLimit.into(),
            Self::ConnectionLimit => CloseReason::ConnectionLimit.into(),
            Self::RateLimit => CloseReason::RateLimit.into(),
        }
    }
}

/// The limits for a connection: it is counted.
pub(super) struct CountedLimits<'a> {
    pub virtual_server: &'a Arc<LiveVirtualServer>,
    pub now: Instant,
}

/// Counts one connection of a client until it is dropped.
#[derive(Debug)]
pub(super) struct ClientGuard {
    virtual_server: Arc<LiveVirtualServer>,
    client: IpAddr,
}

impl Drop for ClientGuard {
    fn drop(&mut self) {
        self.virtual_server.clients.leave(self.client);
    }
}

/// Counts one connection of a virtual server, and of its client, until it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard(ClientGuard);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.virtual_server.connections.leave();
    }
}

impl Limits for CountedLimits<'_> {
    type Client = ClientGuard;
    type Guard = ConnectionGuard;

    fn take_client(&self, client: IpAddr, limits: &ClientLimits) -> Result<ClientGuard, Reached> {
        self.virtual_server.clients.try_enter(client, limits, self.now)?;
        Ok(ClientGuard { virtual_server: Arc::clone(self.virtual_server), client })
    }

    fn take_connection(&self, limit: Option<u32>, client: ClientGuard) -> Option<ConnectionGuard> {
        let entered = self.virtual_server.connections.try_enter(limit);
        if !entered {
            self.virtual_server.clients.take_rate_back(client.client, self.now);
        }
        entered.then(|| ConnectionGuard(client))
    }

    fn take_rate(&self, limit: Option<u32>, guard: &ConnectionGuard) -> bool {
        let entered = self.virtual_server.rate.try_enter(limit, self.now);
        if !entered {
            self.virtual_server.clients.take_rate_back(guard.0.client, self.now);
        }
        entered
    }
}

/// The limits for an explanation: nothing is counted.
pub(super) struct ReadOnlyLimits<'a> {
    pub virtual_server: &'a LiveVirtualServer,
    /// How many connections there are.
    pub current: u32,
    pub now: Instant,
}

impl Limits for ReadOnlyLimits<'_> {
    type Client = ();
    type Guard = ();

    fn take_client(&self, client: IpAddr, limits: &ClientLimits) -> Result<(), Reached> {
        self.virtual_server.clients.look(client, limits, self.now)
    }

    fn take_connection(&self, limit: Option<u32>, (): ()) -> Option<()> {
        limit.is_none_or(|limit| self.current < limit).then_some(())
    }

    fn take_rate(&self, limit: Option<u32>, (): &()) -> bool {
        self.virtual_server.rate.next(limit, self.now).is_none()
    }
}
