//! One member under one monitor, for as long as the configuration has it so.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::assignment::Assignment;
use super::inband::Failures;
use super::outcome::Outcome;
use super::probe::{Prober, refusal};
use super::rise_fall::RiseFall;
use crate::model::{Inband, Monitor, MonitorKind};
use crate::net::until;
use crate::pool::{Served, Verdict};

/// Watches for as long as its task runs.
pub async fn run(assignment: Arc<Assignment>) -> Infallible {
    match &assignment.monitor.kind {
        MonitorKind::Inband(rules) => listen(&assignment, *rules).await,
        _ => probe(&assignment).await,
    }
}

async fn probe(assignment: &Assignment) -> Infallible {
    let monitor = &assignment.monitor;
    let mut state = RiseFall::new(monitor, Instant::now().into_std());
    let mut prober = Prober::new(assignment);
    let mut last = None;
    let mut next = Instant::now() + spread(monitor, monitor.interval.min(SOON));
    let mut is_first = true;
    let mut served = assignment.live.watch_served();
    // When to look whether the member is gone, and when that may be again.
    let (mut look, mut unsuspected) = (None, Instant::now());
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = assignment.resume.notified() => state.resume(),
            () = suspicion(&mut served), if look.is_none() => {
                look = state.is_up().then(|| unsuspected.max(Instant::now()));
                continue;
            }
            () = until(look) => {
                look = None;
                unsuspected = Instant::now() + SUSPECT_EVERY;
                if let Some(reason) = is_gone(assignment).await {
                    let verdict = state.observe(Outcome::Reported(Verdict::Down(reason)), Instant::now().into_std());
                    verdict.into_iter().for_each(|verdict| assignment.report(verdict, &mut last));
                }
                continue;
            }
        }
        let started = Instant::now();
        let outcome = any_address(assignment, &mut prober).await;
        if let Outcome::NotMade(reason) = &outcome {
            let (pool, member, monitor) = (&assignment.pool, &assignment.member, &monitor.name);
            tracing::debug!(%pool, %member, %monitor, %reason, "the probe was not made, so the verdict stays");
        }
        if let Some(verdict) = state.observe(outcome, Instant::now().into_std()) {
            assignment.report(verdict, &mut last);
        }
        let pause = monitor.up_interval.filter(|_| state.is_up()).unwrap_or(monitor.interval);
        // The first probe is soon for everyone; the second finds a place of its own in the interval, and keeps it.
        next = started + if std::mem::take(&mut is_first) && monitor.jitter { spread(monitor, pause) } else { pause };
    }
}

/// Waits until a client's connection goes as it does when a member dies.
async fn suspicion(served: &mut Receiver<Served>) {
    loop {
        match served.recv().await {
            Ok(Served::Lost | Served::Failed(_)) => return,
            Ok(Served::Silent(_)) | Err(RecvError::Lagged(_)) => {}
            // The member outlives its watchers.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Whether nothing listens on the member's port any more, with the reason: that is no slow answer which might yet come,
/// so the timeout need not pass. A process that is killed loses its connections and its ports one after the other, so
/// this looks twice.
async fn is_gone(assignment: &Assignment) -> Option<String> {
    for pause in LOOKS {
        tokio::time::sleep(pause).await;
        if let Some(reason) = all_refuse(assignment).await {
            return Some(reason);
        }
    }
    None
}

async fn all_refuse(assignment: &Assignment) -> Option<String> {
    let mut gone = None;
    for address in assignment.node.addresses().iter() {
        let address = SocketAddr::new(*address, assignment.member.port);
        gone = Some(refusal(address, assignment.monitor.interval.min(assignment.monitor.timeout)).await?);
    }
    gone
}

/// A random part of a time; none of it without jitter.
fn spread(monitor: &Monitor, time: Duration) -> Duration {
    if monitor.jitter { time.mul_f64(fastrand::f64()) } else { Duration::ZERO }
}

/// Probes a member's addresses one after the other, until one answers. As connections go to whichever takes them, the
/// member is as good as the best.
async fn any_address(assignment: &Assignment, prober: &mut Prober<'_>) -> Outcome {
    let monitor = &assignment.monitor;
    let port = monitor.alias_port.unwrap_or(assignment.member.port);
    let addresses = match monitor.alias_address {
        Some(address) => vec![address],
        None => assignment.node.addresses().to_vec(),
    };
    let mut best: Option<Outcome> = None;
    for address in addresses {
        // Other monitors of the member wait for their turn: it has few threads to answer with.
        let turn = assignment.live.probing.lock().await;
        let outcome = prober.probe(SocketAddr::new(address, port)).await;
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

/// Counts how clients' connections fail.
async fn listen(assignment: &Assignment, rules: Inband) -> Infallible {
    let mut served = assignment.live.watch_served();
    let mut failures = Failures::new(rules);
    let mut last = None;
    // Nobody has failed yet.
    assignment.report(Verdict::Up, &mut last);
    loop {
        let retry_at = failures.retry_at().map(Instant::from_std);
        let verdict = tokio::select! {
            event = served.recv() => match event {
                Ok(served) => failures.observe(served, Instant::now().into_std()),
                Err(RecvError::Lagged(_)) => None,
                // The member outlives its watchers.
                Err(RecvError::Closed) => std::future::pending().await,
            },
            () = until(retry_at) => Some(failures.retry()),
            () = assignment.resume.notified() => Some(failures.retry()),
        };
        if let Some(verdict) = verdict {
            assignment.report(verdict, &mut last);
        }
    }
}

/// A member is suspected at most so often: a look takes a connection.
const SUSPECT_EVERY: Duration = Duration::from_millis(500);
/// The pauses before each look.
const LOOKS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];
/// The first probes of all members are spread over so much time at most.
const SOON: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::*;
    use crate::model::{MemberKey, Name};

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
        let mut prober = Prober::new(&assignment);
        let outcome = any_address(&assignment, &mut prober).await;
        assert_eq!(outcome, Outcome::Fails("the node's name does not resolve".into()));
        assignment.node.set_addresses(vec![[127, 0, 0, 2].into()]);
        assert!(matches!(any_address(&assignment, &mut prober).await, Outcome::Fails(_)));
        assignment.node.set_addresses(vec![[127, 0, 0, 2].into(), [127, 0, 0, 1].into()]);
        assert_eq!(any_address(&assignment, &mut prober).await, Outcome::Answers);
    }
}
