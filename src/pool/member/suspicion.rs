//! Suspicion: a member that failed a connection, or left a probe without an answer, may be about to fail the next one.
//! Pure, so that it is tested without waiting.

use std::time::{Duration, Instant};

use crate::model::{Monitor, MonitorKind};

/// How much of a member answered, or was to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    /// Its port, by taking the connection. The kernel does that for a process that is stopped.
    Port,
    /// The process itself, in the protocol of the port.
    Process,
}

impl Contact {
    /// Returns what a good probe of a monitor shows of the member's own port, if anything.
    pub fn of_probe(monitor: &Monitor) -> Option<Self> {
        if monitor.probing.alias_address.is_some() || monitor.probing.alias_port.is_some() {
            return None;
        }
        match monitor.kind {
            MonitorKind::Tcp | MonitorKind::TcpHalfOpen => Some(Self::Port),
            MonitorKind::Tls | MonitorKind::Http(_) | MonitorKind::Impala(_) => Some(Self::Process),
            // A refusal is an answer to the one, and the others do not ask the port.
            MonitorKind::Gateway | MonitorKind::GatewayIcmp | MonitorKind::Inband(_) => None,
        }
    }
}

/// A connection or a probe that a member failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In words that follow "it is suspect".
    pub reason: String,
    pub contact: Contact,
    pub began: Instant,
}

/// Why a member is suspect: others are tried first. An answer ends it. So does a while, for one connection at a time,
/// as nobody may ask the member otherwise.
#[derive(Clone, Debug)]
pub struct Suspicion {
    reason: String,
    /// What an answer must show to end it.
    contact: Contact,
    /// When the member last failed, or a connection was sent there to try.
    last_try: Instant,
    /// How many tries have failed since the first failure.
    tries: u32,
}

impl Suspicion {
    /// Returns the suspicion after a failure that was noticed at `now`. Failures that were under way together are one
    /// try.
    pub(super) fn after(before: Option<&Self>, failure: &Failure, now: Instant) -> Self {
        let Failure { reason, contact, began } = failure;
        match before {
            Some(before) if *began < before.last_try => {
                Self { contact: before.contact.max(*contact), ..before.clone() }
            }
            _ => Self {
                reason: reason.clone(),
                contact: before.map_or(*contact, |before| before.contact.max(*contact)),
                last_try: now,
                tries: before.map_or(0, |before| before.tries.saturating_add(1)),
            },
        }
    }

    /// Returns the suspicion of a single session, whose opening the member did not answer.
    pub(in crate::pool) fn of_one_session(now: Instant) -> Self {
        let reason = "it did not answer what opens this session".to_owned();
        Self { reason, contact: Contact::Process, last_try: now, tries: 0 }
    }

    /// Returns the same after a connection was sent to the member to try.
    pub(super) fn tried(&self, now: Instant) -> Self {
        Self { last_try: now, ..self.clone() }
    }

    pub(super) fn ends_with(&self, answered: Contact) -> bool {
        answered >= self.contact
    }

    /// Returns when a connection may try the member again, where nobody asks it: after `first`, and after twice as long
    /// each time that it fails.
    pub(in crate::pool) fn try_at(&self, first: Duration) -> Option<Instant> {
        let factor = 1_u32.checked_shl(self.tries).unwrap_or(u32::MAX);
        self.last_try.checked_add(first.saturating_mul(factor).min(LONGEST_PAUSE.max(first)))
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Returns how long a suspect member is left alone at first: while its monitors may still find out themselves how it
/// is, or for a moment without them.
pub(in crate::pool) fn first_pause<'a>(monitors: impl Iterator<Item = &'a Monitor>) -> Duration {
    let asking = monitors.filter(|monitor| Contact::of_probe(monitor).is_some());
    let timeout = asking.map(|monitor| monitor.probing.timeout).min();
    timeout.map_or(PAUSE, |timeout| timeout.clamp(PAUSE, LONGEST_PAUSE))
}

const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Inband, Name};

    fn failure(contact: Contact, began: Instant) -> Failure {
        Failure { reason: "it did not answer".into(), contact, began }
    }

    #[test]
    fn pause_grows_with_each_try_that_fails_and_with_no_other_failure() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let fail = |before: Option<&Suspicion>, began, now| {
            Suspicion::after(before, &failure(Contact::Port, at(began)), at(now))
        };
        let first = fail(None, 0, 5);
        assert_eq!(first.try_at(PAUSE), Some(at(10)));
        let together = fail(Some(&first), 4, 9);
        assert_eq!(together.try_at(PAUSE), Some(at(10)), "it was under way already");
        let tried = together.tried(at(10));
        assert_eq!(tried.try_at(PAUSE), Some(at(15)), "the next one waits for this one");
        let mut suspicion = fail(Some(&tried), 10, 15);
        assert_eq!(suspicion.try_at(PAUSE), Some(at(25)));
        for _ in 0..40 {
            suspicion = fail(Some(&suspicion), 100, 100);
        }
        assert_eq!(suspicion.try_at(PAUSE), Some(at(160)), "a minute at most");
    }

    #[test]
    fn answer_must_show_as_much_as_the_connection_wanted() {
        let now = Instant::now();
        let port = Suspicion::after(None, &failure(Contact::Port, now), now);
        let process = Suspicion::after(Some(&port), &failure(Contact::Process, now), now);
        assert!(port.ends_with(Contact::Port) && port.ends_with(Contact::Process));
        assert!(!process.ends_with(Contact::Port) && process.ends_with(Contact::Process));
        let port_again = Suspicion::after(Some(&process), &failure(Contact::Port, now), now);
        assert!(!port_again.ends_with(Contact::Port), "less was asked, so this says nothing of the process");
    }

    #[test]
    fn monitors_have_until_their_timeout() {
        let seconds = Duration::from_secs;
        let monitor = |kind, timeout| Monitor::new(Name::from("m"), kind, seconds(5), seconds(timeout));
        let inband = Inband {
            failures: 3,
            failure_interval: seconds(30),
            response_time: Duration::ZERO,
            retry_time: seconds(300),
        };
        let mut aside = monitor(MonitorKind::Tcp, 16);
        aside.probing.alias_port = Some(1);
        for (monitors, pause) in [
            (vec![], 5),
            (vec![monitor(MonitorKind::Tcp, 16)], 16),
            (vec![monitor(MonitorKind::Tcp, 31), monitor(MonitorKind::Tls, 16)], 16),
            (vec![monitor(MonitorKind::Tcp, 1)], 5),
            (vec![monitor(MonitorKind::Tcp, 14400)], 60),
            (vec![monitor(MonitorKind::Inband(inband), 16), monitor(MonitorKind::GatewayIcmp, 16), aside], 5),
        ] {
            assert_eq!(first_pause(monitors.iter()), seconds(pause), "{monitors:?}");
        }
    }
}
