//! The search of all ways up, for verifiers that try one after the other.

use super::outcome::Outcome;
use crate::cert::Certificate;

/// How a verifier goes up.
pub(super) trait Ways<'a> {
    /// Certificates that a path may have.
    const DEEPEST: usize;

    /// Returns what becomes of a path below each anchor that suits its end.
    fn anchored(&self, path: &[&'a Certificate]) -> Vec<Outcome<'a>>;

    /// Returns the shown certificates that may follow a path's end.
    fn above(&self, path: &[&'a Certificate]) -> Vec<&'a Certificate>;

    /// Returns what becomes of a path that no anchor is above.
    fn unanchored(&self, path: Vec<&'a Certificate>) -> Outcome<'a>;
}

/// Returns the best of all paths from a server's certificate to an anchor, or else what becomes of the longest one.
pub(super) fn best<'a>(ways: &impl Ways<'a>, leaf: &'a Certificate) -> Outcome<'a> {
    let mut search = Search { found: Vec::new(), longest: vec![leaf], steps: MOST_STEPS };
    search.go_on(ways, &mut vec![leaf]);
    let Search { found, longest, .. } = search;
    Outcome::best(found).unwrap_or_else(|| ways.unanchored(longest))
}

struct Search<'a> {
    found: Vec<Outcome<'a>>,
    longest: Vec<&'a Certificate>,
    steps: usize,
}

impl<'a> Search<'a> {
    fn go_on<W: Ways<'a>>(&mut self, ways: &W, path: &mut Vec<&'a Certificate>) {
        // Names that are the same everywhere make very many ways up.
        if self.steps == 0 || path.len() > W::DEEPEST {
            return;
        }
        self.steps -= 1;
        if path.len() > self.longest.len() {
            self.longest.clone_from(path);
        }
        self.found.extend(ways.anchored(path));
        for above in ways.above(path) {
            path.push(above);
            self.go_on(ways, path);
            path.pop();
        }
    }
}

/// Certificates that are tried for a place of a path.
const MOST_STEPS: usize = 500;
