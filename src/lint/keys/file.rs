//! The private key's file beside its certificate.

use crate::cert::Field;
use crate::cert::bundle::KeyFile;
use crate::lint::clients::Why;
use crate::lint::{Check, Clients, Family, Finding, Severity, Subject, Use};
use crate::words::quoted;

pub(super) static KEY_MISMATCH: Check = Check {
    id: "key-mismatch",
    family: Family::Keys,
    severity: Severity::Error,
    title: "the private key does not belong to the certificate",
    basis: "RFC 8446, section 4.4.3: the server signs with the key that is in its certificate",
    clients: Clients::Judged(&[Why::ForeignKey]),
    explanation: "The public half of the private key is not the key that the certificate carries. OpenSSL says `key values \
        mismatch`. Mostly the certificate was renewed with another request, or the files of two nodes were mixed up, or \
        the file begins with an authority's certificate instead of the server's own.",
    remedy: "find the key from which the certificate was requested, or request a certificate for this key",
};

pub(super) static KEY_ENCRYPTED: Check = Check {
    id: "key-encrypted",
    family: Family::Keys,
    severity: Severity::Error,
    title: "the private key is encrypted and cannot be decrypted with what is given",
    basis: "RFC 8018, section 6.2",
    clients: Clients::Concerns("the server that is to use the key"),
    explanation: "Whether the key belongs to the certificate cannot be told without its passphrase. pronk takes the \
        passphrase from a file or the environment, and an impalad runs the command of `--ssl_private_key_password_cmd`, \
        which prints it.\n\n\
        PBES2, the older schemes of PKCS#5 and PKCS#12, and OpenSSL's old format (`Proc-Type: 4,ENCRYPTED`) are read, with \
        AES, DES or RC2. A key that is encrypted in another way is written anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc`.",
    remedy: "pass --passphrase-file here, and set --ssl_private_key_password_cmd for an impalad",
};

pub(super) static KEY_UNUSABLE: Check = Check {
    id: "key-unusable",
    family: Family::Keys,
    severity: Severity::Error,
    title: "the private key cannot be used",
    basis: "RFC 5958 (PKCS#8), RFC 8017 (RSA), RFC 5915 (elliptic curves)",
    clients: Clients::Concerns("the server that is to use the key"),
    explanation: "The file has a private key that cannot be decoded, or one of a kind that is of no use to a TLS server: \
        RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, and Ed25519 are.",
    remedy: "make a new key and request a certificate for it",
};

pub(super) static KEY_READABLE_BY_OTHERS: Check = Check {
    id: "key-readable-by-others",
    family: Family::Keys,
    severity: Severity::Warning,
    title: "every user of the host can reach the private key",
    basis: "CA/Browser Forum Baseline Requirements, section 1.6.1: a key to which others have had access is compromised",
    clients: Clients::Concerns("every user of the host, and pronk, which serves with no such key"),
    explanation: "Who can read the private key can pose as the server, and can read traffic of which the keys were exchanged \
        with RSA. A group is fine: an impalad often reads a key that belongs to root and to the group `impala`.",
    remedy: "take the permissions from others; if the host has users who are not trusted, replace the key",
};

pub(super) fn lint(subject: &Subject, key: &KeyFile, findings: &mut Vec<Finding>) {
    let path = key.path.display();
    match &key.spki {
        Ok(spki) => findings.extend(mismatch(subject, key, spki)),
        Err(reason) if key.encrypted => findings.push(
            finding(&KEY_ENCRYPTED, subject, format!("the private key in {path} is encrypted and cannot be decrypted"))
                .observed(reason)
                .expected("a key whose passphrase is known")
                .paste(["--passphrase-file FILE".into(), "--ssl_private_key_password_cmd=\"cat FILE\"".into()]),
        ),
        Err(reason) => findings.push(
            finding(&KEY_UNUSABLE, subject, format!("the private key in {path} cannot be used"))
                .observed(reason)
                .expected("an RSA, ECDSA or Ed25519 key in PKCS#8, PKCS#1 or SEC1"),
        ),
    }
    if key.mode & OTHERS != 0 {
        // pronk itself refuses the file then.
        let severity =
            if subject.role.usage == Use::FrontEnd { Severity::Error } else { KEY_READABLE_BY_OTHERS.severity };
        findings.push(
            finding(
                &KEY_READABLE_BY_OTHERS,
                subject,
                format!("every user of the host can reach the private key {path}"),
            )
            .severity(severity)
            .observed(format!("mode {:04o}", key.mode))
            .expected("mode 0600, or 0640 with a group of its own")
            .paste([format!("chmod 600 {}", quoted(&path.to_string()))])
            .note("the user whom the server runs as must own it then"),
        );
    }
}

fn mismatch(subject: &Subject, key: &KeyFile, spki: &[u8]) -> Option<Finding> {
    let leaf = subject.leaf();
    if leaf.key.spki == spki {
        return None;
    }
    let path = key.path.display();
    let finding = finding(
        &KEY_MISMATCH,
        subject,
        format!("the private key in {path} does not belong to the certificate of {}", leaf.title()),
    )
    .field(Field::PublicKey)
    .expected(format!("the public half of {path}"));
    let owner = subject.chain().iter().find(|other| other.certificate.key.spki == spki);
    Some(match owner {
        Some(owner) => finding
            .observed(format!("a key that belongs to {}", owner.certificate.title()))
            .note(format!("the key belongs to {} of {}", owner.origin, owner.certificate.title())),
        None => finding.observed(format!("another {} key", leaf.key)).note(
            "what belongs together prints the same: openssl pkey -in KEY -pubout, openssl x509 -in CERTIFICATE -noout -pubkey",
        ),
    })
}

fn finding(check: &'static Check, subject: &Subject, message: String) -> Finding {
    Finding::new(check, subject.leaf_located(), message)
}

/// The permissions of those who are neither the owner nor in the group, as pronk judges keys when it reads them.
const OTHERS: u32 = 0o007;
