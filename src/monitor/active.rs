//! Active monitoring: a member is probed again and again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::assignment::Assignment;
use super::member_gone::{Hint, hint, is_gone};
use super::outcome::Outcome;
use super::probe::Probe;
use super::rise_fall::RiseFall;
use crate::model::Monitor;
use crate::net::until;
use crate::pool::Verdict;

/// Probes a member in the monitor's interval, and at once when it seems to be gone or to hang.
pub(super) async fn run(assignment: &Assignment, mut probe: Box<dyn Probe + '_>) -> Infallible {
    let monitor = &assignment.monitor;
    let mut state = RiseFall::new(monitor, Instant::now().into_std());
    let mut last = None;
    let mut next = Instant::now() + spread(monitor, monitor.probing.interval.min(SOON));
    let mut is_first = true;
    let mut served = assignment.live.passive_events();
    // When to look whether the member is gone, and when that may be again.
    let (mut look, mut hinted, mut unsuspected) = (None, Hint::Ended, Instant::now());
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = assignment.resume.notified() => state.resume(),
            hint = hint(&mut served), if look.is_none() => {
                (look, hinted) = (state.is_up().then(|| unsuspected.max(Instant::now())), hint);
                continue;
            }
            () = until(look) => {
                look = None;
                unsuspected = Instant::now() + SUSPECT_EVERY;
                // Where nothing answers, a look would only wait as long as a probe.
                let gone = if hinted == Hint::TimedOut { None } else { is_gone(assignment).await };
                if let Some(reason) = gone {
                    let verdict = state.observe(Outcome::Reported(Verdict::Down(reason)), Instant::now().into_std());
                    verdict.into_iter().for_each(|verdict| assignment.report(verdict, &mut last));
                    continue;
                }
                if hinted == Hint::Ended {
                    continue;
                }
            }
        }
        let started = Instant::now();
        let outcome = any_address(assignment, &mut *probe).await;
        if let Outcome::NotMade(reason) = &outcome {
            let (pool, member, monitor) = (&assignment.pool, &assignment.member, &monitor.name);
            tracing::debug!(%pool, %member, %monitor, %reason, "the probe was not made, so the verdict stays");
        }
        assignment.report_contact(&outcome, state.is_up(), started);
        if let Some(verdict) = state.observe(outcome, Instant::now().into_std()) {
            assignment.report(verdict, &mut last);
        }
        let mut pause = monitor.probing.up_interval.filter(|_| state.is_up()).unwrap_or(monitor.probing.interval);
        if assignment.live.suspicion().is_some() {
            pause = pause.min(ASK_SUSPECT_EVERY);
        }
        // The first probe is soon for everyone; the second finds a place of its own in the interval, and keeps it.
        next = started
            + if std::mem::take(&mut is_first) && monitor.probing.jitter { spread(monitor, pause) } else { pause };
    }
}

/// Returns a random part of a time; none of it without jitter.
fn spread(monitor: &Monitor, time: Duration) -> Duration {
    if monitor.probing.jitter { time.mul_f64(fastrand::f64()) } else { Duration::ZERO }
}

/// Probes a member's addresses one after the other, until one answers. As connections go to whichever takes them, the
/// member is as good as the best.
async fn any_address(assignment: &Assignment, probe: &mut dyn Probe) -> Outcome {
    let monitor = &assignment.monitor;
    let port = monitor.probing.alias_port.unwrap_or(assignment.member.port);
    let addresses = match monitor.probing.alias_address {
        Some(address) => vec![address],
        None => assignment.node.addresses().to_vec(),
    };
    let mut best: Option<Outcome> = None;
    for address in addresses {
        // Other monitors of the member wait for their turn: it has few threads to answer with.
        let turn = assignment.live.probing.lock().await;
        let outcome = probe.probe(SocketAddr::new(address, port), assignment.probe_limit()).await;
        drop(turn);
        let is_best = outcome == Outcome::Answers;
        best = Some(match best {
            Some(before) => before.or(outcome),
            None => outcome,
        });
        if is_best {
            break;
        }
    }
    best.unwrap_or_else(|| Outcome::Fails("the node's name does not resolve".into()))
}

/// A member is suspected at most so often: a look takes a connection.
const SUSPECT_EVERY: Duration = Duration::from_millis(500);
/// A suspect member is asked at least so often: others have its clients meanwhile.
const ASK_SUSPECT_EVERY: Duration = Duration::from_secs(5);
/// The first probes of all members are spread over so much time at most.
const SOON: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::*;
    use crate::model::{MemberKey, MonitorKind, Name};
    use crate::monitor::probe::Tcp;

    #[tokio::test]
    async fn member_is_as_good_as_the_best_of_its_addresses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seconds = Duration::from_secs;
        let assignment = Assignment {
            pool: Name::from("p"),
            member: MemberKey { node: Name::from("n"), port: listener.local_addr().unwrap().port() },
            monitor: Arc::new(Monitor::new(Name::from("m"), MonitorKind::Tcp, seconds(20), seconds(60))),
            live: Arc::default(),
            node: Arc::default(),
            hostname: None,
            tls: None,
            web_tls: None,
            authorization: None,
            server_name: None,
            certificates: Arc::default(),
            resume: Notify::default(),
        };
        let outcome = any_address(&assignment, &mut Tcp).await;
        assert_eq!(outcome, Outcome::Fails("the node's name does not resolve".into()));
        assignment.node.set_addresses(vec![[127, 0, 0, 2].into()]);
        assert!(matches!(any_address(&assignment, &mut Tcp).await, Outcome::Fails(_)));
        assignment.node.set_addresses(vec![[127, 0, 0, 2].into(), [127, 0, 0, 1].into()]);
        assert_eq!(any_address(&assignment, &mut Tcp).await, Outcome::Answers);
    }
}
