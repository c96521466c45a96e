//! The paths that rustls-webpki builds (`verify_cert.rs`): all ways up, anchors before what is shown, names compared by
//! their octets.

use super::outcome::{Outcome, Refusals};
use super::search::{self, Ways};
use super::situation::Situation;
use super::webpki_rules;
use crate::cert::Certificate;
use crate::lint::clients::Why;

pub(super) fn judge<'a>(situation: &Situation<'a>) -> Outcome<'a> {
    search::best(&AllWays(situation), situation.leaf)
}

struct AllWays<'s, 'a>(&'s Situation<'a>);

impl<'a> Ways<'a> for AllWays<'_, 'a> {
    const DEEPEST: usize = 12;

    fn anchored(&self, path: &[&'a Certificate]) -> Vec<Outcome<'a>> {
        let last = path[path.len() - 1];
        let anchors = self.0.anchors_above(last).filter(|it| it.is_usable_in_rustls()).map(|it| &it.certificate);
        let named = anchors.filter(|it| it.subject.der == last.issuer_name.der);
        named.map(|anchor| with_anchor(self.0, path, Some(anchor))).collect()
    }

    fn above(&self, path: &[&'a Certificate]) -> Vec<&'a Certificate> {
        let last = path[path.len() - 1];
        let loops = |it: &Certificate| path.iter().any(|on| on.key == it.key && on.subject.der == it.subject.der);
        let named = self.0.shown_above(last).filter(|it| it.subject.der == last.issuer_name.der);
        named.filter(|it| !loops(it)).collect()
    }

    fn unanchored(&self, path: Vec<&'a Certificate>) -> Outcome<'a> {
        unanchored(self.0, path)
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
