//! The paths that Java builds (`PKIXValidator` and `SunCertPathBuilder`): what is shown in order is validated as it is
//! shown, and anything else is searched for a path that is valid.

use super::edition::Edition;
use super::java_rules;
use super::outcome::{Outcome, Refusals};
use super::reading::is_unreadable_anchor_in_java;
use super::search::{self, Ways};
use super::signatures::Checked;
use super::situation::Situation;
use crate::cert::Certificate;
use crate::lint::clients::Why;

pub(super) fn judge<'a>(situation: &Situation<'a>, edition: Edition) -> Outcome<'a> {
    if situation.trusts(situation.leaf) {
        // Nothing more is looked at than whether it can be read.
        let mut refusals = Refusals::default();
        java_rules::reading(situation.leaf, &mut refusals);
        for at in &situation.shown {
            java_rules::reading(at, &mut refusals);
        }
        java_rules::handshake(situation.leaf, edition, &mut refusals);
        return Outcome { path: vec![situation.leaf], refusals: refusals.0 };
    }
    let mut outcome = match in_order(situation) {
        Some(path) => validated(situation, path, edition),
        None => search::best(&AllWays { situation, edition }, situation.leaf),
    };
    let mut refusals = Refusals(std::mem::take(&mut outcome.refusals));
    refusals.add(situation.shown.len() >= MOST_SHOWN, Why::TooDeep, situation.leaf);
    // One certificate that cannot be read spoils all that are shown.
    for at in std::iter::once(situation.leaf).chain(situation.shown.iter().copied()) {
        java_rules::reading(at, &mut refusals);
    }
    java_rules::handshake(situation.leaf, edition, &mut refusals);
    outcome.refusals = refusals.0;
    outcome
}

/// Returns what is shown up to the first certificate whose name and key are trusted, if all of it is in order and leads
/// to a trusted name.
fn in_order<'a>(situation: &Situation<'a>) -> Option<Vec<&'a Certificate>> {
    let mut path = vec![situation.leaf];
    for &at in &situation.shown {
        let below = path[path.len() - 1];
        if !at.subject.is_same_in_java(&below.issuer_name) {
            return None;
        }
        if situation.trusts(at) || has_trusted_key(situation, at) {
            return Some(path);
        }
        path.push(at);
    }
    let last = path[path.len() - 1];
    let leads = named_above(situation, last).next().is_some();
    leads.then_some(path)
}

fn has_trusted_key(situation: &Situation<'_>, at: &Certificate) -> bool {
    let anchors = situation.anchors.named(&at.subject).iter();
    anchors.map(|it| &it.certificate).any(|it| it.subject.is_same_in_java(&at.subject) && it.key == at.key)
}

/// Validates a path up to whichever anchor suits it best.
fn validated<'a>(situation: &Situation<'a>, path: Vec<&'a Certificate>, edition: Edition) -> Outcome<'a> {
    let last = path[path.len() - 1];
    let anchors = named_above(situation, last).filter(|it| java_rules::names_key(last, it));
    let outcomes = anchors.map(|anchor| with_anchor(situation, &path, Some(anchor), edition)).collect();
    Outcome::unlucky(outcomes, java_rules::is_found_late).unwrap_or_else(|| unanchored(situation, path, edition))
}

/// All ways up.
struct AllWays<'s, 'a> {
    situation: &'s Situation<'a>,
    edition: Edition,
}

impl<'a> Ways<'a> for AllWays<'_, 'a> {
    const DEEPEST: usize = 20;

    fn anchored(&self, path: &[&'a Certificate]) -> Vec<Outcome<'a>> {
        let last = path[path.len() - 1];
        // Identifiers of keys are not looked at. From the second step on the dates of anchors are, since one selector
        // serves them and what is shown; those of version 1 have to outlast what they signed.
        let suits = |anchor: &&Certificate| {
            let outlasts = anchor.not_before <= last.not_before && last.not_after <= anchor.not_after;
            (path.len() == 1 || self.situation.is_in_date(anchor)) && (anchor.version == 3 || outlasts)
        };
        let anchors = named_above(self.situation, last).filter(suits);
        anchors.map(|anchor| with_anchor(self.situation, path, Some(anchor), self.edition)).collect()
    }

    fn above(&self, path: &[&'a Certificate]) -> Vec<&'a Certificate> {
        let last = path[path.len() - 1];
        let named = self.situation.shown_above(last).filter(|it| last.issuer_name.is_same_in_java(&it.subject));
        named.filter(|it| !path.iter().any(|on| on.der == it.der)).collect()
    }

    fn unanchored(&self, path: Vec<&'a Certificate>) -> Outcome<'a> {
        unanchored(self.situation, path, self.edition)
    }
}

/// Returns the anchors whose name a certificate names, and that can be read at all.
fn named_above<'a>(situation: &Situation<'a>, last: &'a Certificate) -> impl Iterator<Item = &'a Certificate> {
    let named = situation.anchors_above(last).map(|it| &it.certificate);
    named.filter(move |it| last.issuer_name.is_same_in_java(&it.subject) && !is_unreadable_anchor_in_java(it))
}

fn with_anchor<'a>(
    situation: &Situation<'a>,
    path: &[&'a Certificate],
    anchor: Option<&'a Certificate>,
    edition: Edition,
) -> Outcome<'a> {
    let mut refusals = Refusals::default();
    java_rules::judge(situation, path, anchor, edition, &mut refusals);
    Outcome { path: path.iter().copied().chain(anchor).collect(), refusals: refusals.0 }
}

fn unanchored<'a>(situation: &Situation<'a>, mut path: Vec<&'a Certificate>, edition: Edition) -> Outcome<'a> {
    let last = path[path.len() - 1];
    if situation.trusts_any {
        // What ends the path stands for what is trusted.
        let anchor = if path.len() > 1 && last.is_self_issued() { path.pop() } else { None };
        return with_anchor(situation, &path, anchor, edition);
    }
    let mut outcome = with_anchor(situation, &path, None, edition);
    let mut refusals = Refusals(std::mem::take(&mut outcome.refusals));
    let mut named = situation.anchors_above(last).map(|it| &it.certificate);
    match named.find(|it| is_unreadable_anchor_in_java(it)) {
        Some(anchor) => refusals.add(true, Why::Unreadable, anchor),
        None => refusals.add(true, why_untrusted(situation, last), last),
    }
    outcome.refusals = refusals.0;
    outcome
}

fn why_untrusted(situation: &Situation<'_>, last: &Certificate) -> Why {
    let anchors = || situation.anchors_above(last).map(|it| &it.certificate);
    // One with another key is another authority of the same name.
    let signed = |it: &Certificate| situation.check(last, it) != Checked::Bad;
    let candidates = || anchors().chain(situation.shown_above(last));
    if candidates().any(|it| !last.issuer_name.is_same_in_java(&it.subject) && signed(it)) {
        Why::NameWrittenOtherwise
    } else if !last.is_self_issued() && anchors().any(|it| !java_rules::names_key(last, it) && signed(it)) {
        Why::OtherAuthorityKey
    } else if !last.is_self_issued() && anchors().any(|it| !situation.is_in_date(it)) {
        Why::Expired
    } else {
        Why::Untrusted
    }
}

/// `jdk.tls.maxCertificateChainLength`
const MOST_SHOWN: usize = 10;
