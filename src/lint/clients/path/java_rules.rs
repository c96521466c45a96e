//! The rules of Java's default provider for a TLS server's chain, with endpoint identification.

use super::constraints::{self, Matching};
use super::facts::{
    self, ALTERNATIVE_NAME, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, EXTENDED_KEY_USAGE, Family, INHIBIT_ANY,
    KEY_USAGE, NAME_CONSTRAINTS, POLICY_CONSTRAINTS, POLICY_MAPPINGS,
};
use super::outcome::Refusals;
use super::policies;
use super::signatures::Checked;
use super::situation::Situation;
use crate::cert::{Certificate, GeneralName, NameConstraints, Purpose};
use crate::lint::clients::Why;

/// Which Java.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    Java17,
    Java25,
}

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
        of_anchor(anchor, edition, refusals);
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
            refusals.add(!at.is_ca(), Why::IssuerIsNoAuthority, at);
            refusals.add(at.is_ca() && !facts::may_sign_certificates(at), Why::CannotSign, at);
            if !self_issued {
                refusals.add(allowed == 0, Why::PathLength, at);
                allowed = allowed.saturating_sub(1);
            }
            allowed = allowed.min(facts::allowed_below(at).unwrap_or(usize::MAX));
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

fn of_anchor<'a>(anchor: &'a Certificate, edition: Edition, refusals: &mut Refusals<'a>) {
    reading(anchor, edition, refusals);
    key(anchor, refusals);
    // Those of versions 1 and 2 cannot say what they are.
    if anchor.version == 3 {
        refusals.add(!anchor.is_ca(), Why::AnchorIsNoAuthority, anchor);
        refusals.add(anchor.is_ca() && !facts::may_sign_certificates(anchor), Why::CannotSign, anchor);
    }
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
    let fits = facts::key_family(issuer) == facts::signature_family(at);
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
            let readable = above.name_constraints.as_ref().filter(|named| !is_malformed(named));
            let Some(named) = readable else { continue };
            let breaks = constraints::are_broken(named, at, index == 0, Matching::Java);
            refusals.add(breaks, Why::NameConstraints, above);
        }
    }
}

/// `EndEntityChecker`
fn end_entity<'a>(leaf: &'a Certificate, refusals: &mut Refusals<'a>) {
    if let Some(purposes) = facts::purposes(leaf) {
        let serves = purposes.iter().any(|it| matches!(it, Purpose::ServerAuth | Purpose::Any));
        let gated = facts::is_server_gated(purposes) || facts::is_microsoft_gated(purposes);
        refusals.add(!serves && !gated, Why::ForeignPurpose, leaf);
    }
    refusals.add(leaf.key_usage.is_some_and(|usage| !usage.digital_signature), Why::NoDigitalSignature, leaf);
    refusals.add(leaf.netscape_type.is_some_and(|it| it & NETSCAPE_SERVER == 0), Why::NetscapeType, leaf);
}

/// What Java cannot read at all.
pub(super) fn reading<'a>(at: &'a Certificate, edition: Edition, refusals: &mut Refusals<'a>) {
    refusals.add(at.issuer_name.is_empty(), Why::EmptyIssuer, at);
    let has_names = facts::has_alternative_names(at);
    refusals.add(
        at.version == 3 && at.subject.is_empty() && !(has_names && at.is_critical(ALTERNATIVE_NAME)),
        Why::EmptySubject,
        at,
    );
    let malformed = at.name_constraints.as_ref().is_some_and(|named| named.critical && is_malformed(named));
    refusals.add(malformed, Why::ConstraintMalformed, at);
    let broken_address = at.names.others.iter().any(|name| name.starts_with("broken IP"));
    refusals.add(edition == Edition::Java25 && broken_address, Why::NameUndecodable, at);
}

fn is_malformed(constraints: &NameConstraints) -> bool {
    let mut trees = constraints.permitted.iter().chain(&constraints.excluded);
    trees.any(|tree| matches!(tree, GeneralName::Ip(octets) if ![8, 32].contains(&octets.len())))
}

/// What a handshake needs of the server's own key.
pub(super) fn handshake<'a>(leaf: &'a Certificate, refusals: &mut Refusals<'a>) {
    refusals.add(facts::is_ec(leaf) && !facts::is_on_curve(leaf, CURVES), Why::KeyKind, leaf);
}

/// Returns whether the identifiers that `below` names of its issuer are those of `above`: the key's, and of version 3
/// the serial number (`AdaptableX509CertSelector`).
pub(super) fn names_key(below: &Certificate, above: &Certificate) -> bool {
    let Some(named) = &below.authority_key else { return true };
    let key_differs = match (&named.id, &above.subject_key_id) {
        (Some(named), Some(had)) => named != had,
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
