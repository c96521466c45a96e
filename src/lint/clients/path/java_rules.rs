//! The rules of Java's default provider for a TLS server's chain, with endpoint identification.

use super::constraints::{self, Matching};
use super::edition::Edition;
use super::facts::{
    self, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, EXTENDED_KEY_USAGE, Family, INHIBIT_ANY,
    KEY_USAGE, NAME_CONSTRAINTS, NETSCAPE_TYPE, POLICY_CONSTRAINTS, POLICY_MAPPINGS, SUBJECT_KEY,
};
use super::outcome::Refusals;
use super::policies;
use super::reading::{
    has_bounds, has_odd_addresses, is_read_by_java, is_unreadable_in_java, is_unreadable_server_in_java_25,
};
use super::signatures::Checked;
use super::situation::Situation;
use crate::cert::{Certificate, Flaw, NameConstraints, Purpose};
use crate::lint::clients::Why;

/// Judges a path, the server's own certificate first, below an anchor.
pub(super) fn judge<'a>(
    situation: &Situation<'a>,
    path: &[&'a Certificate],
    anchor: Option<&'a Certificate>,
    edition: Edition,
    refusals: &mut Refusals<'a>,
) {
    let leaf = path[0];
    if let Some(anchor) = anchor {
        of_anchor(anchor, refusals);
    }
    let mut allowed = usize::MAX;
    let mut issuer = anchor;
    for (index, &at) in path.iter().enumerate().rev() {
        let is_leaf = index == 0;
        refusals.add(situation.is_expired(at), Why::Expired, at);
        refusals.add(situation.is_early(at), Why::NotYetValid, at);
        refusals.add(facts::has_critical_beyond(at, KNOWN), Why::UnknownCriticalExtension, at);
        signature(situation, at, issuer, edition, refusals);
        key(at, refusals);
        if !is_leaf {
            let self_issued = at.subject.is_same_in_java(&at.issuer_name);
            refusals.add(!is_authority(at), Why::IssuerIsNoAuthority, at);
            refusals.add(is_authority(at) && !may_sign_certificates(at), Why::CannotSign, at);
            if !self_issued {
                refusals.add(allowed == 0, Why::PathLength, at);
                allowed = allowed.saturating_sub(1);
            }
            let limit = facts::allowed_below(at).filter(|_| is_authority(at));
            allowed = allowed.min(limit.unwrap_or(usize::MAX));
        }
        issuer = Some(at);
    }
    name_constraints(path, refusals);
    let down: Vec<_> = path.iter().rev().copied().collect();
    if let Some(at) = policies::unmet(&down) {
        refusals.add(true, Why::PolicyDemanded, at);
    }
    end_entity(leaf, refusals);
}

fn of_anchor<'a>(anchor: &'a Certificate, refusals: &mut Refusals<'a>) {
    reading(anchor, refusals);
    key(anchor, refusals);
    // Those of versions 1 and 2 cannot say what they are.
    if anchor.version == 3 {
        refusals.add(!is_authority(anchor), Why::AnchorIsNoAuthority, anchor);
        refusals.add(is_authority(anchor) && !may_sign_certificates(anchor), Why::CannotSign, anchor);
    }
}

/// Java says that there is no authority by a path length of -1.
fn is_authority(at: &Certificate) -> bool {
    at.is_ca() && is_read_by_java(at, BASIC_CONSTRAINTS) && !at.flaws.contains(&Flaw::NegativePathLength)
}

fn may_sign_certificates(at: &Certificate) -> bool {
    facts::may_sign_certificates(at) || !is_read_by_java(at, KEY_USAGE)
}

/// Returns whether a rule is looked at after the anchor is chosen (`PKIXValidator.verifyTrustAnchor`), when no other
/// anchor is tried any more.
pub(super) fn is_found_late(why: Why) -> bool {
    matches!(why, Why::AnchorIsNoAuthority | Why::CannotSign)
}

fn signature<'a>(
    situation: &Situation<'a>,
    at: &'a Certificate,
    issuer: Option<&'a Certificate>,
    edition: Edition,
    refusals: &mut Refusals<'a>,
) {
    refusals.add(facts::is_md5_or_older(at), Why::WeakSignature, at);
    let is_gone = facts::is_sha224(at) || facts::signature_family(at) == Family::Dsa;
    refusals.add(edition == Edition::Java25 && is_gone, Why::SignatureKind, at);
    let Some(issuer) = issuer else { return };
    let fits = facts::key_makes_signature(issuer, at);
    let checked = situation.check(at, issuer);
    refusals.add(!fits || checked == Checked::Bad, Why::BadSignature, at);
}

/// Keys that the provider has no algorithm for, or that are disabled.
fn key<'a>(at: &'a Certificate, refusals: &mut Refusals<'a>) {
    refusals.add(facts::is_ec(at) && !facts::is_on_curve(at, CURVES), Why::KeyKind, at);
    refusals.add(facts::rsa_bits(at).is_some_and(|bits| bits < 1024), Why::ShortKey, at);
}

fn name_constraints<'a>(path: &[&'a Certificate], refusals: &mut Refusals<'a>) {
    for (index, &at) in path.iter().enumerate() {
        if index != 0 && at.subject.is_same_in_java(&at.issuer_name) {
            continue;
        }
        // Those of the anchor do not count.
        for &above in &path[index + 1..] {
            // What cannot be read and is not critical is passed over.
            let is_read =
                |named: &&NameConstraints| !has_odd_addresses(named) && is_read_by_java(above, NAME_CONSTRAINTS);
            let readable = above.name_constraints.as_ref().filter(is_read);
            let Some(named) = readable else { continue };
            refusals.add(has_bounds(named), Why::ConstraintMalformed, above);
            let breaks = constraints::are_broken(named, at, index == 0, Matching::Java);
            refusals.add(breaks, Why::NameConstraints, above);
        }
    }
}

/// `EndEntityChecker`
fn end_entity<'a>(leaf: &'a Certificate, refusals: &mut Refusals<'a>) {
    if let Some(purposes) = facts::purposes(leaf).filter(|_| is_read_by_java(leaf, EXTENDED_KEY_USAGE)) {
        let serves = purposes.iter().any(|it| matches!(it, Purpose::ServerAuth | Purpose::Any));
        let gated = facts::is_server_gated(purposes) || facts::is_microsoft_gated(purposes);
        refusals.add(!serves && !gated, Why::ForeignPurpose, leaf);
    }
    let usage = leaf.key_usage.filter(|_| is_read_by_java(leaf, KEY_USAGE));
    refusals.add(usage.is_some_and(|usage| !usage.digital_signature), Why::NoDigitalSignature, leaf);
    let netscape = leaf.netscape_type.filter(|_| is_read_by_java(leaf, NETSCAPE_TYPE));
    refusals.add(netscape.is_some_and(|it| it & NETSCAPE_SERVER == 0), Why::NetscapeType, leaf);
}

/// What Java cannot read at all.
pub(super) fn reading<'a>(at: &'a Certificate, refusals: &mut Refusals<'a>) {
    refusals.add(at.issuer_name.is_empty(), Why::EmptyIssuer, at);
    let has_names = facts::has_alternative_names(at);
    refusals.add(
        at.version == 3 && at.subject.is_empty() && !(has_names && at.is_critical(ALTERNATIVE_NAME)),
        Why::EmptySubject,
        at,
    );
    refusals.add(is_unreadable_in_java(at), Why::Unreadable, at);
}

/// What a handshake needs of the server's own certificate.
pub(super) fn handshake<'a>(leaf: &'a Certificate, edition: Edition, refusals: &mut Refusals<'a>) {
    let is_late = edition == Edition::Java25 && is_unreadable_server_in_java_25(leaf);
    refusals.add(is_late, Why::Unreadable, leaf);
    refusals.add(facts::is_ec(leaf) && !facts::is_on_curve(leaf, CURVES), Why::KeyKind, leaf);
    // No scheme of TLS has it, so that a server does not offer the certificate.
    refusals.add(facts::is_pss(leaf) && leaf.signature.hash_is_broken, Why::WeakSignature, leaf);
}

/// Returns whether the identifiers that `below` names of its issuer are those of `above`: the key's, and of version 3
/// the serial number (`AdaptableX509CertSelector`).
pub(super) fn names_key(below: &Certificate, above: &Certificate) -> bool {
    let Some(named) = &below.authority_key else { return true };
    let key_differs = match (&named.id, &above.subject_key_id) {
        (Some(named), Some(had)) => named != had,
        // It is compared as it stands.
        (Some(_), None) => !is_read_by_java(above, SUBJECT_KEY),
        _ => false,
    };
    let serial_differs = above.version == 3 && named.serial.as_ref().is_some_and(|it| *it != above.serial_number);
    !key_differs && !serial_differs
}

const KNOWN: &[&str] = &[
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    ALTERNATIVE_NAME,
    CERTIFICATE_POLICIES,
    POLICY_MAPPINGS,
    POLICY_CONSTRAINTS,
    INHIBIT_ANY,
];
/// The curves of SunEC.
const CURVES: &[&str] = &["P-256", "P-384", "P-521"];
const NETSCAPE_SERVER: u8 = 0x40;
