//! One probing of a member: its turn among the member's monitors, and all the member's addresses within one limit.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::assignment::Assignment;
use super::outcome::Outcome;
use super::probe::Probe;

/// Probes a member at whichever addresses it has.
pub(super) struct MemberProbe<'a> {
    assignment: &'a Assignment,
    probe: Box<dyn Probe + 'a>,
    /// The address that answered last.
    answered: Option<IpAddr>,
}

impl<'a> MemberProbe<'a> {
    pub(super) fn new(assignment: &'a Assignment, probe: Box<dyn Probe + 'a>) -> Self {
        Self { assignment, probe, answered: None }
    }

    /// Waits for the turn of this monitor, and then probes the member once, within the monitor's limit.
    ///
    /// Monitors of a member take turns: it has few threads to answer with. Another monitor's probe may take longer than
    /// this one's, so a turn is waited for as long as a probe may take, and never so long that the probe could not end
    /// before `deadline`, when the member is marked down. After that the probe goes without one.
    pub(super) async fn probe(&mut self, deadline: Option<Instant>) -> Outcome {
        let limit = self.assignment.probe_limit();
        let (now, in_time) = (Instant::now(), deadline.and_then(|deadline| deadline.checked_sub(limit)));
        let latest = in_time.map_or(now + limit, |in_time| in_time.min(now + limit));
        let _turn = timeout_at(latest, self.assignment.live.probing.lock()).await;
        self.any_address(limit).await
    }

    /// Probes the addresses one after the other, until one answers. As connections go to whichever takes them, the
    /// member is as good as the best.
    ///
    /// All of them share the limit: each gets an equal part of what those before it left. The one that answered last is
    /// the first, so that silent ones cost nothing while it answers.
    async fn any_address(&mut self, limit: Duration) -> Outcome {
        let end = Instant::now() + limit;
        let addresses = self.addresses();
        let mut best: Option<Outcome> = None;
        for (at, address) in addresses.iter().enumerate() {
            let after = addresses.len() - at;
            let part = end.saturating_duration_since(Instant::now()) / u32::try_from(after).unwrap_or(u32::MAX);
            let outcome = self.probe.probe(*address, part).await;
            if outcome == Outcome::Answers {
                self.answered = Some(address.ip());
                return outcome;
            }
            best = Some(match best {
                Some(before) => before.or(outcome),
                None => outcome,
            });
        }
        best.unwrap_or_else(|| Outcome::Fails("the node's name does not resolve".into()))
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        let Assignment { monitor, member, node, .. } = self.assignment;
        let port = monitor.probing.alias_port.unwrap_or(member.port);
        let mut addresses = match monitor.probing.alias_address {
            Some(address) => vec![address],
            None => node.addresses().to_vec(),
        };
        addresses.sort_by_key(|address| Some(*address) != self.answered);
        addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::monitor::probe::{Probing, Tcp};
    use crate::monitor::test_assignment::{seconds, test_assignment};

    #[tokio::test]
    async fn member_is_as_good_as_the_best_of_its_addresses() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut assignment = test_assignment(seconds(20), seconds(60));
        assignment.member.port = listener.local_addr().unwrap().port();
        let mut probe = MemberProbe::new(&assignment, Box::new(Tcp));
        assert_eq!(probe.probe(None).await, Outcome::Fails("the node's name does not resolve".into()));
        assignment.node.set_addresses(vec![[127, 0, 0, 2].into()]);
        assert!(matches!(probe.probe(None).await, Outcome::Fails(_)));
        assignment.node.set_addresses(vec![[127, 0, 0, 2].into(), [127, 0, 0, 1].into()]);
        assert_eq!(probe.probe(None).await, Outcome::Answers);
    }

    /// Notes whom it asks and how long that may take. All but one of the addresses are silent.
    struct Silent {
        asked: Arc<parking_lot::Mutex<Vec<(IpAddr, Duration)>>>,
        answers: Option<IpAddr>,
    }

    impl Probe for Silent {
        fn probe(&mut self, address: SocketAddr, limit: Duration) -> Probing<'_> {
            Box::pin(async move {
                self.asked.lock().push((address.ip(), limit));
                if self.answers == Some(address.ip()) {
                    return Outcome::Answers;
                }
                tokio::time::sleep(limit).await;
                Outcome::Fails("silent".into())
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_addresses_share_one_limit_and_the_last_that_answered_is_first() {
        let assignment = test_assignment(seconds(6), seconds(60));
        let ip = |last| IpAddr::from([10, 0, 0, last]);
        assignment.node.set_addresses([1, 2, 3].map(ip).to_vec());
        let asked = Arc::default();
        let silent = |answers| Box::new(Silent { asked: Arc::clone(&asked), answers });
        let begun = Instant::now();
        assert_eq!(MemberProbe::new(&assignment, silent(None)).probe(None).await, Outcome::Fails("silent".into()));
        assert_eq!(begun.elapsed(), seconds(6));
        assert_eq!(std::mem::take(&mut *asked.lock()), [1, 2, 3].map(|last| (ip(last), seconds(2))));
        let mut probe = MemberProbe::new(&assignment, silent(Some(ip(3))));
        assert_eq!(probe.probe(None).await, Outcome::Answers);
        assert_eq!(*asked.lock(), [(ip(1), seconds(2)), (ip(2), seconds(2)), (ip(3), seconds(2))]);
        asked.lock().clear();
        assert_eq!(probe.probe(None).await, Outcome::Answers);
        assert_eq!(*asked.lock(), [(ip(3), seconds(2))]);
    }

    #[tokio::test(start_paused = true)]
    async fn probe_waits_for_its_turn_and_still_ends_before_the_deadline() {
        let assignment = test_assignment(seconds(5), seconds(16));
        assignment.node.set_addresses(vec![[10, 0, 0, 1].into()]);
        let silent = || Box::new(Silent { asked: Arc::default(), answers: None });
        let mut probe = MemberProbe::new(&assignment, silent());
        let begun = Instant::now();
        // Another monitor's probe.
        let turn = assignment.live.probing.lock().await;
        let free = async {
            tokio::time::sleep(seconds(1)).await;
            drop(turn);
        };
        tokio::join!(probe.probe(Some(begun + seconds(16))), free);
        assert_eq!(begun.elapsed(), seconds(6), "it waited, and that took nothing from its limit");
        for (deadline, ends) in [(Some(16), 10), (Some(8), 8), (Some(2), 5), (None, 10)] {
            let _turn = assignment.live.probing.lock().await;
            let begun = Instant::now();
            let outcome = probe.probe(deadline.map(|deadline| begun + seconds(deadline))).await;
            assert_eq!((outcome, begun.elapsed()), (Outcome::Fails("silent".into()), seconds(ends)), "{deadline:?}");
        }
    }
}
