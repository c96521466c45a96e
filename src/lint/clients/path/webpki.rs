//! The paths that rustls-webpki builds (`verify_cert.rs`): all ways up, anchors before what is shown, names compared by
//! their octets.

use super::outcome::{Outcome, Refusals};
use super::situation::Situation;
use super::webpki_rules;
use crate::cert::Certificate;
use crate::lint::clients::Why;

pub(super) fn judge<'a>(situation: &Situation<'a>) -> Outcome<'a> {
    let (mut found, mut longest, mut steps) = (Vec::new(), vec![situation.leaf], MOST_STEPS);
    search(situation, &mut vec![situation.leaf], &mut found, &mut longest, &mut steps);
    Outcome::best(found).unwrap_or_else(|| unanchored(situation, longest))
}

fn search<'a>(
    situation: &Situation<'a>,
    path: &mut Vec<&'a Certificate>,
    found: &mut Vec<Outcome<'a>>,
    longest: &mut Vec<&'a Certificate>,
    steps: &mut usize,
) {
    // Names that are the same everywhere make very many ways up.
    if *steps == 0 || path.len() > DEEPEST {
        return;
    }
    *steps -= 1;
    if path.len() > longest.len() {
        longest.clone_from(path);
    }
    let last = path[path.len() - 1];
    let anchors = situation.anchors_above(last).filter(|it| it.is_usable_in_rustls());
    let anchors = anchors.map(|it| &it.certificate).filter(|it| it.subject.der == last.issuer_name.der);
    found.extend(anchors.map(|anchor| with_anchor(situation, path, Some(anchor))));
    for above in situation.shown_above(last) {
        let loops = path.iter().any(|on| on.key == above.key && on.subject.der == above.subject.der);
        if above.subject.der == last.issuer_name.der && !loops {
            path.push(above);
            search(situation, path, found, longest, steps);
            path.pop();
        }
    }
}

fn with_anchor<'a>(
    situation: &Situation<'a>,
    path: &[&'a Certificate],
    anchor: Option<&'a Certificate>,
) -> Outcome<'a> {
    let mut refusals = Refusals::default();
    webpki_rules::judge(situation, path, anchor, &mut refusals);
    Outcome { path: path.iter().copied().chain(anchor).collect(), refusals: refusals.0 }
}

fn unanchored<'a>(situation: &Situation<'a>, mut path: Vec<&'a Certificate>) -> Outcome<'a> {
    let last = path[path.len() - 1];
    if situation.trusts_any {
        // What ends the path stands for what is trusted.
        let anchor = if path.len() > 1 && last.is_self_issued() { path.pop() } else { None };
        return with_anchor(situation, &path, anchor);
    }
    let mut outcome = with_anchor(situation, &path, None);
    let mut refusals = Refusals(std::mem::take(&mut outcome.refusals));
    let named = |it: &Certificate| it.subject.der == last.issuer_name.der;
    let why = match situation.anchors_above(last).any(|it| it.is_usable_in_rustls() && !named(&it.certificate))
        || situation.shown_above(last).any(|it| !named(it))
    {
        true => Why::NameWrittenOtherwise,
        false if situation.anchors_above(last).any(|it| !it.is_usable_in_rustls()) => Why::AnchorUnusable,
        false => Why::Untrusted,
    };
    refusals.add(true, why, last);
    outcome.refusals = refusals.0;
    outcome
}

/// Certificates that are tried for a place of a path.
const MOST_STEPS: usize = 500;
const DEEPEST: usize = 12;
