//! The member that persistence names for a client: by a record, or by hashing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::asker::Asker;
use super::decision::Persisted;
use super::eligibility::Applicant;
use super::refusal::{DecidedBy, Refusal, Refused};
use super::serving::Serving;
use crate::model::profile::{Affinity, PersistenceKind};
use crate::pool::member::Suspicion;
use crate::pool::persistence::{RecordTarget, Sticky, rendezvous};
use crate::pool::pool::{Pool, PoolMember};

/// What one profile finds, for an explanation.
pub(super) enum Lookup<'a> {
    /// It has no record of the client.
    NoRecord,
    Record(&'a RecordTarget, RecordOutcome),
    /// Hashing prefers the member with this index in the pool.
    Hash(usize),
}

/// Where a record leads; members by their index in the pool.
pub(super) enum RecordOutcome {
    Usable(usize),
    Refused(usize, Refusal),
    /// The pool has no such member.
    Absent,
}

impl Pool {
    /// Asks the profiles in their order until one names a member that may be used, and passes on to `report` what each
    /// finds.
    pub(super) fn persisted(
        &self,
        asker: Asker<'_>,
        serving: Serving<'_>,
        reasons: &dyn Fn(usize) -> Option<DecidedBy>,
        now: Instant,
        report: &mut impl FnMut(&Sticky, Lookup<'_>),
    ) -> Option<Persisted> {
        asker.persistence.iter().find_map(|sticky| match sticky.profile.kind {
            PersistenceKind::SourceAddr(affinity) => {
                let records = sticky.records.as_ref();
                let Some(target) = records.and_then(|records| records.find(&sticky.profile, asker.client, now)) else {
                    report(sticky, Lookup::NoRecord);
                    return None;
                };
                let outcome = self.follow(asker, sticky, affinity, &target, (serving, reasons), now);
                let persisted = match outcome {
                    RecordOutcome::Usable(index) => Some(Persisted::Record(index)),
                    RecordOutcome::Refused(..) | RecordOutcome::Absent => None,
                };
                report(sticky, Lookup::Record(&target, outcome));
                persisted
            }
            PersistenceKind::Hash => {
                let index = self.hashed(asker, sticky, serving, now)?;
                report(sticky, Lookup::Hash(index));
                Some(Persisted::Hash(index))
            }
        })
    }

    /// Returns where a record leads. Each member is looked at once, so that what persistence finds fits what else is
    /// explained of it.
    fn follow(
        &self,
        asker: Asker<'_>,
        sticky: &Sticky,
        affinity: Affinity,
        target: &RecordTarget,
        (serving, reasons): (Serving<'_>, &dyn Fn(usize) -> Option<DecidedBy>),
        now: Instant,
    ) -> RecordOutcome {
        let Some(index) = self.index_of(affinity, target) else { return RecordOutcome::Absent };
        let refusal = match serving.rule.refused(serving.view(index)) {
            // It was looked at no further, and persistence may go there.
            Some(Refused::Disabled) => self.refusal(index, Applicant::of(asker).persistent(), now),
            refused => refused.map(|why| Refusal { why, by: reasons(index) }),
        };
        let waived = sticky.profile.override_connection_limit;
        match refusal.filter(|refusal| !(waived && refusal.why == Refused::Limit)) {
            Some(refusal) => RecordOutcome::Refused(index, refusal),
            None => match self.others_first(index, asker, serving, now) {
                Some(suspicion) => RecordOutcome::Refused(index, Refusal::suspect(suspicion)),
                None => RecordOutcome::Usable(index),
            },
        }
    }

    /// Returns why one of the candidates is tried before a member that persistence may use beside them, if so.
    fn others_first(
        &self,
        index: usize,
        asker: Asker<'_>,
        serving: Serving<'_>,
        now: Instant,
    ) -> Option<Arc<Suspicion>> {
        let suspicion = self.suspicion(index, asker, now)?;
        serving.has_candidates().then_some(suspicion)
    }

    /// Returns the index of a record's member in this pool, or of one that can replace it.
    fn index_of(&self, affinity: Affinity, target: &RecordTarget) -> Option<usize> {
        let same = || {
            let known = target.position.load(Ordering::Relaxed) as usize;
            let is_there = self.members.get(known).is_some_and(|member| member.key == target.member);
            if is_there { Some(known) } else { self.members.iter().position(|member| member.key == target.member) }
        };
        let of_node = |member: &PoolMember| member.key.node == target.member.node;
        let crosses = affinity.match_across_services || affinity.match_across_virtuals || affinity.match_across_pools;
        match () {
            () if target.pool == self.config.name => same(),
            () if crosses => same().or_else(|| self.members.iter().position(of_node)),
            () => None,
        }
    }

    /// Returns the member that fits the client best, of those that may be used (rendezvous hashing).
    fn hashed(&self, asker: Asker<'_>, sticky: &Sticky, serving: Serving<'_>, now: Instant) -> Option<usize> {
        let waived = sticky.profile.override_connection_limit;
        let refused = waived.then(|| serving.refused()).into_iter().flatten();
        let at_limit = refused.filter(|(_, why)| *why == Refused::Limit).map(|(index, _)| index);
        let at_limit = at_limit.filter(|index| self.others_first(*index, asker, serving, now).is_none());
        let all = serving.rows().map(|(index, _)| index).chain(at_limit);
        let fit = rendezvous::Fit::of(&sticky.profile, asker.client);
        fit.best(all.map(|index| (index, &self.members[index].key, serving.view(index).ratio)))
    }
}
