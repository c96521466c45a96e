//! The deadlines of a relay: for silence, and for what is left of a connection that one side has ended.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::profile::Protocol;
use crate::pool::SetupGuard;

/// What is due in a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A connection to the member counts as set up, answered or not.
    SetUp,
    /// Keep-alive is to be turned on toward the member. A connection that ends soon has no use for that, which takes four
    /// system calls.
    KeepAlive,
    /// The member has not answered what opens a session.
    Unanswered,
    /// The member's side is over: it ended, and takes no bytes either.
    MemberOver,
    /// A side that nobody reads, as its bytes wait for the other side, is to be watched.
    Watch,
    /// What a lost side sent before cannot be delivered in time.
    Undelivered,
    /// One side has ended, and the other has sent nothing for half-closed-timeout.
    HalfClosed,
    /// Nothing passed for the idle timeout.
    Idle,
}

/// The state of a relay, as far as deadlines follow from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines<'a> {
    pub profile: &'a Protocol,
    /// When the member was connected.
    pub since: Instant,
    /// When bytes last passed.
    active: Instant,
    /// When bytes last passed to the member.
    active_to_member: Instant,
    /// When the end of the first side was passed on.
    ended: Option<Instant>,
    /// When the member ended its side.
    member_ended: Option<Instant>,
    /// When a side was lost.
    lost: Option<Instant>,
    /// Since when the member has not answered what opens a session.
    pub opening_since: Option<Instant>,
    /// Whether the member's place is given back already.
    pub place_free: bool,
    /// Whether the connection counts as being set up.
    pub in_setup: bool,
    /// Whether keep-alive is to be turned on toward the member.
    pub keep_alive_due: bool,
    /// Whether bytes wait for a side that takes none, and the side that sent them is not watched yet.
    pub blocked: bool,
}

impl<'a> Deadlines<'a> {
    pub(super) fn new(profile: &'a Protocol, now: Instant) -> Self {
        Self {
            profile,
            since: now,
            active: now,
            active_to_member: now,
            ended: None,
            member_ended: None,
            lost: None,
            opening_since: None,
            place_free: false,
            in_setup: true,
            keep_alive_due: profile.keep_alive_interval.is_some(),
            blocked: false,
        }
    }

    /// Notes that bytes passed.
    pub(super) fn passed(&mut self, to_member: bool, now: Instant) {
        self.active = now;
        if to_member {
            self.active_to_member = now;
        }
    }

    /// Notes that the end of a side was passed on.
    pub(super) fn ended(&mut self, now: Instant) {
        self.ended.get_or_insert(now);
    }

    /// Notes that the member has ended its side.
    pub(super) fn member_ended(&mut self, now: Instant) {
        self.member_ended.get_or_insert(now);
    }

    /// Notes that a side was lost.
    pub(super) fn lost(&mut self, now: Instant) {
        self.lost.get_or_insert(now);
    }

    /// Returns how long no bytes have passed.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        now - self.active
    }

    /// Returns how long a member may leave what opens a session without an answer: as long as connecting may take.
    fn unanswered(&self) -> Duration {
        self.profile.connect_timeout.max(SHORTEST_UNANSWERED)
    }

    /// Returns what is due next, and when.
    pub(super) fn next(&self) -> (Instant, Due) {
        let Protocol { idle_timeout, half_closed_timeout, close_wait, .. } = self.profile;
        let or_never = |time: &Option<Duration>| time.unwrap_or(NEVER);
        let (idle, half_closed) = (or_never(idle_timeout), or_never(half_closed_timeout));
        let setup = self.in_setup.then(|| self.since + SetupGuard::LONGEST);
        let member_over = self.member_ended.filter(|_| !self.place_free);
        let all = [
            (setup, Due::SetUp),
            (self.keep_alive_due.then(|| self.since + BEFORE_KEEP_ALIVE), Due::KeepAlive),
            (self.opening_since.map(|since| since + self.unanswered()), Due::Unanswered),
            (member_over.map(|ended| ended.max(self.active_to_member) + MEMBER_OVER), Due::MemberOver),
            (self.blocked.then(|| self.active + BLOCKED), Due::Watch),
            (self.lost.map(|lost| lost.max(self.active) + *close_wait), Due::Undelivered),
            (self.ended.map(|ended| ended.max(self.active) + half_closed), Due::HalfClosed),
            (Some(self.active + idle), Due::Idle),
        ];
        let times = all.into_iter().filter_map(|(at, due)| Some((at?, due)));
        times.min().unwrap_or((self.active + idle, Due::Idle))
    }
}

/// A member that has ended its side, and to which no bytes passed for so long, has closed: an impalad never ends one
/// direction alone.
const MEMBER_OVER: Duration = Duration::from_millis(500);
/// Keep-alive is turned on after so long.
const BEFORE_KEEP_ALIVE: Duration = Duration::from_millis(500);
/// A side is watched when its bytes have waited for so long, as that takes a descriptor.
const BLOCKED: Duration = Duration::from_millis(500);
/// A daemon may ask others before it answers.
const SHORTEST_UNANSWERED: Duration = Duration::from_secs(1);
/// How long "never" is for a timer.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn profile() -> Protocol {
        Protocol {
            idle_timeout: Some(300 * SECOND),
            half_closed_timeout: Some(60 * SECOND),
            close_wait: 5 * SECOND,
            connect_timeout: 3 * SECOND,
            ..Protocol::clone(&crate::proxy::tests::built_in().profiles.protocol["tcp"])
        }
    }

    fn deadlines(profile: &Protocol, now: Instant) -> Deadlines<'_> {
        Deadlines { in_setup: false, keep_alive_due: false, ..Deadlines::new(profile, now) }
    }

    #[test]
    fn silence_is_measured_from_the_last_bytes_and_from_the_end_of_a_side() {
        let start = Instant::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let profile = profile();
        let mut relay = deadlines(&profile, start);
        assert_eq!(relay.next(), (at(300), Due::Idle));
        relay.passed(true, at(100));
        assert_eq!(relay.next(), (at(400), Due::Idle));
        relay.ended(at(200));
        assert_eq!(relay.next(), (at(260), Due::HalfClosed));
        relay.passed(false, at(230));
        assert_eq!(relay.next(), (at(290), Due::HalfClosed));
        relay.lost(at(240));
        assert_eq!(relay.next(), (at(245), Due::Undelivered));
        relay.passed(false, at(244));
        assert_eq!(relay.next(), (at(249), Due::Undelivered), "while the other side takes bytes they are delivered");
    }

    #[test]
    fn answer_to_what_opens_a_session_is_waited_for_as_long_as_connecting_may_take() {
        let start = Instant::now();
        let profile = profile();
        let mut relay = Deadlines { opening_since: Some(start), ..deadlines(&profile, start) };
        assert_eq!(relay.next(), (start + 3 * SECOND, Due::Unanswered));
        relay.opening_since = None;
        assert_eq!(relay.next(), (start + 300 * SECOND, Due::Idle));
        let quick = Protocol { connect_timeout: SECOND / 1000, ..profile };
        assert_eq!(Deadlines::new(&quick, start).unanswered(), SECOND, "a daemon may ask others before it answers");
    }

    #[test]
    fn place_of_a_member_that_ended_is_given_back_once_nothing_passes() {
        let start = Instant::now();
        let profile = profile();
        let mut relay = Deadlines { in_setup: true, ..deadlines(&profile, start) };
        assert_eq!(relay.next(), (start + SetupGuard::LONGEST, Due::SetUp));
        relay.member_ended(start);
        relay.ended(start);
        assert_eq!(relay.next(), (start + MEMBER_OVER, Due::MemberOver));
        relay.passed(false, start + SECOND);
        assert_eq!(relay.next(), (start + MEMBER_OVER, Due::MemberOver), "what the client still receives");
        relay.passed(true, start + SECOND);
        assert_eq!(relay.next(), (start + SECOND + MEMBER_OVER, Due::MemberOver));
        (relay.place_free, relay.in_setup) = (true, false);
        assert_eq!(relay.next(), (start + 61 * SECOND, Due::HalfClosed));
    }

    #[test]
    fn keep_alive_is_turned_on_once_if_the_profile_asks_for_it() {
        let start = Instant::now();
        for (interval, due) in [(Some(60 * SECOND), Due::KeepAlive), (None, Due::Idle)] {
            let profile = Protocol { keep_alive_interval: interval, ..profile() };
            let mut relay = Deadlines { in_setup: false, ..Deadlines::new(&profile, start) };
            assert_eq!(relay.next().1, due);
            relay.keep_alive_due = false;
            assert_eq!(relay.next(), (start + 300 * SECOND, Due::Idle));
        }
    }
}
