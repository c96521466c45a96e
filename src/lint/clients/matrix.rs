//! A table: which client accepts which certificate for which name.

use std::ptr;

use rayon::prelude::*;

use super::{Client, Verdict, Why};
use crate::lint::judgement::Judgement;
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::{Linter, Subject};
use crate::model::Host;

/// Which clients accept which certificate for which front-end name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    pub rows: Vec<Row>,
    /// Some chain leads to no known authority and nobody has named any, so that its end is taken for trusted.
    pub assumes_trust: bool,
}

/// One certificate and one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The file or address, with the certificate's position where it is not alone there.
    pub source: String,
    /// The certificate's subject.
    pub subject: String,
    pub host: Host,
    /// Of every client, in the order of [`Client::ALL`].
    pub verdicts: Vec<(Client, Verdict)>,
}

impl Matrix {
    /// Judges every chain that clients may see, for every front-end name of its role.
    pub fn of(linter: &Linter, subjects: &[Subject]) -> Self {
        let known = KnownAuthorities::of(&linter.trust, &linter.revocation_lists, subjects, linter.now);
        let shown = subjects.par_iter().filter(|subject| subject.is_shown_to_clients());
        let judged: Vec<_> = shown.map(|subject| rows(subject, &known)).collect();
        let assumes_trust = judged.iter().any(|(_, assumes)| *assumes);
        Self { rows: judged.into_iter().flat_map(|(rows, _)| rows).collect(), assumes_trust }
    }
}

/// Returns the rows of a chain, and whether its end is taken for trusted.
fn rows(subject: &Subject, known: &KnownAuthorities<'_>) -> (Vec<Row>, bool) {
    let judgement = Judgement::of(subject, known);
    let leaf = subject.leaf();
    let located = subject.chain().iter().find(|located| ptr::eq(&raw const *located.certificate, leaf));
    let source = located.map_or_else(|| subject.source(), |located| located.origin.to_string());
    let verdict = |client: Client, host: &Host| {
        let outcome = judgement.outcome(client);
        outcome.map_or_else(|| Verdict::refuses(Why::Untrusted), |outcome| client.judge(outcome, host))
    };
    let row = |host: &Host| Row {
        source: source.clone(),
        subject: leaf.title(),
        host: host.clone(),
        verdicts: Client::ALL.iter().map(|client| (*client, verdict(*client, host))).collect(),
    };
    (subject.role.front_ends.iter().map(row).collect(), judgement.trust_is_assumed)
}
