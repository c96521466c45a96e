//! Weighted round robin: members take turns, some more than others. Round robin and the methods by ratio go by it.

use std::cmp::Reverse;

use crate::pool::select::row::Row;

/// Returns the position of the row whose turn it is. Turns are in proportion to the weights and spread evenly: each row
/// earns its weight, the richest is chosen and pays what all have earned. Where all weigh the same and nobody ramps up,
/// this is plain round robin. A member that was away takes no turns that it missed.
pub(super) fn pick<'a>(serving: impl Iterator<Item = (usize, &'a Row)>, share: impl Fn(&Row) -> i64) -> Option<usize> {
    let mut richest: Option<((i64, Reverse<u64>), usize)> = None;
    for (index, row) in serving {
        // Of those whose credit is the same, the one that waits longest goes first, and then the first in the file's
        // order.
        let wealth = (row.credit + share(row), Reverse(row.turn));
        if richest.is_none_or(|(most, _)| wealth > most) {
            richest = Some((wealth, index));
        }
    }
    richest.map(|(_, index)| index)
}

/// Counts the turn that the chosen row takes, by the method or past it, as persistence does.
pub(super) fn charge(rows: &mut [Row], serves: impl Fn(&Row) -> bool, share: impl Fn(&Row) -> i64, chosen: usize) {
    let mut earned = 0;
    for row in rows.iter_mut().filter(|row| serves(row)) {
        let share = share(row);
        row.credit += share;
        earned += share;
    }
    if let Some(chosen) = rows.get_mut(chosen) {
        chosen.credit -= earned;
    }
}
