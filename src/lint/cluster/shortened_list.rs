//! Long lists, shortened.

/// Returns the first few of a list, and how many more there are.
pub(super) fn first_few(items: impl IntoIterator<Item = String>) -> String {
    let mut items = items.into_iter();
    let mut text = items.by_ref().take(FEW).collect::<Vec<_>>().join(", ");
    let more = items.count();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

const FEW: usize = 4;
