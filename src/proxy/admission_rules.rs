//! Who gets in: the rules of a virtual server, in the order in which they are asked.
//!
//! Rules that count come last, so that a connection which another rule refuses uses up no place and no rate; but one
//! that is held in silence is there for long, and so takes its place before.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::close_reasons::{Close, CloseReason};
use super::down;
use super::virtual_server::{LiveVirtualServer, Snapshot};
use crate::model::{AdminState, ImmediateAction, Name};

/// A rule that lets a client pass which it might have refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdmittedBy {
    /// It is in the networks of `source`.
    Source,
    /// The virtual server is disabled, and the client has a persistence record.
    PersistenceRecord,
    /// There is a place below `connection-limit`.
    ConnectionLimit,
}

/// The rule that refuses a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RefusedBy {
    Source,
    /// The virtual server is disabled, and the client has no persistence record.
    Disabled,
    /// The virtual server is to take nobody, and the client was quicker than the end of listening.
    ForcedOffline,
    /// Nobody can serve, with the reason in words, and `service-down-immediate-action` says to refuse at once.
    ServiceDown(String),
    ConnectionLimit,
    RateLimit,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refusal<Guard> {
    pub by: RefusedBy,
    /// The place that the client takes all the same, while it is held in silence.
    pub guard: Option<Guard>,
}

impl<Guard> From<RefusedBy> for Refusal<Guard> {
    fn from(by: RefusedBy) -> Self {
        Self { by, guard: None }
    }
}

/// How the rules that count are asked.
pub(super) trait Limits {
    /// A place among the virtual server's connections, until it is dropped.
    type Guard;

    /// Takes a place, unless `limit` are taken.
    fn take_connection(&self, limit: Option<u32>) -> Option<Self::Guard>;

    /// Whether one more may come within this second; it counts from here on.
    fn take_rate(&self, limit: Option<u32>) -> bool;
}

/// Decides whether `client` gets in; `passed` is told which rules let it pass.
///
/// # Errors
/// The first rule that refuses it.
pub(super) fn decide<C: Limits>(
    snapshot: &Snapshot,
    client: IpAddr,
    now: Instant,
    limits: &C,
    mut passed: impl FnMut(AdmittedBy),
) -> Result<C::Guard, Refusal<C::Guard>> {
    let config = &snapshot.config;
    let client = client.to_canonical();
    if !config.source.is_empty() {
        if !config.source.iter().any(|network| network.contains(&client)) {
            return Err(RefusedBy::Source.into());
        }
        passed(AdmittedBy::Source);
    }
    match config.state {
        AdminState::Enabled => {}
        AdminState::Disabled if snapshot.has_record(client, now) => passed(AdmittedBy::PersistenceRecord),
        AdminState::Disabled => return Err(RefusedBy::Disabled.into()),
        AdminState::ForcedOffline => return Err(RefusedBy::ForcedOffline.into()),
    }
    let is_down = || down::nobody_can_serve(&snapshot.pool, now).map(RefusedBy::ServiceDown);
    if config.service_down_immediate_action == ImmediateAction::Reset
        && let Some(by) = is_down()
    {
        return Err(by.into());
    }
    let guard = limits.take_connection(config.connection_limit).ok_or(RefusedBy::ConnectionLimit)?;
    if config.connection_limit.is_some() {
        passed(AdmittedBy::ConnectionLimit);
    }
    if !limits.take_rate(config.rate_limit) {
        return Err(RefusedBy::RateLimit.into());
    }
    if config.service_down_immediate_action == ImmediateAction::Drop
        && let Some(by) = is_down()
    {
        return Err(Refusal { by, guard: Some(guard) });
    }
    Ok(guard)
}

impl RefusedBy {
    /// How the client's connection ends.
    pub fn close(self, pool: &Name) -> Close {
        match self {
            Self::Source => CloseReason::SourceRefused.into(),
            Self::Disabled => CloseReason::VirtualServerDisabled.into(),
            Self::ForcedOffline => CloseReason::VirtualServerDisabled.because("it is forced offline"),
            Self::ServiceDown(why) => CloseReason::ServiceDownImmediate.because(format_args!("pool {pool}: {why}")),
            Self::ConnectionLimit => CloseReason::ConnectionLimit.into(),
            Self::RateLimit => CloseReason::RateLimit.into(),
        }
    }
}

/// A connection that comes: it is counted.
pub(super) struct CountedLimits<'a> {
    pub virtual_server: &'a Arc<LiveVirtualServer>,
    pub now: Instant,
}

/// Counts one connection of a virtual server for as long as it lives.
#[derive(Debug)]
pub(super) struct ConnectionGuard(Arc<LiveVirtualServer>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.leave();
    }
}

impl Limits for CountedLimits<'_> {
    type Guard = ConnectionGuard;

    fn take_connection(&self, limit: Option<u32>) -> Option<ConnectionGuard> {
        let entered = self.virtual_server.connections.try_enter(limit);
        entered.then(|| ConnectionGuard(Arc::clone(self.virtual_server)))
    }

    fn take_rate(&self, limit: Option<u32>) -> bool {
        self.virtual_server.rate.try_enter(limit, self.now)
    }
}

/// A question what would become of a connection: nothing is counted.
pub(super) struct ReadOnlyLimits<'a> {
    pub virtual_server: &'a LiveVirtualServer,
    /// How many connections there are.
    pub current: u32,
    pub now: Instant,
}

impl Limits for ReadOnlyLimits<'_> {
    type Guard = ();

    fn take_connection(&self, limit: Option<u32>) -> Option<()> {
        limit.is_none_or(|limit| self.current < limit).then_some(())
    }

    fn take_rate(&self, limit: Option<u32>) -> bool {
        self.virtual_server.rate.next(limit, self.now).is_none()
    }
}
