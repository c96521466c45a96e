use super::Candidate;

/// Weighted turns, spread evenly: each candidate earns its ratio, the richest is chosen and pays what all earned.
pub(super) fn pick(candidates: &mut [Candidate]) -> Option<usize> {
    let earned: i64 = candidates.iter().map(|candidate| i64::from(candidate.ratio)).sum();
    for candidate in candidates.iter_mut() {
        candidate.credit += i64::from(candidate.ratio);
    }
    // `max_by_key` prefers the last of equals; the file's order says the first.
    let richest = (0..candidates.len()).rev().max_by_key(|&at| candidates[at].credit)?;
    candidates[richest].credit -= earned;
    Some(richest)
}
