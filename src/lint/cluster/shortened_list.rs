//! Long lists, shortened.

use crate::words::first_of;

/// Returns the first few of a list, and how many more there are.
pub(super) fn first_few(items: impl IntoIterator<Item = String>) -> String {
    first_of(items, FEW)
}

const FEW: usize = 4;
