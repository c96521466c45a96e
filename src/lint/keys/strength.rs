//! Keys that others can compute, signatures that others can forge, and keys that not every client takes.

use super::weak_keys::WeakKeys;
use super::weak_rsa::{FERMAT_ROUNDS, fermat_rounds, is_roca};
use crate::cert::{Field, KeyKind};
use crate::lint::clients::Why;
use crate::lint::{Check, Clients, Family, Finding, Located, Severity, Subject, remedy};

pub(in crate::lint) static RSA_TOO_SHORT: Check = Check {
    id: "rsa-too-short",
    family: Family::Keys,
    severity: Severity::Error,
    title: "an RSA key is shorter than 2048 bits",
    basis: "NIST SP 800-131A, table 2; CA/Browser Forum Baseline Requirements, section 6.1.5",
    clients: Clients::Judged(&[Why::ShortKey]),
    explanation: "An RSA key of 1024 bits is within reach of those who can pay for the machines. OpenSSL says `ee key too \
        small` or `ca key too small`.",
    remedy: "make a key of 2048 bits or more, or an ECDSA key on P-256, and request a certificate for it",
};

pub(super) static RSA_EXPONENT_SMALL: Check = Check {
    id: "rsa-exponent-small",
    family: Family::Keys,
    severity: Severity::Warning,
    title: "an RSA key has an unusual public exponent",
    basis: "FIPS 186-5, section A.1.1; CA/Browser Forum Baseline Requirements, section 6.1.6",
    clients: Clients::Unminded,
    explanation: "The public exponent should be 65537. With 3 a single flaw in how somebody checks the padding lets anybody \
        forge signatures, as has happened. With 1, or with an even number, there is no signature to speak of.",
    remedy: "make a key with the exponent 65537, as every tool does when it is not told otherwise",
};

pub(super) static KEY_ROCA: Check = Check {
    id: "key-roca",
    family: Family::Keys,
    severity: Severity::Error,
    title: "an RSA key was made by a faulty chip, so that others can compute it",
    basis: "CVE-2017-15361 (ROCA)",
    clients: Clients::Unminded,
    explanation: "Infineon's RSALib, in smart cards, security modules and TPMs sold until 2017, made primes of a form that \
        makes the key factorable: 2048 bits for some ten thousands of dollars. The modulus shows it: its remainders \
        modulo small primes are powers of 65537, which an honest key shows once in 200 million times.",
    remedy: "make a key elsewhere, request a certificate for it, and revoke this one",
};

pub(super) static KEY_FERMAT: Check = Check {
    id: "key-fermat",
    family: Family::Keys,
    severity: Severity::Error,
    title: "the primes of an RSA key are so close to each other that anybody can compute them",
    basis: "CVE-2022-26320; FIPS 186-5, section A.1.1: primes differ in their first 100 bits",
    clients: Clients::Unminded,
    explanation: "Fermat's method factors a modulus whose primes are close to each other, and found this one's within the \
        100 rounds that are tried here, which takes less than a millisecond. The private key is as good as published.",
    remedy: "make a key with other software, request a certificate for it, and revoke this one",
};

pub(super) static KEY_DEBIAN_WEAK: Check = Check {
    id: "key-debian-weak",
    family: Family::Keys,
    severity: Severity::Error,
    title: "an RSA key is on a list of keys that everybody has",
    basis: "CVE-2008-0166",
    clients: Clients::Unminded,
    explanation: "From 2006 to 2008 Debian's OpenSSL, and Ubuntu's, made one of some ten thousand keys for each length, and \
        all of them are public.\n\n\
        pronk ships no list. It reads those in `/usr/share/openssl-blacklist`, from the package openssl-blacklist of older \
        releases of Debian and Ubuntu, and files of the same format: a line each of 20 hexadecimal digits, the last \
        10 bytes of SHA-1 over what `openssl rsa -noout -modulus` prints. Without a list this check finds nothing.",
    remedy: "make a new key, request a certificate for it, and revoke this one",
};

pub(in crate::lint) static KEY_UNUSUAL: Check = Check {
    id: "key-unusual",
    family: Family::Keys,
    severity: Severity::Info,
    title: "a key is of a kind that not every client takes",
    basis: "RFC 8422, section 5.1.1, and RFC 8446, section 4.2.3",
    clients: Clients::Judged(&[Why::KeyKind, Why::ExplicitCurve]),
    explanation: "RSA and ECDSA on P-256 or P-384 are taken everywhere. P-521 is taken by OpenSSL, Java and rustls, and not by \
        clients that are built on BoringSSL. Ed25519 takes OpenSSL 1.1.1 or Java 15; drivers that bring an OpenSSL 1.0.2 \
        of their own fail. secp256k1, curves given by their parameters, DSA and Ed448 fail with rustls and Go, and most \
        of them with Java: the finding is a warning then.",
    remedy: "prefer ECDSA on P-256, or RSA of 2048 bits or more",
};

pub(in crate::lint) static WEAK_SIGNATURE: Check = Check {
    id: "weak-signature",
    family: Family::Keys,
    severity: Severity::Error,
    title: "a certificate is signed over MD5 or SHA-1",
    basis: "RFC 6151, section 2; RFC 8446, section 4.2.3; CA/Browser Forum Baseline Requirements, section 7.1.3.2",
    clients: Clients::Judged(&[Why::WeakSignature, Why::SignatureKind]),
    explanation: "Others can make a second certificate with the same MD5 or SHA-1 sum, so the signature proves nothing. OpenSSL \
        says `ca md too weak`. A self-signed root is trusted by its presence, so its own signature does not matter.",
    remedy: "have the authority issue the certificate anew with SHA-256",
};

pub(super) fn lint(weak_keys: &WeakKeys, subject: &Subject, located: &Located, findings: &mut Vec<Finding>) {
    let mut found = Vec::new();
    match &located.certificate.key.kind {
        KeyKind::Rsa { bits, modulus, exponent } => {
            found.extend(length(*bits, located));
            found.extend(public_exponent(exponent, located));
            computable(weak_keys, modulus, located, &mut found);
        }
        KeyKind::Ec(curve) if COMMON_CURVES.contains(&curve.as_str()) => {}
        KeyKind::Ec(curve) if curve == "P-521" => found.push(unusual(Severity::Info, located)),
        KeyKind::Ed25519 => found.push(unusual(Severity::Info, located)),
        KeyKind::Ec(_) | KeyKind::Other(_) => found.push(unusual(Severity::Warning, located)),
    }
    found.extend(signature(located));
    if std::ptr::eq(subject.leaf(), &*located.certificate) {
        for finding in found.iter_mut().filter(|finding| finding.severity == Severity::Error) {
            finding.paste = remedy::request(subject);
            finding.notes.extend(remedy::restart(subject).map(Into::into));
        }
    }
    findings.append(&mut found);
}

fn length(bits: usize, located: &Located) -> Option<Finding> {
    let message = format!("the RSA key has {bits} bits");
    (bits < LEAST_BITS)
        .then(|| about_key(&RSA_TOO_SHORT, located, message).expected(format!("{LEAST_BITS} bits or more")))
}

fn public_exponent(exponent: &[u8], located: &Located) -> Option<Finding> {
    let value = exponent.iter().try_fold(0u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
    let severity = match value {
        _ if !is_odd => Severity::Error,
        Some(1) => Severity::Error,
        Some(value) if value < COMMON_EXPONENT => Severity::Warning,
        _ => return None,
    };
    let shown = value.map_or_else(|| "an even number".to_owned(), |value| value.to_string());
    let finding = about_key(&RSA_EXPONENT_SMALL, located, format!("the public exponent of the RSA key is {shown}"));
    Some(finding.severity(severity).observed(shown).expected(COMMON_EXPONENT.to_string()))
}

fn computable(weak_keys: &WeakKeys, modulus: &[u8], located: &Located, found: &mut Vec<Finding>) {
    if is_roca(modulus) {
        found.push(about_key(
            &KEY_ROCA,
            located,
            "the RSA key was made by a faulty chip, so that others can compute it",
        ));
    }
    if let Some(rounds) = fermat_rounds(modulus) {
        let message =
            format!("Fermat's method computes the private key, in {rounds} of at most {FERMAT_ROUNDS} rounds");
        found.push(about_key(&KEY_FERMAT, located, message));
    }
    if weak_keys.contains(modulus) {
        found.push(about_key(&KEY_DEBIAN_WEAK, located, "the RSA key is on a list of keys that everybody has"));
    }
}

fn unusual(severity: Severity, located: &Located) -> Finding {
    let message = format!("the key is of the kind {}, which not every client takes", located.certificate.key);
    about_key(&KEY_UNUSUAL, located, message).severity(severity).expected("RSA, or ECDSA on P-256 or P-384")
}

fn signature(located: &Located) -> Option<Finding> {
    let certificate = &located.certificate;
    // The key identifiers tell a root from a certificate by which an authority hands over to a key of its own.
    let is_self_signed = certificate.names_issuer(certificate);
    if !certificate.signature.hash_is_broken || is_self_signed {
        return None;
    }
    let name = &certificate.signature.name;
    let finding = Finding::new(&WEAK_SIGNATURE, located, format!("the certificate is signed with {name}"));
    Some(finding.field(Field::SignatureAlgorithm).observed(name).expected("a signature over SHA-256 or better"))
}

fn about_key(check: &'static Check, located: &Located, message: impl Into<String>) -> Finding {
    Finding::new(check, located, message)
        .field(Field::PublicKey)
        .observed(located.certificate.key.to_string())
        .expected("a key that nobody else can compute")
}

const LEAST_BITS: usize = 2048;
const COMMON_EXPONENT: u64 = 65_537;
const COMMON_CURVES: &[&str] = &["P-256", "P-384"];
