//! Looks at a member for a choice: whether it may be chosen, what the method goes by, and for how long that holds.

use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

use super::asker::Asker;
use super::candidate::Candidate;
use super::eligibility::Applicant;
use super::methods;
use super::refusal::{DecidedBy, Refusal, Refused};
use super::row::{Holds, Standing, View};
use super::standings::Standings;
use crate::model::LoadBalancing;
use crate::pool::pool::Pool;

/// What is seen of a member, for an explanation.
pub(super) struct Sighting {
    pub view: View,
    /// Its figures, unless it is refused.
    pub candidate: Option<Candidate>,
    /// What its standing was decided by, where that has a reason of its own.
    pub by: Option<DecidedBy>,
}

impl Pool {
    /// Brings the table up to date for a connection, and passes on to `report` what is seen of each member that is
    /// looked at: of all of them, or of those that need not be what they were.
    pub(super) fn look(
        &self,
        standings: &mut Standings,
        asker: Asker<'_>,
        now: Instant,
        all: bool,
        mut report: impl FnMut(usize, Sighting),
    ) {
        let marks = &self.live.shared.marks;
        let is_paced = self.paced_until(now).is_some();
        if !standings.is_of(&self.live_members) {
            let records_matter = self.config.load_balancing_mode == LoadBalancing::LeastSessions;
            standings.begin(&self.live_members, marks, records_matter);
            standings.set_paced(is_paced);
            if standings.is_marked() {
                self.members.iter().for_each(|member| member.node.watch(&member.live.target));
                // They are looked at only then, so that no change of a node is neither seen nor marked.
                fence(Ordering::SeqCst);
            }
        } else if standings.set_paced(is_paced) || all {
            standings.all_due();
        } else {
            standings.changed_due(marks, now);
            let met = asker.tried.iter().chain(asker.avoided);
            met.filter_map(|met| self.members.iter().position(|it| it.key == *met)).for_each(|it| standings.due(it));
        }
        self.update_trends(now, |index| standings.due(index));
        standings.look(|index| self.sight(index, asker, now, |sighting| report(index, sighting)));
    }

    #[inline]
    fn sight(&self, index: usize, asker: Asker<'_>, now: Instant, report: impl FnOnce(Sighting)) -> (View, Holds) {
        let member = &self.members[index];
        let applicant = Applicant::of(asker);
        let (refusal, is_down) =
            member.live.with_health(|health| (self.refusal_in_health(index, health, applicant, now), health.is_down()));
        let is_up = self.config.min_up_members > 0 && member.is_up(is_down);
        let (priority_group, ratio) = (member.config.priority_group, member.config.ratio);
        if let Some(Refusal { why, by }) = refusal {
            let view = View { standing: Standing::Refused(why), is_up, priority_group, ratio, ..View::default() };
            report(Sighting { view, candidate: None, by });
            return (view, self.refusal_holds(index, why, now));
        }
        let candidate = self.candidate(index, now);
        let known = member.live.suspicion();
        let is_suspect = known.is_some() || asker.avoided == Some(&member.key);
        let suspicion = self.suspicion_of(index, known, asker, now);
        let method = self.config.load_balancing_mode;
        let view = View {
            standing: if suspicion.is_some() { Standing::Suspect } else { Standing::Candidate },
            is_up,
            is_measured: !method.needs_measurements() || candidate.load.is_some(),
            priority_group,
            ratio,
            connections: methods::connections(method, &candidate),
            own: methods::own(method, &candidate),
            ramp: candidate.ramp,
        };
        let holds = match candidate.load {
            _ if is_suspect || candidate.ramp < 1.0 || self.room_depends_on_client(index, now) => Holds::Once,
            Some(load) => load.fresh_until().map_or(Holds::Once, Holds::Until),
            None => Holds::UntilMarked,
        };
        report(Sighting { view, candidate: Some(candidate), by: suspicion.map(DecidedBy::Suspicion) });
        (view, holds)
    }

    /// Returns for how long a refusal holds.
    fn refusal_holds(&self, index: usize, why: Refused, now: Instant) -> Holds {
        let member = &self.members[index];
        let until = |at: Option<Instant>| at.map_or(Holds::Once, Holds::Until);
        match why {
            Refused::Tried | Refused::SetupOfClient => Holds::Once,
            Refused::Setup | Refused::Limit if self.room_depends_on_client(index, now) => Holds::Once,
            Refused::NoThread => until(member.live.threads_in_use_until(now)),
            Refused::NodeRate => until(member.node.rate.next(member.config.node.rate_limit, now)),
            Refused::Rate => until(member.live.counts.rate.next(member.config.rate_limit, now)),
            Refused::Offline
            | Refused::Disabled
            | Refused::Drains
            | Refused::Down
            | Refused::Unresolved
            | Refused::Unavailable
            | Refused::Limit
            | Refused::NodeLimit
            | Refused::Suspect
            | Refused::Setup => Holds::UntilMarked,
        }
    }
}
