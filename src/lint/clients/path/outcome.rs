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
