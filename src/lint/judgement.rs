//! What every verifier makes of one subject's chain.

use std::cell::RefCell;

use super::Subject;
use super::clients::path::Situation;
use super::clients::{Client, Outcome, Refusal, Verifier, Why};
use super::known_authorities::KnownAuthorities;
use crate::cert::Certificate;

/// What every verifier makes of a chain.
pub(super) struct Judgement<'a> {
    outcomes: Vec<(Verifier, Outcome<'a>)>,
    /// No path leads to an anchor and nobody has named any, so the end of the chain is taken for trusted.
    pub(super) trust_is_assumed: bool,
}

impl<'a> Judgement<'a> {
    pub(super) fn of(subject: &'a Subject, known: &'a KnownAuthorities<'_>) -> Self {
        Self::at(subject, known, known.now)
    }

    /// Judges as of a time, in seconds since 1970.
    pub(super) fn at(subject: &'a Subject, known: &'a KnownAuthorities<'_>, now: i64) -> Self {
        let anchors = known.anchors(subject);
        let leaf = subject.leaf();
        let others = subject.chain().iter().map(|at| &*at.certificate);
        let mut situation = Situation {
            leaf,
            shown: others.filter(|it| !std::ptr::eq(*it, leaf)).collect(),
            anchors,
            trusts_any: false,
            signatures: &known.signatures,
            checked: RefCell::default(),
            now,
        };
        let all = |situation: &Situation<'a>| -> Vec<_> {
            let outcomes = Verifier::ALL.iter().map(|verifier| (*verifier, verifier.judge(situation)));
            outcomes.map(|(verifier, outcome)| (verifier, with_key(subject, outcome))).collect()
        };
        let outcomes = all(&situation);
        let leads_nowhere = |outcome: &Outcome<'_>| outcome.refusals.iter().any(|it| it.why == Why::Untrusted);
        if !anchors.given && outcomes.iter().all(|(_, outcome)| leads_nowhere(outcome)) {
            situation.trusts_any = true;
            complete(&mut situation, known);
            return Self { outcomes: all(&situation), trust_is_assumed: true };
        }
        Self { outcomes, trust_is_assumed: false }
    }

    /// Returns what a client's verifier makes of the chain.
    pub(super) fn outcome(&self, client: Client) -> Option<&Outcome<'a>> {
        let (_, outcome) = self.outcomes.iter().find(|(verifier, _)| *verifier == client.verifier())?;
        Some(outcome)
    }

    /// Returns every broken rule, with the verifier that minds.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (Verifier, Refusal<'a>)> {
        let of = |(verifier, outcome): &(Verifier, Outcome<'a>)| {
            let verifier = *verifier;
            outcome.refusals.clone().into_iter().map(move |refusal| (verifier, refusal))
        };
        self.outcomes.iter().flat_map(of)
    }

    /// Returns the paths, of every verifier.
    pub(super) fn paths(&self) -> impl Iterator<Item = &[&'a Certificate]> {
        self.outcomes.iter().map(|(_, outcome)| outcome.path.as_slice())
    }
}

/// Adds that the server does not have the key of what it shows first, so that no handshake succeeds.
fn with_key<'a>(subject: &'a Subject, mut outcome: Outcome<'a>) -> Outcome<'a> {
    if !subject.has_key_of_first() {
        outcome.refusals.insert(0, Refusal { why: Why::ForeignKey, at: subject.leaf() });
    }
    outcome
}

/// Adds the authorities among all subjects that lead on from what is shown.
fn complete<'a>(situation: &mut Situation<'a>, known: &'a KnownAuthorities<'_>) {
    let mut next = 0;
    let mut last = Some(situation.leaf);
    while let Some(certificate) = last {
        if let Some(issuer) = known.issuer_of(certificate).filter(|_| !certificate.is_self_issued())
            && !situation.shown.iter().any(|it| it.der == issuer.der)
        {
            situation.shown.push(issuer);
        }
        last = situation.shown.get(next).copied();
        next += 1;
    }
}
