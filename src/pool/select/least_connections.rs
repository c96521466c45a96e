use super::Candidate;

/// The candidate with the fewest connections as `count` counts them; among equals the one chosen longest ago.
pub(super) fn pick(candidates: &[Candidate], count: impl Fn(&Candidate) -> u32) -> Option<usize> {
    (0..candidates.len()).min_by_key(|&at| (count(&candidates[at]), candidates[at].turn))
}
