//! The rules of OpenSSL 3.0 at security level 2, as Debian, Red Hat and Python set it, for a TLS server's chain.

use super::constraints::{self, Matching};
use super::facts::{
    self, ALTERNATIVE_NAME, AUTHORITY_KEY, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, CRL_POINTS, EXTENDED_KEY_USAGE,
    INHIBIT_ANY, KEY_USAGE, NAME_CONSTRAINTS, NETSCAPE_TYPE, POLICY_CONSTRAINTS, POLICY_MAPPINGS, SUBJECT_KEY,
};
use super::openssl_issued::{Flags, is_self_signed};
use super::outcome::Refusals;
use super::reading::is_invalid_in_openssl;
use super::signatures::Checked;
use super::situation::Situation;
use crate::cert::{Certificate, Flaw, Purpose};
use crate::lint::clients::Why;

pub(super) fn judge<'a>(
    situation: &Situation<'a>,
    chain: &[&'a Certificate],
    flags: Flags,
    refusals: &mut Refusals<'a>,
) {
    extensions(chain, flags, refusals);
    strengths(chain, refusals);
    signatures_and_dates(situation, chain, refusals);
    name_constraints(chain, refusals);
    let leaf = chain[0];
    // The key has to be of a kind that a handshake can use.
    let unusable = facts::is_ec(leaf) && !facts::is_on_curve(leaf, HANDSHAKE_CURVES);
    let dsa = facts::key_family(leaf) == facts::Family::Dsa && !flags.takes_dsa;
    refusals.add(unusable || dsa, Why::KeyKind, leaf);
}

/// `check_extensions`
fn extensions<'a>(chain: &[&'a Certificate], flags: Flags, refusals: &mut Refusals<'a>) {
    let mut below = 0;
    for (index, &at) in chain.iter().enumerate() {
        let (is_leaf, is_last) = (index == 0, index + 1 == chain.len());
        refusals.add(facts::has_critical_beyond(at, KNOWN), Why::UnknownCriticalExtension, at);
        refusals.add(is_invalid_in_openssl(at), Why::Unreadable, at);
        let kind = authority_kind(at);
        if is_leaf {
            refusals.add(flags.strict && !matches!(kind, 0 | 1), Why::AnchorIsNoAuthority, at);
        } else if kind == 0 {
            let why = if at.is_ca() { Why::CannotSign } else { Why::IssuerIsNoAuthority };
            refusals.add(true, why, at);
        } else if kind != 1 {
            refusals.add(flags.strict && is_last, Why::AnchorIsNoAuthority, at);
            refusals.add(!is_last, Why::IssuerIsNoAuthority, at);
        }
        if chain.len() > 1 {
            refusals.add(at.key.has_explicit_curve, Why::ExplicitCurve, at);
            if flags.strict {
                strictly(at, is_last, refusals);
            }
        }
        purpose(at, is_leaf, kind, refusals);
        let exceeded = facts::allowed_below(at).is_some_and(|allowed| index > 1 && below > allowed);
        refusals.add(exceeded, Why::PathLength, at);
        if !is_leaf && !at.subject.folds_as(&at.issuer_name) {
            below += 1;
        }
    }
}

/// Returns what `X509_check_ca` does: 0 for no authority, 1 for one by its basic constraints, more for those of old.
fn authority_kind(at: &Certificate) -> u8 {
    let netscape_authority = at.netscape_type.is_some_and(|it| it & ANY_NETSCAPE_AUTHORITY != 0);
    match at.basic_constraints {
        _ if !facts::may_sign_certificates(at) => 0,
        Some(constraints) => u8::from(constraints.ca),
        None if at.version == 1 && is_self_signed(at) => 3,
        None if at.key_usage.is_some() => 4,
        None if netscape_authority => 5,
        None => 0,
    }
}

/// The purpose `sslserver`.
fn purpose<'a>(at: &'a Certificate, is_leaf: bool, kind: u8, refusals: &mut Refusals<'a>) {
    if let Some(purposes) = facts::purposes(at) {
        let serves = purposes.contains(&Purpose::ServerAuth)
            || facts::is_server_gated(purposes)
            || facts::is_microsoft_gated(purposes);
        let why = if purposes.contains(&Purpose::Any) { Why::AnyPurposeOnly } else { Why::ForeignPurpose };
        refusals.add(!serves, why, at);
    }
    let netscape = |bit: u8| at.netscape_type.is_some_and(|it| it & bit == 0);
    if is_leaf {
        let usage = at.key_usage.as_ref();
        let unfit = usage.is_some_and(|it| !it.digital_signature && !it.key_encipherment && !it.key_agreement);
        refusals.add(unfit, Why::ForeignKeyUsage, at);
        refusals.add(netscape(NETSCAPE_SERVER), Why::NetscapeType, at);
    } else {
        refusals.add(kind == 5 && netscape(NETSCAPE_SSL_AUTHORITY), Why::NetscapeType, at);
    }
}

/// `X509_V_FLAG_X509_STRICT`, which Python 3.13 and later sets in its default context.
fn strictly<'a>(at: &'a Certificate, is_last: bool, refusals: &mut Refusals<'a>) {
    let signs = at.key_usage.is_some_and(|usage| usage.key_cert_sign);
    let signs_lists = at.key_usage.is_some_and(|usage| usage.crl_sign);
    if at.basic_constraints.is_some_and(|it| it.path_len.is_some()) {
        refusals.add(!at.is_ca(), Why::StrictLengthOfServer, at);
        refusals.add(at.is_ca() && at.key_usage.is_none(), Why::StrictNoKeyUsage, at);
    }
    refusals.add(at.is_ca() && !at.is_critical(BASIC_CONSTRAINTS), Why::StrictConstraintsNotCritical, at);
    refusals.add(at.is_ca() && at.key_usage.is_none(), Why::StrictNoKeyUsage, at);
    refusals.add(!at.is_ca() && signs, Why::StrictServerSigns, at);
    refusals.add(at.issuer_name.is_empty(), Why::EmptyIssuer, at);
    let has_names = facts::has_alternative_names(at);
    if at.subject.is_empty() {
        refusals.add(at.is_ca() || signs_lists || !has_names, Why::EmptySubject, at);
        refusals.add(has_names && !at.is_critical(ALTERNATIVE_NAME), Why::EmptySubject, at);
    }
    refusals.add(at.flaws.contains(&Flaw::NoNames) || facts::names_other_algorithm(at), Why::Unreadable, at);
    refusals.add(at.version < 3 && at.flaws.contains(&Flaw::Version), Why::Unreadable, at);
    refusals.add(at.is_critical(AUTHORITY_KEY), Why::UnknownCriticalExtension, at);
    refusals.add(at.is_critical(SUBJECT_KEY), Why::UnknownCriticalExtension, at);
    if at.version == 3 {
        refusals.add(!is_last && at.authority_key_id().is_none(), Why::StrictNoAuthorityKey, at);
        refusals.add(at.is_ca() && at.subject_key_id.is_none(), Why::StrictNoSubjectKey, at);
    }
}

/// Keys and signatures at security level 2: 112 bits of strength (`check_auth_level`).
fn strengths<'a>(chain: &[&'a Certificate], refusals: &mut Refusals<'a>) {
    for (index, &at) in chain.iter().enumerate() {
        // OpenSSL rounds the strength of a key.
        refusals.add(facts::rsa_bits(at).is_some_and(|bits| bits < 1963), Why::ShortKey, at);
        refusals.add(facts::is_on_curve(at, WEAK_CURVES), Why::KeyKind, at);
        let is_last = index + 1 == chain.len();
        refusals.add(!is_last && at.signature.hash_is_broken, Why::WeakSignature, at);
    }
}

/// `internal_verify`
fn signatures_and_dates<'a>(situation: &Situation<'a>, chain: &[&'a Certificate], refusals: &mut Refusals<'a>) {
    for (index, &at) in chain.iter().enumerate() {
        refusals.add(situation.is_expired(at), Why::Expired, at);
        refusals.add(situation.is_early(at), Why::NotYetValid, at);
        refusals.add(at.flaws.contains(&Flaw::Time), Why::Unreadable, at);
        let Some(&above) = chain.get(index + 1) else { continue };
        refusals.add(facts::names_other_algorithm(at), Why::Unreadable, at);
        refusals.add(above.is_ca() && !facts::may_sign_certificates(above), Why::CannotSign, above);
        refusals.add(situation.check(at, above) == Checked::Bad, Why::BadSignature, at);
    }
}

fn name_constraints<'a>(chain: &[&'a Certificate], refusals: &mut Refusals<'a>) {
    for (index, &at) in chain.iter().enumerate() {
        if index != 0 && at.subject.folds_as(&at.issuer_name) {
            continue;
        }
        for &above in &chain[index + 1..] {
            let Some(named) = &above.name_constraints else { continue };
            let breaks = constraints::are_broken(named, at, index == 0, Matching::OpenSsl);
            refusals.add(breaks, Why::NameConstraints, above);
        }
    }
}

/// `X509_supported_extension`
const KNOWN: &[&str] = &[
    NETSCAPE_TYPE,
    KEY_USAGE,
    ALTERNATIVE_NAME,
    BASIC_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    CRL_POINTS,
    EXTENDED_KEY_USAGE,
    "1.3.6.1.5.5.7.1.7",    // sbgp-ipAddrBlock
    "1.3.6.1.5.5.7.1.8",    // sbgp-autonomousSysNum
    "1.3.6.1.5.5.7.48.1.5", // OCSP No Check
    "1.3.6.1.5.5.7.1.14",   // proxyCertInfo
    POLICY_CONSTRAINTS,
    NAME_CONSTRAINTS,
    POLICY_MAPPINGS,
    INHIBIT_ANY,
];
const NETSCAPE_SERVER: u8 = 0x40;
const NETSCAPE_SSL_AUTHORITY: u8 = 0x04;
const ANY_NETSCAPE_AUTHORITY: u8 = 0x07;
/// The curves that a client offers for handshakes.
const HANDSHAKE_CURVES: &[&str] = &["P-256", "P-384", "P-521"];
/// Below 112 bits of strength.
const WEAK_CURVES: &[&str] = &["P-192"];
