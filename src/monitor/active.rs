//! Active monitoring: a member is probed again and again, and marked down when its time is over.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, sleep_until, timeout};

use super::assignment::Assignment;
use super::member_gone::{Hint, hint, is_gone};
use super::member_probe::MemberProbe;
use super::outcome::Outcome;
use super::probe::Probe;
use super::rise_fall::RiseFall;
use crate::model::Monitor;
use crate::net::until;
use crate::pool::{PassiveEvent, Verdict};

/// Probes a member in the monitor's interval, and at once when it seems to hang or when an administrator resumes it.
pub(super) async fn run(assignment: &Assignment, probe: Box<dyn Probe + '_>) -> Infallible {
    let monitor = &assignment.monitor;
    let mut watch = Watch::new(assignment);
    let mut probe = MemberProbe::new(assignment, probe);
    let mut next = Instant::now() + spread(monitor, monitor.probing.interval.min(SOON));
    let mut is_first = true;
    let ask = Arc::clone(&watch.ask);
    loop {
        let pause = async {
            tokio::select! {
                () = sleep_until(next) => false,
                () = ask.notified() => false,
                () = assignment.resume.notified() => true,
            }
        };
        if watch.during(pause).await {
            watch.state.resume();
        }
        let started = Instant::now();
        let deadline = watch.deadline();
        let outcome = watch.during(probe.probe(deadline)).await;
        assignment.report_contact(&outcome, watch.state.is_up(), started);
        watch.observe(outcome);
        let mut pause = monitor.probing.up_interval.filter(|_| watch.state.is_up()).unwrap_or(monitor.probing.interval);
        if assignment.live.suspicion().is_some() {
            pause = pause.min(ASK_SUSPECT_EVERY);
        }
        // The first probe is soon for everyone; the second finds a place of its own in the interval, and keeps it.
        next = started
            + if std::mem::take(&mut is_first) && monitor.probing.jitter { spread(monitor, pause) } else { pause };
    }
}

/// What goes on while a probe is under way and while none is: the deadline, and looks whether the member is gone.
struct Watch<'a> {
    assignment: &'a Assignment,
    state: RiseFall,
    /// The verdict that was logged last.
    logged: Option<&'static str>,
    served: Receiver<PassiveEvent>,
    /// A look whether the member is gone.
    look: Option<Look<'a>>,
    /// When the next look may begin.
    next_look: Instant,
    /// Notified when a look leaves it to a probe.
    ask: Arc<Notify>,
}

type Look<'a> = Pin<Box<dyn Future<Output = Seen> + Send + 'a>>;

/// What a look has found.
enum Seen {
    /// The member is gone, with the reason in words.
    Gone(String),
    /// A probe is to say what keeps connections from being made.
    Unclear,
    Nothing,
}

impl<'a> Watch<'a> {
    fn new(assignment: &'a Assignment) -> Self {
        Self {
            assignment,
            state: RiseFall::new(
                &assignment.monitor,
                assignment.live.verdict_of(&assignment.monitor.name),
                Instant::now().into_std(),
            ),
            logged: None,
            served: assignment.live.passive_events(),
            look: None,
            next_look: Instant::now(),
            ask: Arc::default(),
        }
    }

    /// Waits for `what`, and marks the member down meanwhile when its time is over or when it is gone.
    async fn during<T>(&mut self, what: impl Future<Output = T>) -> T {
        let mut what = pin!(what);
        loop {
            tokio::select! {
                // A probe that ends with the deadline still counts.
                biased;
                done = &mut what => return done,
                () = until(self.deadline()) => {
                    let verdict = self.state.check_deadline(Instant::now().into_std());
                    self.report(verdict);
                }
                seen = next_of(&mut self.look) => {
                    self.look = None;
                    match seen {
                        Seen::Gone(reason) => self.observe(Outcome::Reported(Verdict::Down(reason))),
                        Seen::Unclear => self.ask.notify_one(),
                        Seen::Nothing => {}
                    }
                }
                hint = hint(&mut self.served), if self.look.is_none() => {
                    if self.state.is_up() {
                        let begin = self.next_look.max(Instant::now());
                        self.look = Some(Box::pin(look(self.assignment, hint, begin)));
                        self.next_look = begin + LOOK_EVERY;
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.state.deadline().map(Instant::from_std)
    }

    fn observe(&mut self, outcome: Outcome) {
        if let Outcome::NotMade(reason) = &outcome {
            let Assignment { pool, member, monitor, .. } = self.assignment;
            let monitor = &monitor.name;
            tracing::debug!(%pool, %member, %monitor, %reason, "the probe was not made, so the verdict stays");
        }
        let verdict = self.state.observe(outcome, Instant::now().into_std());
        self.report(verdict);
    }

    fn report(&mut self, verdict: Option<Verdict>) {
        if let Some(verdict) = verdict {
            self.assignment.report(verdict, &mut self.logged);
        }
    }
}

/// Looks from `begin` on whether the member is gone, for as long as a probe may take.
async fn look(assignment: &Assignment, hint: Hint, begin: Instant) -> Seen {
    sleep_until(begin).await;
    let gone = match hint {
        // Where nothing answers, a look would only wait as long as a probe.
        Hint::TimedOut => None,
        Hint::Ended | Hint::Failed => timeout(assignment.probe_limit(), is_gone(assignment)).await.ok().flatten(),
    };
    match gone {
        Some(reason) => Seen::Gone(reason),
        None if hint == Hint::Ended => Seen::Nothing,
        None => Seen::Unclear,
    }
}

/// Waits for a look, or for ever where there is none.
async fn next_of(look: &mut Option<Look<'_>>) -> Seen {
    match look {
        Some(look) => look.await,
        None => std::future::pending().await,
    }
}

/// Returns a random part of a time; none of it without jitter.
fn spread(monitor: &Monitor, time: Duration) -> Duration {
    if monitor.probing.jitter { time.mul_f64(fastrand::f64()) } else { Duration::ZERO }
}

/// Looks whether a member is gone begin at most so often: a look takes a connection.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A suspect member is asked at least so often: others have its clients meanwhile.
const ASK_SUSPECT_EVERY: Duration = Duration::from_secs(5);
/// The first probes of all members are spread over so much time at most.
const SOON: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::monitor::probe::Probing;
    use crate::monitor::test_assignment::{seconds, test_assignment};
    use crate::pool::Health;

    /// A member that answers until it hangs.
    #[derive(Clone, Default)]
    struct Hanging(Arc<AtomicBool>);

    impl Probe for Hanging {
        fn probe(&mut self, _: SocketAddr, limit: Duration) -> Probing<'_> {
            Box::pin(async move {
                if !self.0.load(Ordering::SeqCst) {
                    return Outcome::Answers;
                }
                tokio::time::sleep(limit).await;
                Outcome::Fails("silent".into())
            })
        }
    }

    /// A member that hangs right after it has answered, watched for `watched`; and when it went down, counted from that
    /// answer.
    async fn hangs(change: fn(&mut Assignment), watched: Duration) -> Option<Duration> {
        let mut assignment = test_assignment(seconds(5), seconds(16));
        change(&mut assignment);
        assignment.node.set_addresses(vec![[10, 0, 0, 1].into()]);
        assignment.live.set_monitors([assignment.monitor.name.clone()], None);
        let (live, member) = (Arc::clone(&assignment.live), Hanging::default());
        let probe = Box::new(member.clone());
        let mut monitoring = pin!(run(&assignment, probe));
        let step = Duration::from_millis(1);
        while !matches!(*live.health(), Health::Up) {
            let _ = timeout(step, &mut monitoring).await;
        }
        let answered = Instant::now();
        member.0.store(true, Ordering::SeqCst);
        while !live.health().is_down() {
            if answered.elapsed() > watched {
                return None;
            }
            let _ = timeout(step, &mut monitoring).await;
        }
        Some(answered.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn member_that_hangs_is_down_when_the_timeout_passes() {
        let near = |at: Option<Duration>, expected| {
            let at = at.expect("it goes down");
            assert!(at.abs_diff(seconds(expected)) <= Duration::from_millis(2), "{at:?}");
        };
        near(hangs(|_| {}, seconds(60)).await, 16);
        // The probe under way ends at 20 s.
        let slow = |assignment: &mut Assignment| {
            let mut monitor = Monitor::clone(&assignment.monitor);
            monitor.probing.interval = seconds(10);
            assignment.monitor = Arc::new(monitor);
        };
        near(hangs(slow, seconds(60)).await, 16);
        // Another monitor's probe never gives up the turn.
        let taken = |assignment: &mut Assignment| {
            let live = Arc::clone(&assignment.live);
            tokio::spawn(async move {
                let _turn = live.probing.lock().await;
                std::future::pending::<()>().await;
            });
        };
        near(hangs(taken, seconds(60)).await, 16);
        assert_eq!(hangs(|_| {}, seconds(15)).await, None, "and not before");
    }
}
