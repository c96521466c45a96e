//! What turns a client away besides names.

use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Client, Why};
use crate::cert::{Certificate, KeyKind, Purpose};

/// Returns why a client refuses a chain whatever the name, if it is known to. `path` begins with the server's
/// certificate, each followed by its issuer as far as known; that the last is or leads to one that the client trusts is
/// taken for granted.
///
/// OpenSSL is taken to run at security level 2, as Debian, Red Hat and Python set it.
pub fn refusal(client: Client, path: &[&Certificate]) -> Option<Why> {
    let (leaf, issuers) = path.split_first()?;
    of_all(leaf, issuers).or_else(|| match client {
        Client::Java => of_java(leaf, issuers),
        Client::Rustls => of_rustls(leaf, issuers),
        Client::Python313 => of_openssl(leaf, issuers).or_else(|| of_strict_openssl(leaf, issuers)),
        // The rest is Python's `ssl` or OpenSSL itself.
        _ => of_openssl(leaf, issuers),
    })
}

fn of_all(leaf: &Certificate, issuers: &[&Certificate]) -> Option<Why> {
    let purposes = leaf.extended_key_usage.as_ref();
    let serves = |purpose: &Purpose| matches!(purpose, Purpose::ServerAuth | Purpose::Any);
    first([
        (!leaf.unknown_critical.is_empty(), Why::UnknownCriticalExtension),
        (purposes.is_some_and(|all| !all.iter().any(serves)), Why::ForeignPurpose),
        (issuers.iter().any(|it| !it.is_ca() && !it.is_self_issued()), Why::IssuerIsNoAuthority),
    ])
}

/// OpenSSL: the purpose `sslserver`, and the security level.
fn of_openssl(leaf: &Certificate, issuers: &[&Certificate]) -> Option<Why> {
    let usage = leaf.key_usage.as_ref();
    first([
        (any_purpose_only(leaf), Why::AnyPurposeOnly),
        (
            usage.is_some_and(|it| !it.digital_signature && !it.key_encipherment && !it.key_agreement),
            Why::ForeignKeyUsage,
        ),
        (has_rsa_key_below(leaf, 1963), Why::ShortKey),
        (has_weak_signature(leaf, issuers), Why::WeakSignature),
    ])
}

/// OpenSSL with `X509_V_FLAG_X509_STRICT`, which Python 3.13 and later sets in its default context.
fn of_strict_openssl(leaf: &Certificate, issuers: &[&Certificate]) -> Option<Why> {
    // Not asked of a certificate that is its own authority.
    if leaf.is_self_issued() {
        return None;
    }
    let constraints = |it: &Certificate| it.basic_constraints.is_some_and(|constraints| constraints.critical);
    let path = || issuers.iter().chain([&leaf]);
    let authorities = || path().filter(|it| it.is_ca());
    first([
        (!leaf.is_ca() && leaf.key_usage.is_some_and(|usage| usage.key_cert_sign), Why::StrictServerSigns),
        (issuers.iter().any(|it| !it.is_ca()), Why::AnchorIsNoAuthority),
        (path().any(|it| it.authority_key_id.is_none() && !it.is_self_issued()), Why::StrictNoAuthorityKey),
        (authorities().any(|it| it.subject_key_id.is_none()), Why::StrictNoSubjectKey),
        (authorities().any(|it| !constraints(it)), Why::StrictConstraintsNotCritical),
        (authorities().any(|it| it.key_usage.is_none()), Why::StrictNoKeyUsage),
        (has_no_critical_name(leaf), Why::EmptySubject),
    ])
}

fn of_java(leaf: &Certificate, issuers: &[&Certificate]) -> Option<Why> {
    first([
        (leaf.key_usage.is_some_and(|usage| !usage.digital_signature), Why::NoDigitalSignature),
        (issuers.iter().any(|it| it.basic_constraints.is_none()), Why::AnchorIsNoAuthority),
        (has_no_critical_name(leaf), Why::EmptySubject),
    ])
}

fn of_rustls(leaf: &Certificate, issuers: &[&Certificate]) -> Option<Why> {
    first([
        (leaf.is_ca(), Why::AuthorityAsServer),
        (any_purpose_only(leaf), Why::AnyPurposeOnly),
        (has_rsa_key_below(leaf, 2048), Why::ShortKey),
        (has_weak_signature(leaf, issuers), Why::WeakSignature),
    ])
}

/// OpenSSL rounds the strength of a key, so that it takes 1963 bits for the 112 bits of strength that level 2 asks for.
fn has_rsa_key_below(leaf: &Certificate, least: usize) -> bool {
    matches!(leaf.key.kind, KeyKind::Rsa { bits, .. } if bits < least)
}

/// SHA-1 or older under a signature that is verified: a self-signed certificate's is not.
fn has_weak_signature(leaf: &Certificate, issuers: &[&Certificate]) -> bool {
    issuers.iter().chain([&leaf]).any(|it| it.signature.hash_is_broken && !it.is_self_issued())
}

fn any_purpose_only(leaf: &Certificate) -> bool {
    leaf.extended_key_usage.as_ref().is_some_and(|all| !all.contains(&Purpose::ServerAuth))
}

/// Returns whether the subject is empty and the alternative names are not marked critical (RFC 5280, section 4.2.1.6).
fn has_no_critical_name(leaf: &Certificate) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(&leaf.der) else { return false };
    let critical = parsed.subject_alternative_name().ok().flatten().is_some_and(|extension| extension.critical);
    leaf.names.subject.is_empty() && !critical
}

fn first<const N: usize>(reasons: [(bool, Why); N]) -> Option<Why> {
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, why)| why)
}
