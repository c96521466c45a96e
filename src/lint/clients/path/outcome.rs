//! A path, and what a verifier minds about it.

use crate::cert::Certificate;
use crate::lint::clients::Why;

/// A rule that a path breaks.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    pub why: Why,
    /// The certificate that breaks it.
    pub at: &'a Certificate,
}

/// The path that a verifier takes, and every rule that it breaks: none where the verifier accepts it.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The server's own certificate, then the issuer of each; the last is the trusted one, if any is.
    pub path: Vec<&'a Certificate>,
    pub refusals: Vec<Refusal<'a>>,
}

impl<'a> Outcome<'a> {
    /// Returns the path with the fewest broken rules, for verifiers that try one after the other.
    pub(super) fn best(outcomes: Vec<Self>) -> Option<Self> {
        outcomes.into_iter().min_by_key(|it| it.refusals.len())
    }

    /// Returns the path that a verifier takes if luck is against it: it tries anchors in any order, and some rules are
    /// `late`, so that no other anchor is tried after them.
    pub(super) fn unlucky(outcomes: Vec<Self>, late: fn(Why) -> bool) -> Option<Self> {
        let at_anchor =
            |it: &Self, refusal: &Refusal<'_>| it.path.last().is_some_and(|last| std::ptr::eq(*last, refusal.at));
        let is_late = |it: &Self| it.refusals.iter().all(|refusal| late(refusal.why) && at_anchor(it, refusal));
        outcomes.into_iter().min_by_key(|it| match it.refusals.len() {
            0 => 1,
            _ if is_late(it) => 0,
            some => 1 + some,
        })
    }
}

/// Collects broken rules.
#[derive(Debug, Default)]
pub(super) struct Refusals<'a>(pub(super) Vec<Refusal<'a>>);

impl<'a> Refusals<'a> {
    pub(super) fn add(&mut self, breaks: bool, why: Why, at: &'a Certificate) {
        if breaks && !self.0.iter().any(|it| it.why == why && std::ptr::eq(it.at, at)) {
            self.0.push(Refusal { why, at });
        }
    }
}
