//! Choosing a member, and waiting for one where none can take the connection yet.

use std::future::{Future, pending};
use std::pin::pin;

use tokio::time::{Instant, sleep_until};

use super::close::{Close, CloseReason};
use super::record::Record;
use crate::pool::{Arrival, Asker, Busy, Choice, NoMember, Pool};

/// Chooses a member, in the order in which connections came. One that none can take yet waits in the pool's queue, if the
/// pool lets it: at most `queue-time-limit`, and no longer than its client does (`gone`).
pub(super) async fn for_a_member(
    pool: &Pool,
    asker: Asker<'_>,
    gone: impl Future<Output = ()>,
    record: &mut Record,
) -> Result<Choice, Close> {
    let now = || Instant::now().into_std();
    let waiting = match pool.arrive(asker, now()) {
        Arrival::Served(choice) => return Ok(choice),
        Arrival::Queued(waiting) => waiting,
        Arrival::QueueFull => return Err(queue_full(pool)),
        Arrival::Refused(none) => return Err(no_member(none, pool)),
    };
    let started = Instant::now();
    let mut deadline = pin!(until(pool.config.queue.time.and_then(|time| started.checked_add(time))));
    let mut gone = pin!(gone);
    let mut retry = None;
    loop {
        tokio::select! {
            biased;
            () = waiting.turn() => {}
            () = until(retry) => {}
            () = &mut gone => {
                record.phases.queue = Some(started.elapsed());
                return Err(CloseReason::ClientLeftQueue.into());
            }
            () = &mut deadline => {
                record.phases.queue = Some(started.elapsed());
                let waited = started.elapsed();
                return Err(CloseReason::QueueTimeout.because(format_args!("pool {}: {waited:.1?}", pool.config.name)));
            }
        }
        match pool.choose(asker, now()) {
            Ok(choice) => {
                record.phases.queue = Some(started.elapsed());
                return Ok(choice);
            }
            Err(none) if !none.may_wait(pool.config.queue) => return Err(no_member(none, pool)),
            Err(none) => {
                let busy = if let NoMember::Busy(busy) = none { busy } else { Busy::default() };
                retry = pool.retry_at(busy, now()).map(Instant::from_std);
                if !asker.tried.is_empty() {
                    waiting.pass_on();
                }
            }
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// The reason for which a connection ends that finds as many waiting as may.
pub(super) fn queue_full(pool: &Pool) -> Close {
    let depth = pool.config.queue.depth.unwrap_or_default();
    CloseReason::QueueFull.because(format_args!("pool {}: {depth} wait", pool.config.name))
}

/// The reason for which a connection ends that no member takes.
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
