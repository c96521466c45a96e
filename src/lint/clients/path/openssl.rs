//! The path that OpenSSL builds: one, step by step, trusted issuers before shown ones (`build_chain` in x509_vfy.c).

use super::facts;
use super::openssl_issued::{Flags, is_issued, is_self_signed};
use super::openssl_rules;
use super::outcome::{Outcome, Refusals};
use super::reading::{is_invalid_in_openssl, is_unparseable_in_openssl};
use super::signatures::Checked;
use super::situation::Situation;
use crate::cert::Certificate;
use crate::lint::clients::Why;

pub(super) fn judge<'a>(situation: &Situation<'a>, flags: Flags) -> Outcome<'a> {
    let built = Builder { situation, flags, chain: vec![situation.leaf], shown: 1 }.build();
    let mut refusals = Refusals::default();
    if !built.is_trusted && !situation.trusts_any {
        let top = built.chain.last().copied().unwrap_or(situation.leaf);
        let (why, at) =
            if built.shown < built.chain.len() { (Why::AnchorIsNoRoot, top) } else { why_untrusted(situation, top) };
        refusals.add(true, why, at);
    }
    for at in std::iter::once(situation.leaf).chain(situation.shown.iter().copied()) {
        refusals.add(is_unparseable_in_openssl(at), Why::Unreadable, at);
    }
    openssl_rules::judge(situation, &built.chain, flags, &mut refusals);
    Outcome { path: built.chain, refusals: refusals.0 }
}

/// Returns why no trusted issuer was found, and the certificate that is to blame.
fn why_untrusted<'a>(situation: &Situation<'a>, top: &'a Certificate) -> (Why, &'a Certificate) {
    let near = situation.anchors_above(top).map(|it| &it.certificate).chain(situation.shown_above(top));
    let (above, otherwise): (Vec<_>, Vec<_>) = near.partition(|it| top.issuer_name.folds_as(&it.subject));
    let is_unreadable = |it: &&Certificate| is_invalid_in_openssl(it) || facts::names_other_algorithm(it);
    let unreadable = std::iter::once(top).chain(above.iter().copied()).find(is_unreadable);
    // One with another key is another authority of the same name.
    let signed = |it: &&Certificate| situation.check(top, it) != Checked::Bad;
    let contradicts = above.iter().any(signed) && above.iter().all(|it| !top.authority_key_fits(it));
    match unreadable {
        Some(at) => (Why::Unreadable, at),
        None if contradicts && !is_self_signed(top) => (Why::OtherAuthorityKey, top),
        None if above.is_empty() && otherwise.iter().any(signed) => (Why::NameWrittenOtherwise, top),
        None => (Why::Untrusted, top),
    }
}

struct Built<'a> {
    chain: Vec<&'a Certificate>,
    /// How many of the chain are not from the trusted ones.
    shown: usize,
    is_trusted: bool,
}

struct Builder<'s, 'a> {
    situation: &'s Situation<'a>,
    flags: Flags,
    chain: Vec<&'a Certificate>,
    shown: usize,
}

impl<'a> Builder<'_, 'a> {
    fn build(mut self) -> Built<'a> {
        let mut search_shown = true;
        loop {
            let current = self.chain[self.chain.len() - 1];
            let issuer = (self.chain.len() <= DEEPEST).then(|| self.trusted_issuer(current)).flatten();
            if let Some(issuer) = issuer {
                let ends = is_self_signed(current);
                // A self-signed certificate that is shown has to be the trusted one, and not one like it.
                let fits = !ends || self.shown < self.chain.len() || current.der == issuer.der;
                if !ends {
                    self.chain.push(issuer);
                } else if fits && self.shown == self.chain.len() {
                    self.shown -= 1;
                    let last = self.chain.len() - 1;
                    self.chain[last] = issuer;
                }
                if fits {
                    search_shown = false;
                    if self.is_trusted() {
                        return self.done(true);
                    }
                    if !ends && !is_self_signed(issuer) {
                        continue;
                    }
                }
            }
            if !search_shown {
                break;
            }
            match self.shown_issuer(self.chain[self.chain.len() - 1]) {
                Some(issuer) => {
                    self.chain.push(issuer);
                    self.shown += 1;
                }
                None => search_shown = false,
            }
        }
        let trusted = self.shown == self.chain.len() && self.is_trusted();
        self.done(trusted)
    }

    fn done(self, is_trusted: bool) -> Built<'a> {
        Built { chain: self.chain, shown: self.shown, is_trusted }
    }

    /// Returns whether the trusted part of the chain is enough (`check_trust`).
    fn is_trusted(&mut self) -> bool {
        let trusted = &self.chain[self.shown..];
        if trusted.iter().any(|it| is_self_signed(it)) {
            return true;
        }
        match (self.flags.partial, trusted.is_empty()) {
            (true, false) => true,
            (true, true) if self.situation.trusts(self.chain[0]) => {
                // The chain stays as long as it is, and all of it is verified.
                self.shown = 0;
                true
            }
            _ => false,
        }
    }

    /// Returns the first trusted issuer in date, or the one that ends last.
    fn trusted_issuer(&self, below: &'a Certificate) -> Option<&'a Certificate> {
        let issuers = self.situation.anchors_above(below).map(|it| &it.certificate);
        self.first_in_date(issuers.filter(|it| is_issued(below, it)))
    }

    fn shown_issuer(&self, below: &'a Certificate) -> Option<&'a Certificate> {
        if is_self_signed(below) || self.chain.len() > DEEPEST {
            return None;
        }
        let used = |it: &&Certificate| self.chain.iter().any(|on| std::ptr::eq(*on, *it));
        let issuers = self.situation.shown_above(below).filter(|it| is_issued(below, it) && !used(it));
        self.first_in_date(issuers)
    }

    fn first_in_date(&self, issuers: impl Iterator<Item = &'a Certificate>) -> Option<&'a Certificate> {
        let mut latest: Option<&Certificate> = None;
        for issuer in issuers {
            if self.situation.is_in_date(issuer) {
                return Some(issuer);
            }
            if latest.is_none_or(|latest| issuer.not_after > latest.not_after) {
                latest = Some(issuer);
            }
        }
        latest
    }
}

/// X509_VERIFY_PARAM's default depth.
const DEEPEST: usize = 100;
