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
pub(super) enum Passed {
    /// It is in the networks of `source`.
    Source,
    /// The virtual server is disabled, and the client has a persistence record.
    Record,
    /// There is a place below `connection-limit`.
    ConnectionLimit,
}

/// The rule that refuses a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
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
pub(super) struct Refusal<Place> {
    pub why: Refused,
    /// The place that the client takes all the same, while it is held in silence.
    pub place: Option<Place>,
}

impl<Place> From<Refused> for Refusal<Place> {
    fn from(why: Refused) -> Self {
        Self { why, place: None }
    }
}

/// How the rules that count are asked.
pub(super) trait Counting {
    /// A place among the virtual server's connections, until it is dropped.
    type Place;

    /// Takes a place, unless `limit` are taken.
    fn place(&self, limit: Option<u32>) -> Option<Self::Place>;

    /// Whether one more may come within this second; it counts from here on.
    fn rate(&self, limit: Option<u32>) -> bool;
}

/// Decides whether `client` gets in; `passed` is told which rules let it pass.
///
/// # Errors
/// The first rule that refuses it.
pub(super) fn decide<C: Counting>(
    snapshot: &Snapshot,
    client: IpAddr,
    now: Instant,
    counting: &C,
    mut passed: impl FnMut(Passed),
) -> Result<C::Place, Refusal<C::Place>> {
    let config = &snapshot.config;
    let client = client.to_canonical();
    if !config.source.is_empty() {
        if !config.source.iter().any(|network| network.contains(&client)) {
            return Err(Refused::Source.into());
        }
        passed(Passed::Source);
    }
    match config.state {
        AdminState::Enabled => {}
        AdminState::Disabled if snapshot.has_record(client, now) => passed(Passed::Record),
        AdminState::Disabled => return Err(Refused::Disabled.into()),
        AdminState::ForcedOffline => return Err(Refused::ForcedOffline.into()),
    }
    let is_down = || down::nobody_can_serve(&snapshot.pool, now).map(Refused::ServiceDown);
    if config.service_down_immediate_action == ImmediateAction::Reset
        && let Some(why) = is_down()
    {
        return Err(why.into());
    }
    let place = counting.place(config.connection_limit).ok_or(Refused::ConnectionLimit)?;
    if config.connection_limit.is_some() {
        passed(Passed::ConnectionLimit);
    }
    if !counting.rate(config.rate_limit) {
        return Err(Refused::RateLimit.into());
    }
    if config.service_down_immediate_action == ImmediateAction::Drop
        && let Some(why) = is_down()
    {
        return Err(Refusal { why, place: Some(place) });
    }
    Ok(place)
}

impl Refused {
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
pub(super) struct Enters<'a> {
    pub virtual_server: &'a Arc<LiveVirtualServer>,
    pub now: Instant,
}

/// Counts one connection of a virtual server for as long as it lives.
#[derive(Debug)]
pub(super) struct Place(Arc<LiveVirtualServer>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.leave();
    }
}

impl Counting for Enters<'_> {
    type Place = Place;

    fn place(&self, limit: Option<u32>) -> Option<Place> {
        let entered = self.virtual_server.connections.try_enter(limit);
        entered.then(|| Place(Arc::clone(self.virtual_server)))
    }

    fn rate(&self, limit: Option<u32>) -> bool {
        self.virtual_server.rate.try_enter(limit, self.now)
    }
}

/// A question what would become of a connection: nothing is counted.
pub(super) struct Looks<'a> {
    pub virtual_server: &'a LiveVirtualServer,
    /// How many connections there are.
    pub current: u32,
    pub now: Instant,
}

impl Counting for Looks<'_> {
    type Place = ();

    fn place(&self, limit: Option<u32>) -> Option<()> {
        limit.is_none_or(|limit| self.current < limit).then_some(())
    }

    fn rate(&self, limit: Option<u32>) -> bool {
        self.virtual_server.rate.next(limit, self.now).is_none()
    }
}
