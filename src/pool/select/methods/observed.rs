//! Observed: members with fewer connections than the average take three turns to two of the others.

use crate::pool::select::row::{View, share};

/// The average of the connections of all that serve.
#[derive(Clone, Copy, Debug)]
pub(in crate::pool::select) struct Average {
    all: u64,
    count: u64,
}

impl Average {
    pub(super) fn of<'a>(serving: impl Iterator<Item = &'a View>) -> Self {
        serving.fold(Self { all: 0, count: 0 }, |Self { all, count }, view| Self {
            all: all + u64::from(view.connections),
            count: count + 1,
        })
    }

    pub(super) fn weight(self, view: &View) -> f64 {
        if self.is_above(view) { 3.0 } else { 2.0 }
    }

    /// Returns what a member earns with each turn.
    pub(super) fn share(self, view: &View) -> i64 {
        // Most do not ramp up, and this is asked of all of them for each choice.
        match () {
            () if view.ramp < 1.0 => share(self.weight(view) * view.ramp),
            () if self.is_above(view) => share(3.0),
            () => share(2.0),
        }
    }

    /// Returns whether the average is above what a member has.
    fn is_above(self, view: &View) -> bool {
        u64::from(view.connections) * self.count < self.all
    }
}
