use super::Candidate;

/// The candidate that was chosen longest ago. A member that comes back takes one turn, not those that it missed.
pub(super) fn pick(candidates: &[Candidate]) -> Option<usize> {
    (0..candidates.len()).min_by_key(|&at| candidates[at].turn)
}
