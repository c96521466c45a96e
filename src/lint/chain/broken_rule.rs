//! From a rule that some client's path breaks to a finding: for rules that no other family looks at by itself.

use super::checks::{
    AUTHORITY_KEY_DIFFERS, CERTIFICATE_MALFORMED, CHAIN_INVALID, ISSUER_NAME_FORM, ISSUER_UNKNOWN,
    NAME_CONSTRAINTS_VIOLATED, PATH_LENGTH_EXCEEDED, SIGNATURE_INVALID,
};
use crate::cert::{Certificate, Field};
use crate::lint::authorities::{
    CA_BASIC_CONSTRAINTS_MISSING, CA_BASIC_CONSTRAINTS_NOT_CRITICAL, CA_CANNOT_SIGN, CA_KEY_IDS_MISSING,
    CA_KEY_USAGE_MISSING,
};
use crate::lint::clients::{Refusal, Why};
use crate::lint::judgement::Judgement;
use crate::lint::keys::{KEY_UNUSUAL, RSA_TOO_SHORT, WEAK_SIGNATURE};
use crate::lint::known_authorities::KnownAuthorities;
use crate::lint::names::{CN_NOT_FRONTEND, SAN_MISSING_FRONTEND};
use crate::lint::usage::{KU_CERT_SIGN_ON_LEAF, UNKNOWN_CRITICAL_EXTENSION};
use crate::lint::validity::{NOT_YET_VALID, ROOT_EXPIRED};
use crate::lint::{Check, Finding, Located, Subject};
use crate::words::{MOST_NAMES, first_of, shown};

/// Returns a finding for each rule that a client's path breaks and that none of `findings` is about.
pub(in crate::lint) fn lint(
    subject: &Subject,
    judgement: &Judgement<'_>,
    known: &KnownAuthorities<'_>,
    findings: &[Finding],
) -> Vec<Finding> {
    let mut made: Vec<Finding> = Vec::new();
    for (_, refusal) in judgement.refusals() {
        let at = located(subject, refusal.at);
        let told = |finding: &Finding| is_told(finding, refusal);
        // An authority that is a subject itself is reported there.
        let elsewhere = at.is_none() && !refusal.why.is_of_chain() && known.is_linted(refusal.at);
        // What is no authority lacks everything else that one should have.
        let is_consequence = is_strict(refusal.why) && is_no_authority(judgement, refusal.at);
        if elsewhere || is_consequence || findings.iter().chain(&made).any(told) {
            continue;
        }
        let place = at.unwrap_or_else(|| top(subject, judgement, refusal.at));
        let mut finding = finding(subject, refusal, place, judgement);
        finding.about = Some(refusal.at.der.to_vec());
        made.push(finding);
    }
    made
}

/// Returns a finding for each rule that an authority breaks for some client that uses it.
pub(in crate::lint) fn of_authority(at: &Located, reasons: &[Why], findings: &[Finding]) -> Vec<Finding> {
    let untold = reasons.iter().filter(|why| !findings.iter().any(|finding| finding.check.clients.include(**why)));
    let finding = |why: &Why| match why {
        Why::Unreadable => malformed(&at.certificate, at),
        why => plain(*why, &at.certificate, at),
    };
    untold.map(finding).collect()
}

/// Returns whether a finding is about the same rule, and the same certificate where the rule is about one.
fn is_told(finding: &Finding, refusal: Refusal<'_>) -> bool {
    let shown = finding.certificate.as_ref().map(|certificate| certificate.der.as_ref());
    let same = finding.about.as_deref().or(shown) == Some(refusal.at.der.as_ref());
    finding.check.clients.include(refusal.why) && (same || refusal.why.is_of_chain())
}

fn is_strict(why: Why) -> bool {
    matches!(why, Why::StrictServerSigns | Why::StrictNoKeyUsage | Why::StrictNoSubjectKey | Why::StrictNoAuthorityKey)
}

fn is_no_authority(judgement: &Judgement<'_>, at: &Certificate) -> bool {
    let reasons = [Why::IssuerIsNoAuthority, Why::AnchorIsNoAuthority];
    judgement.refusals().any(|(_, other)| reasons.contains(&other.why) && other.at.der == at.der)
}

fn located<'s>(subject: &'s Subject, certificate: &Certificate) -> Option<&'s Located> {
    subject.chain().iter().find(|at| at.certificate.der == certificate.der)
}

/// Returns the last certificate of the subject on the path to an anchor.
fn top<'s>(subject: &'s Subject, judgement: &Judgement<'_>, anchor: &Certificate) -> &'s Located {
    let path = judgement.paths().find(|path| path.iter().any(|it| it.der == anchor.der)).unwrap_or_default();
    let below = path.iter().rev().find_map(|it| located(subject, it));
    below.unwrap_or_else(|| subject.leaf_located())
}

fn finding(subject: &Subject, refusal: Refusal<'_>, place: &Located, judgement: &Judgement<'_>) -> Finding {
    let at = refusal.at;
    let (title, issuer) = (at.title(), at.issuer_title());
    match refusal.why {
        Why::NameConstraints | Why::ConstraintMalformed => name_constraints(subject, at),
        Why::PathLength => path_length(at, place, judgement),
        Why::TooDeep => too_many(subject, place, judgement),
        Why::BadSignature => {
            let message = format!("{title} is not signed with the key of {issuer}, which it names as its issuer");
            about(&SIGNATURE_INVALID, place, message)
                .field(Field::SignatureAlgorithm)
                .observed("a signature that does not verify")
                .expected(format!("the signature of {issuer}"))
        }
        Why::OtherAuthorityKey => {
            let message = format!("{title} names another key or certificate of {issuer} than the one that is there");
            about(&AUTHORITY_KEY_DIFFERS, place, message)
                .field(Field::AuthorityKeyIdentifier)
                .observed(authority_key(at))
                .expected(format!("the key identifier, and no serial number or that of the certificate, of {issuer}"))
        }
        Why::NameWrittenOtherwise => {
            let message = format!("{title} writes the name of its issuer otherwise than {issuer} does itself");
            about(&ISSUER_NAME_FORM, place, message)
                .field(Field::Issuer)
                .observed(&issuer)
                .expected("the same octets as in the issuer's certificate")
        }
        Why::AnchorIsNoRoot => {
            let message = format!("{title}, which is trusted, is no root, and some clients want one");
            about(&ISSUER_UNKNOWN, place, message)
                .field(Field::Issuer)
                .observed(&title)
                .expected("a trusted root")
                .remedy("put the root that is above it into the truststore too")
        }
        Why::AnchorUnusable => {
            let message = format!("the trusted certificate of {issuer} cannot be used by some clients");
            about(&ISSUER_UNKNOWN, place, message)
                .field(Field::Issuer)
                .observed(&issuer)
                .expected("a root of version 3")
                .remedy("renew the root as a certificate of version 3 with the same key, and trust that")
        }
        Why::Untrusted => {
            let message = format!("no chain leads from {} to a trusted authority", subject.leaf().title());
            about(&ISSUER_UNKNOWN, place, message)
                .field(Field::Issuer)
                .observed(&issuer)
                .expected("a chain that leads to a trusted authority")
        }
        Why::Unreadable => malformed(at, place),
        why => plain(why, at, place),
    }
}

/// Returns the finding about a chain of more certificates than some clients take.
fn too_many(subject: &Subject, place: &Located, judgement: &Judgement<'_>) -> Finding {
    let is_used = |at: &&Located| judgement.paths().flatten().any(|it| it.der == at.certificate.der);
    let (count, used) = (subject.chain().len(), subject.chain().iter().filter(is_used).count());
    let message = format!("the server shows {count} certificates, more than some clients take");
    let finding = about(&PATH_LENGTH_EXCEEDED, place, message)
        .field(Field::BasicConstraints)
        .observed(format!("{count} certificates, of which {used} are on a path"))
        .expected("6 intermediate authorities and 10 certificates at most");
    if used < count {
        finding.remedy("remove the certificates that are on no path from the server's certificate file")
    } else {
        finding.remedy("let an authority that is nearer to the root sign the server's certificate")
    }
}

fn malformed(at: &Certificate, place: &Located) -> Finding {
    let flaws: Vec<_> = at.flaws.iter().map(ToString::to_string).collect();
    let observed =
        if flaws.is_empty() { "an extension that not every client can read".into() } else { flaws.join("; ") };
    about(
        &CERTIFICATE_MALFORMED,
        place,
        format!("not every client can read the certificate of {}: {observed}", at.title()),
    )
    .field(Field::OtherExtensions)
    .observed(observed)
    .expected("a certificate as RFC 5280 has it")
}

/// Returns a finding about a rule that one certificate breaks.
fn plain(why: Why, at: &Certificate, place: &Located) -> Finding {
    let title = at.title();
    let is_root = at.is_self_issued();
    let (check, field, message): (&'static Check, _, _) = match why {
        Why::Expired => {
            let end = crate::cert::date::day(at.not_after);
            (&ROOT_EXPIRED, Field::Issuer, format!("the trusted root {title} expired on {end}"))
        }
        Why::NotYetValid => (&NOT_YET_VALID, Field::NotBefore, format!("{title} is not valid yet")),
        Why::UnknownCriticalExtension => {
            (&UNKNOWN_CRITICAL_EXTENSION, Field::OtherExtensions, format!("{title} has an unknown critical extension"))
        }
        Why::ShortKey => (&RSA_TOO_SHORT, Field::PublicKey, format!("{title} has a key of {}", at.key)),
        Why::KeyKind | Why::ExplicitCurve => {
            (&KEY_UNUSUAL, Field::PublicKey, format!("{title} has a key of {}, which not every client takes", at.key))
        }
        Why::WeakSignature | Why::SignatureKind => {
            (&WEAK_SIGNATURE, Field::SignatureAlgorithm, format!("{title} is signed with {}", at.signature.name))
        }
        Why::CannotSign => {
            (&CA_CANNOT_SIGN, Field::KeyUsage, format!("the authority {title} may not sign certificates"))
        }
        Why::AnchorIsNoAuthority => {
            let message = format!("the authority {title} does not say that it is one");
            (&CA_BASIC_CONSTRAINTS_MISSING, Field::BasicConstraints, message)
        }
        Why::IssuerIsNoAuthority => {
            (&CHAIN_INVALID, Field::BasicConstraints, format!("{title} signed a certificate and is not an authority"))
        }
        Why::StrictConstraintsNotCritical => {
            let message = format!("the basic constraints of the authority {title} are not critical");
            (&CA_BASIC_CONSTRAINTS_NOT_CRITICAL, Field::BasicConstraints, message)
        }
        Why::StrictServerSigns => {
            (&KU_CERT_SIGN_ON_LEAF, Field::KeyUsage, format!("{title} may sign certificates, and is no authority"))
        }
        Why::StrictNoKeyUsage => {
            (&CA_KEY_USAGE_MISSING, Field::KeyUsage, format!("the authority {title} does not say what its key is for"))
        }
        Why::StrictNoSubjectKey | Why::StrictNoAuthorityKey => {
            (&CA_KEY_IDS_MISSING, Field::SubjectKeyIdentifier, format!("a key identifier of {title} is missing"))
        }
        Why::ForeignPurpose | Why::AnyPurposeOnly => {
            let who = if is_root { "the root" } else { "the authority" };
            (&CHAIN_INVALID, Field::ExtendedKeyUsage, format!("{who} {title} may not sign for servers"))
        }
        Why::OnlyCommonNameCounts => (&CN_NOT_FRONTEND, Field::Subject, format!("{title}: {why}")),
        why if crate::lint::clients::NAME_REFUSALS.contains(&why) => {
            let message = format!("some clients do not take the certificate for the load balancer's name: {why}");
            (&SAN_MISSING_FRONTEND, Field::SubjectAlternativeName, message)
        }
        why => (&CHAIN_INVALID, Field::Issuer, format!("the chain of {title} is refused: {why}")),
    };
    about(check, place, message).field(field).observed(why.as_str()).expected("what every client takes")
}

fn about(check: &'static Check, place: &Located, message: impl Into<String>) -> Finding {
    Finding::new(check, place, message)
}

fn authority_key(at: &Certificate) -> String {
    let Some(key) = &at.authority_key else { return "no authority key identifier".into() };
    let hex = |octets: &Vec<u8>| crate::cert::hex::hexadecimal(octets);
    let id = key.id.as_ref().map(|id| format!("key {}", hex(id)));
    let serial = key.serial.as_ref().map(|serial| format!("serial number {}", hex(serial)));
    id.into_iter().chain(serial).collect::<Vec<_>>().join(", ")
}

fn name_constraints(subject: &Subject, authority: &Certificate) -> Finding {
    let constraints = authority.name_constraints.clone().unwrap_or_default();
    let permitted = constraints.permitted.iter().map(|name| format!("permitted {}", shown(&name.base.to_string())));
    let excluded = constraints.excluded.iter().map(|name| format!("excluded {}", shown(&name.base.to_string())));
    let names = &subject.leaf().names;
    let carried = names.dns.iter().map(|name| format!("DNS:{}", name.escape_debug()));
    let carried = first_of(carried.chain(names.ip.iter().map(|address| format!("IP Address:{address}"))), MOST_NAMES);
    let message = format!("{} may not sign for all names of the certificate", authority.title());
    about(&NAME_CONSTRAINTS_VIOLATED, subject.leaf_located(), message)
        .field(Field::SubjectAlternativeName)
        .observed(if carried.is_empty() { subject.leaf().title() } else { carried })
        .expected(first_of(permitted.chain(excluded), MOST_NAMES))
}

fn path_length(authority: &Certificate, place: &Located, judgement: &Judgement<'_>) -> Finding {
    let below =
        |path: &[&Certificate]| path.iter().position(|it| it.der == authority.der).map(|at| at.saturating_sub(1));
    let below = judgement.paths().filter_map(below).max().unwrap_or_default();
    let authorities = |count: usize| if count == 1 { "1 authority".into() } else { format!("{count} authorities") };
    let allowed = authority.basic_constraints.and_then(|it| it.path_len);
    let is_here = place.certificate.der == authority.der;
    match allowed.map(|allowed| allowed as usize) {
        Some(allowed) if below > allowed => {
            let title = authority.title();
            let message = format!("{title} allows {} below it, and has {below}", authorities(allowed));
            let finding = about(&PATH_LENGTH_EXCEEDED, place, message)
                .observed(format!("{} below it", authorities(below)))
                .expected(format!("{} at most", authorities(allowed)));
            if is_here {
                finding.field(Field::BasicConstraints).span(format!("pathlen:{allowed}"))
            } else {
                finding.field(Field::Issuer)
            }
        }
        _ => about(&PATH_LENGTH_EXCEEDED, place, "an authority has more authorities below it than it allows")
            .field(Field::BasicConstraints)
            .observed(authority.title())
            .expected("a chain that verifies"),
    }
}
