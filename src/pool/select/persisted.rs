//! What persistence says of a client.

use std::time::Instant;

use super::{Asker, Candidate, Persisted, Pool, PoolMember, Refusal, Refused};
use crate::model::profile::{Affinity, PersistenceKind};
use crate::pool::persistence::{Place, Sticky, score};

/// What one profile has to say, for those who explain.
pub(super) enum Said<'a> {
    /// It has no record of the client.
    NoRecord,
    Record(&'a Place, Recorded),
    /// Hashing prefers the member at this place in the pool.
    Hash(usize),
}

/// Where a record leads, members by their places in the pool.
pub(super) enum Recorded {
    Usable(usize),
    Refused(usize, Refusal),
    /// The pool has no such member.
    Absent,
}

impl Pool {
    /// Asks the profiles in their order until one names a member that may be used, and tells `said` what each has to
    /// say.
    pub(super) fn persisted(
        &self,
        asker: Asker<'_>,
        candidates: &[Candidate],
        refused: &[(usize, Refusal)],
        now: Instant,
        said: &mut impl FnMut(&Sticky, Said<'_>),
    ) -> Option<Persisted> {
        asker.persistence.iter().find_map(|sticky| match sticky.profile.kind {
            PersistenceKind::SourceAddr(affinity) => {
                let records = sticky.records.as_ref();
                let Some(place) = records.and_then(|records| records.find(&sticky.profile, asker.client, now)) else {
                    said(sticky, Said::NoRecord);
                    return None;
                };
                let recorded = self.recorded(asker, sticky, affinity, &place, refused, now);
                let persisted = match recorded {
                    Recorded::Usable(index) => Some(Persisted::Record(index)),
                    Recorded::Refused(..) | Recorded::Absent => None,
                };
                said(sticky, Said::Record(&place, recorded));
                persisted
            }
            PersistenceKind::Hash => {
                let index = self.hashed(asker, sticky, candidates, refused)?;
                said(sticky, Said::Hash(index));
                Some(Persisted::Hash(index))
            }
        })
    }

    /// Where a record leads. Each member is judged once, so that what persistence finds fits what else is told of it.
    fn recorded(
        &self,
        asker: Asker<'_>,
        sticky: &Sticky,
        affinity: Affinity,
        place: &Place,
        refused: &[(usize, Refusal)],
        now: Instant,
    ) -> Recorded {
        let Some(index) = self.place_of(affinity, place) else { return Recorded::Absent };
        let refusal = match refused.binary_search_by_key(&index, |(index, _)| *index) {
            Err(_) => None,
            // It was looked at no further, and persistence may go there.
            Ok(at) if refused[at].1.why == Refused::Disabled => self.refusal(index, asker.tried, true, now),
            Ok(at) => Some(refused[at].1.clone()),
        };
        match refusal {
            Some(Refusal { why: Refused::Limit, .. }) if sticky.profile.override_connection_limit => {
                Recorded::Usable(index)
            }
            Some(refusal) => Recorded::Refused(index, refusal),
            None => Recorded::Usable(index),
        }
    }

    /// Where in this pool the member of a record is, or one that may serve in its stead.
    fn place_of(&self, affinity: Affinity, place: &Place) -> Option<usize> {
        let same = || self.members.iter().position(|member| member.key == place.member);
        let of_node = |member: &PoolMember| member.key.node == place.member.node;
        let crosses = affinity.match_across_services || affinity.match_across_virtuals || affinity.match_across_pools;
        match () {
            () if place.pool == self.config.name => same(),
            () if crosses => same().or_else(|| self.members.iter().position(of_node)),
            () => None,
        }
    }

    /// The member that fits the client best, of those that may be used.
    fn hashed(
        &self,
        asker: Asker<'_>,
        sticky: &Sticky,
        candidates: &[Candidate],
        refused: &[(usize, Refusal)],
    ) -> Option<usize> {
        let waived = sticky.profile.override_connection_limit;
        let at_limit = refused.iter().filter(|(_, refusal)| waived && refusal.why == Refused::Limit);
        let score = |index: &usize| {
            let member = &self.members[*index];
            score(&sticky.profile, asker.client, &member.key, member.config.ratio)
        };
        let all = candidates.iter().map(|candidate| candidate.index).chain(at_limit.map(|(index, _)| *index));
        all.max_by(|one, other| score(one).total_cmp(&score(other)))
    }
}
