//! The rules of rustls-webpki for a TLS server's chain.

use super::constraints::{self, Matching};
use super::facts::{
    self, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, CRL_POINTS, EXTENDED_KEY_USAGE, Family, KEY_USAGE, NAME_CONSTRAINTS,
};
use super::outcome::Refusals;
use super::reading::is_unreadable_in_webpki;
use super::signatures::Checked;
use super::situation::Situation;
use crate::cert::{Certificate, Purpose};
use crate::lint::clients::Why;

/// Judges a path, the server's own certificate first, below an anchor, of which the key and name constraints count.
pub(super) fn judge<'a>(
    situation: &Situation<'a>,
    path: &[&'a Certificate],
    anchor: Option<&'a Certificate>,
    refusals: &mut Refusals<'a>,
) {
    let leaf = path[0];
    refusals.add(path.len() > DEEPEST + 1, Why::TooDeep, leaf);
    for (index, &at) in path.iter().enumerate() {
        refusals.add(situation.is_expired(at), Why::Expired, at);
        refusals.add(situation.is_early(at), Why::NotYetValid, at);
        refusals.add(at.version != 3, Why::OldVersion, at);
        refusals.add(is_unreadable_in_webpki(at), Why::Unreadable, at);
        refusals.add(facts::has_critical_beyond(at, KNOWN), Why::UnknownCriticalExtension, at);
        purpose(at, refusals);
        if index == 0 {
            refusals.add(at.is_ca(), Why::AuthorityAsServer, at);
        } else {
            refusals.add(!at.is_ca(), Why::IssuerIsNoAuthority, at);
            let exceeded = facts::allowed_below(at).is_some_and(|allowed| index - 1 > allowed);
            refusals.add(at.is_ca() && exceeded, Why::PathLength, at);
        }
        match (path.get(index + 1), anchor) {
            (Some(above), _) => signature(situation, at, above, refusals),
            // One with another key is another authority of the same name.
            (None, Some(anchor)) if is_of_another(situation, at, anchor) => refusals.add(true, Why::Untrusted, at),
            (None, Some(anchor)) => signature(situation, at, anchor, refusals),
            (None, None) => {}
        }
        let above = path[index + 1..].iter().copied().chain(anchor);
        for above in above {
            let Some(named) = &above.name_constraints else { continue };
            let breaks = constraints::are_broken(named, at, index == 0, Matching::WebPki);
            refusals.add(breaks, Why::NameConstraints, above);
        }
    }
    let is_short = facts::rsa_bits(leaf).is_some_and(|bits| !(2048..=8192).contains(&bits));
    refusals.add(is_short, Why::ShortKey, leaf);
    refusals.add(!is_usual(leaf), Why::KeyKind, leaf);
}

fn is_of_another(situation: &Situation<'_>, at: &Certificate, anchor: &Certificate) -> bool {
    !at.authority_key_fits(anchor) && situation.check(at, anchor) == Checked::Bad
}

fn purpose<'a>(at: &'a Certificate, refusals: &mut Refusals<'a>) {
    let Some(purposes) = facts::purposes(at) else { return };
    let why = if purposes.contains(&Purpose::Any) { Why::AnyPurposeOnly } else { Why::ForeignPurpose };
    refusals.add(!purposes.contains(&Purpose::ServerAuth), why, at);
}

fn signature<'a>(situation: &Situation<'a>, at: &'a Certificate, above: &'a Certificate, refusals: &mut Refusals<'a>) {
    let is_short = facts::rsa_bits(above).is_some_and(|bits| !(2048..=8192).contains(&bits));
    refusals.add(is_short, Why::ShortKey, above);
    if situation.signatures.is_known_to_webpki(at, above) {
        refusals.add(!is_short && situation.check(at, above) == Checked::Bad, Why::BadSignature, at);
    } else if at.signature.hash_is_broken {
        refusals.add(true, Why::WeakSignature, at);
    } else if facts::key_makes_signature(above, at) && !is_usual(above) {
        refusals.add(true, Why::KeyKind, above);
    } else if facts::key_makes_signature(above, at) {
        refusals.add(true, Why::SignatureKind, at);
    } else {
        refusals.add(true, Why::BadSignature, at);
    }
}

/// Returns whether webpki has an algorithm for keys of this kind.
fn is_usual(at: &Certificate) -> bool {
    match facts::key_family(at) {
        Family::Rsa => !at.key.is_for_pss_alone,
        Family::Ed25519 => true,
        Family::Ec => facts::is_on_curve(at, CURVES) && !at.key.has_explicit_curve,
        _ => false,
    }
}

const KNOWN: &[&str] =
    &[KEY_USAGE, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, NAME_CONSTRAINTS, CRL_POINTS, EXTENDED_KEY_USAGE, SCT_LIST];
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
const CURVES: &[&str] = &["P-256", "P-384", "P-521"];
/// Intermediates that a path may have.
const DEEPEST: usize = 6;
