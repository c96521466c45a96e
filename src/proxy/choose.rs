//! Choosing a member, and waiting in the queue while none can take the connection.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use tokio::time::Instant;

use super::close_reasons::{Close, CloseReason};
use super::connection_record::ConnectionRecord;
use super::open_connection::OpenPhase;
use super::phase_histograms::PhaseTime;
use super::snapshot::Snapshot;
use super::virtual_server::LiveVirtualServer;
use crate::model::MemberKey;
use crate::net::until;
use crate::pool::{Arrival, Asker, Busy, Choice, NoMember, Pool};

/// The members that a connection has met already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met<'a> {
    /// Those that could not be connected to.
    pub tried: &'a [MemberKey],
    /// One that did not answer what opens the session.
    pub avoided: Option<&'a MemberKey>,
}

impl<'a> Met<'a> {
    fn asker(self, client: IpAddr, snapshot: &'a Snapshot) -> Asker<'a> {
        let Self { tried, avoided } = self;
        Asker { client, persistence: &snapshot.persistence, tried, avoided }
    }
}

/// Chooses a member for connections in the order in which they arrived. A connection that no member can take yet waits
/// in the pool's queue, if the pool has one: for `queue-time-limit` at most, and until the client has `left`.
///
/// Each choice is made from the virtual server's newest configuration, and the connection continues with that:
/// `snapshot` is afterwards the one of the choice. If a newer one has another pool, a connection that waits joins the
/// end of that pool's queue.
///
/// # Errors
/// Why no member was chosen.
pub(super) async fn choose_member(
    virtual_server: &LiveVirtualServer,
    snapshot: &mut Arc<Snapshot>,
    client: IpAddr,
    met: Met<'_>,
    left: impl Future<Output = ()>,
    record: &ConnectionRecord,
) -> Result<Choice, Close> {
    virtual_server.refresh(snapshot);
    record.set_pool(&snapshot.pool.config.name);
    let waiting = match snapshot.pool.arrive(met.asker(client, snapshot), now()) {
        Arrival::Served(choice) => return Ok(choice),
        Arrival::Queued(waiting) => waiting,
        Arrival::QueueFull => return Err(queue_full(&snapshot.pool)),
        Arrival::Refused(none) => return Err(no_member(none, &snapshot.pool)),
    };
    record.begin(OpenPhase::Queue);
    let started = Instant::now();
    let waiters = &virtual_server.waiters;
    let seat = waiters.add(&snapshot.pool, client, waiting);
    let (mut left, mut changed) = (pin!(left), pin!(waiters.changed()));
    let (mut known, mut last_queue) = (Arc::clone(snapshot), None);
    let (mut has_turn, mut retry) = (false, None);
    let waited = loop {
        let (newest, queued) = seat.queued(|| virtual_server.snapshot.load_full(), |newest| &newest.pool);
        if !Arc::ptr_eq(&newest, &known) {
            *snapshot = snapshot.continue_with(Arc::clone(&newest));
            known = newest;
        }
        let pool = &snapshot.pool;
        record.set_pool(&pool.config.name);
        let Some(queued) = queued else { break Err(queue_full(pool)) };
        if last_queue.replace(Arc::clone(&queued)).is_some_and(|last| !Arc::ptr_eq(&last, &queued)) {
            // A turn in another pool's queue is none in this one's.
            (has_turn, retry) = (false, None);
        }
        if has_turn {
            match pool.choose(met.asker(client, snapshot), now()) {
                Ok(choice) => break Ok(choice),
                Err(none) if !none.may_wait(pool.config.queue) => break Err(no_member(none, pool)),
                Err(none) => {
                    let busy = if let NoMember::Busy(busy) = none { busy } else { Busy::default() };
                    retry = pool.retry_at(busy, now()).map(Instant::from_std);
                    if !met.tried.is_empty() || met.avoided.is_some() {
                        queued.waiting.pass_on();
                    } else if busy.setup_of_client {
                        queued.waiting.pass_on_to_another_client();
                    }
                }
            }
        }
        let deadline = pool.config.queue.time.and_then(|time| started.checked_add(time));
        has_turn = tokio::select! {
            biased;
            () = queued.waiting.turn() => true,
            () = &mut changed => {
                changed.set(waiters.changed());
                false
            }
            () = &mut left => break Err(CloseReason::ClientLeftQueue.into()),
            () = until(deadline) => {
                let (name, waited) = (&pool.config.name, started.elapsed());
                break Err(CloseReason::QueueTimeout.because(format_args!("pool {name}: {waited:.1?}")));
            }
            () = until(retry) => true,
        };
    };
    record.note(|facts| facts.times.queue = Some(PhaseTime::since(started)));
    waited
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// Returns the close reason of a connection that finds the queue full.
pub(super) fn queue_full(pool: &Pool) -> Close {
    let depth = pool.config.queue.depth.unwrap_or_default();
    CloseReason::QueueFull.because(format_args!("pool {}: {depth} wait", pool.config.name))
}

/// Returns the close reason of a connection that no member can take.
pub(super) fn no_member(none: NoMember, pool: &Pool) -> Close {
    let name = &pool.config.name;
    let reason = match none {
        NoMember::TooFew { up, needed } => {
            return CloseReason::TooFewMembersUp.because(format_args!("pool {name}: {up} up, {needed} needed"));
        }
        NoMember::Empty => CloseReason::NoMembers,
        NoMember::Down | NoMember::Tried => CloseReason::NoMemberUp,
        NoMember::Disabled => CloseReason::NoMemberEnabled,
        NoMember::Busy(Busy { limit: false, rate: true, .. }) => CloseReason::NoMemberBelowRate,
        NoMember::Busy(_) => CloseReason::NoMemberBelowLimit,
    };
    reason.because(format_args!("pool {name}"))
}
