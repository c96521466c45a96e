//! The members that a choice is made among: those that may be chosen and whose priority group serves.

use super::refusal::Refused;
use super::row::{Row, Standing, View};
use super::standings::Standings;

/// The members that a choice is made among.
#[derive(Clone, Copy, Debug)]
pub(super) struct Serving<'a> {
    table: &'a Standings,
    pub rule: Rule,
}

/// Which members those are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Candidates, or suspects for want of those.
    standing: Standing,
    /// The lowest priority group that serves, where there are groups.
    pub lowest_group: Option<u32>,
}

impl Rule {
    pub(super) fn has(self, view: &View) -> bool {
        view.standing == self.standing && self.lowest_group.is_none_or(|lowest| view.priority_group >= lowest)
    }

    /// Returns whether suspects serve for want of others.
    pub(super) fn uses_suspects(self) -> bool {
        self.standing == Standing::Suspect
    }

    /// Returns why a member may not be chosen, if so.
    pub(super) fn refused(self, view: &View) -> Option<Refused> {
        match view.standing {
            Standing::Refused(why) => Some(why),
            Standing::Suspect if !self.uses_suspects() => Some(Refused::Suspect),
            Standing::Suspect | Standing::Candidate => None,
        }
    }
}

impl<'a> Serving<'a> {
    /// Returns the candidates, or else the suspects if the connection may not wait for others. Of those the highest
    /// priority groups serve that together have `min_active_members`; with 0 all do.
    pub(super) fn of(table: &'a Standings, min_active_members: u32, may_wait: impl FnOnce() -> bool) -> Self {
        let uses_suspects = table.candidates() == 0 && table.suspects() > 0 && !may_wait();
        let standing = if uses_suspects { Standing::Suspect } else { Standing::Candidate };
        let lowest_group = (min_active_members > 0).then(|| table.lowest_group(standing, min_active_members)).flatten();
        Self { table, rule: Rule { standing, lowest_group } }
    }

    /// Returns the rows, with their indexes in the pool.
    pub(super) fn rows(self) -> impl Iterator<Item = (usize, &'a Row)> {
        self.table.rows().iter().enumerate().filter(move |(_, row)| self.rule.has(&row.view))
    }

    pub(super) fn views(self) -> impl Iterator<Item = &'a View> {
        self.rows().map(|(_, row)| &row.view)
    }

    pub(super) fn view(self, index: usize) -> &'a View {
        &self.table.rows()[index].view
    }

    /// Returns whether there are candidates among them, so that no suspect serves.
    pub(super) fn has_candidates(self) -> bool {
        !self.rule.uses_suspects() && self.table.candidates() > 0
    }

    /// Returns those that may not be chosen, in the order of the pool.
    pub(super) fn refused(self) -> impl Iterator<Item = (usize, Refused)> {
        let rows = self.table.rows().iter().enumerate();
        rows.filter_map(move |(index, row)| Some((index, self.rule.refused(&row.view)?)))
    }

    /// Returns the first whose load is to be known and is not.
    pub(super) fn unmeasured(self) -> Option<usize> {
        self.rows().find(|(_, row)| !row.view.is_measured).map(|(index, _)| index)
    }
}
