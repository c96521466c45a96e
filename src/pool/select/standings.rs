//! The table that choices are made from: what every member was when it was last looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::refusal::Refused;
use super::row::{Holds, Row, Standing, View, share};
use crate::pool::marks::Marks;
use crate::pool::member::LiveMember;

/// The table that choices are made from, under the turnstile's lock. Only what may have changed is looked at again, so
/// that a choice costs little more than a walk along the rows. It has the members of one configuration, in their order.
#[derive(Debug, Default)]
pub(in crate::pool) struct Standings {
    members: Arc<[Arc<LiveMember>]>,
    rows: Vec<Row>,
    tally: Tally,
    /// Whether changes are marked. A few members are rather looked at each time.
    is_marked: bool,
    /// Whether members were spared when they were last looked at (`pacing`).
    is_paced: bool,
    /// Until when each row holds if nothing marks it, and a moment that is not after the first of those.
    deadlines: Vec<Option<Instant>>,
    first_deadline: Option<Instant>,
    /// The rows that held for one choice.
    unsettled: Vec<u32>,
    /// The rows to look at; empty between choices.
    due: Vec<u32>,
}

/// How many rows have which standing.
#[derive(Debug, Default)]
struct Tally {
    candidates: u32,
    suspects: u32,
    refused: [u32; Refused::ALL.len()],
    up: u32,
    /// Candidates and suspects by priority group.
    groups: BTreeMap<u32, [u32; 2]>,
}

impl Standings {
    pub(super) fn is_of(&self, members: &Arc<[Arc<LiveMember>]>) -> bool {
        Arc::ptr_eq(&self.members, members)
    }

    /// Begins anew with the members of another configuration, all of them to be looked at. What choices remember of a
    /// member goes with it.
    pub(super) fn begin(&mut self, members: &Arc<[Arc<LiveMember>]>, marks: &Marks, records_matter: bool) {
        for (member, row) in self.members.iter().zip(&self.rows) {
            member.turns.last.store(row.turn, Ordering::Relaxed);
            member.turns.credit.store(row.credit, Ordering::Relaxed);
        }
        let is_marked = members.len() > FEW;
        let marked = members.iter().filter(|_| is_marked).map(|member| &member.target.position);
        marks.restart(marked, records_matter);
        let row = |member: &Arc<LiveMember>| Row {
            turn: member.turns.last.load(Ordering::Relaxed),
            credit: member.turns.credit.load(Ordering::Relaxed),
            ..Row::default()
        };
        let rows: Vec<_> = members.iter().map(row).collect();
        let mut tally = Tally::default();
        rows.iter().for_each(|row| tally.count(&row.view, 1));
        *self = Self {
            members: Arc::clone(members),
            rows,
            tally,
            is_marked,
            deadlines: vec![None; members.len()],
            ..Self::default()
        };
        self.all_due();
    }

    pub(super) fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Notes whether members are spared from here on, on which refusals depend. Returns whether that has changed.
    pub(super) fn set_paced(&mut self, is_paced: bool) -> bool {
        std::mem::replace(&mut self.is_paced, is_paced) != is_paced
    }

    /// Lets all rows be looked at.
    pub(super) fn all_due(&mut self) {
        self.unsettled.clear();
        self.due.clear();
        self.due.extend(0..self.rows.len() as u32);
    }

    /// Lets a row be looked at.
    pub(super) fn due(&mut self, index: usize) {
        self.due.push(index as u32);
    }

    /// Lets those rows be looked at that need not be what they were.
    pub(super) fn changed_due(&mut self, marks: &Marks, now: Instant) {
        if !self.is_marked {
            return self.all_due();
        }
        marks.take(&mut self.due);
        self.due.append(&mut self.unsettled);
        if self.first_deadline.is_some_and(|first| first <= now) {
            let passed = |at: &Option<Instant>| at.is_some_and(|at| at <= now);
            self.due.extend((0..).zip(&self.deadlines).filter(|(_, at)| passed(at)).map(|(index, _)| index));
            self.first_deadline = self.deadlines.iter().flatten().filter(|at| **at > now).min().copied();
        }
    }

    /// Looks at those rows that are due.
    pub(super) fn look(&mut self, mut look: impl FnMut(usize) -> (View, Holds)) {
        let due = std::mem::take(&mut self.due);
        for index in due.iter().map(|index| *index as usize) {
            let (view, holds) = look(index);
            let row = &mut self.rows[index];
            row.share = share(view.own * view.ramp);
            let before = std::mem::replace(&mut row.view, view);
            if !before.counts_like(&view) {
                self.tally.count(&before, -1);
                self.tally.count(&view, 1);
            }
            if !self.is_marked {
                continue;
            }
            self.deadlines[index] = None;
            match holds {
                Holds::UntilMarked => {}
                Holds::Until(at) => {
                    self.deadlines[index] = Some(at);
                    self.first_deadline = Some(self.first_deadline.map_or(at, |first| first.min(at)));
                }
                Holds::Once => self.unsettled.push(index as u32),
            }
        }
        self.due = due;
        self.due.clear();
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.rows
    }

    pub(super) fn candidates(&self) -> u32 {
        self.tally.candidates
    }

    pub(super) fn suspects(&self) -> u32 {
        self.tally.suspects
    }

    /// Returns how many count for `min-up-members`.
    pub(super) fn up(&self) -> u32 {
        self.tally.up
    }

    /// Returns for which reasons members are refused.
    pub(super) fn refusals(&self) -> impl Iterator<Item = Refused> {
        Refused::ALL.into_iter().filter(|why| self.tally.refused[*why as usize] > 0)
    }

    /// Returns the lowest of the highest priority groups that together have so many members of this standing, or of
    /// all groups that have any.
    pub(super) fn lowest_group(&self, standing: Standing, least: u32) -> Option<u32> {
        let of_standing = usize::from(standing == Standing::Suspect);
        let mut active = 0;
        let mut lowest = None;
        for (group, counts) in self.tally.groups.iter().rev().filter(|(_, counts)| counts[of_standing] > 0) {
            lowest = Some(*group);
            active += counts[of_standing];
            // The group of the last member that is needed serves as a whole.
            if active >= least {
                break;
            }
        }
        lowest
    }
}

impl Tally {
    fn count(&mut self, view: &View, change: i32) {
        let add = |count: &mut u32| *count = count.saturating_add_signed(change);
        if view.is_up {
            add(&mut self.up);
        }
        let of_standing = match view.standing {
            Standing::Candidate => {
                add(&mut self.candidates);
                0
            }
            Standing::Suspect => {
                add(&mut self.suspects);
                1
            }
            Standing::Refused(why) => return add(&mut self.refused[why as usize]),
        };
        add(&mut self.groups.entry(view.priority_group).or_default()[of_standing]);
    }
}

/// So many members are looked at for each choice. It takes no longer than marking them, and nobody else has to.
const FEW: usize = if cfg!(test) { 3 } else { 64 };
