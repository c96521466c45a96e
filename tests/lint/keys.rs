//! Keys, signatures and key files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use num_bigint::BigUint;
use pronk::cert::Passphrase;
use pronk::cert::bundle;
use pronk::lint::{Finding, Linter, Severity, Use, WeakKeys};
use pronk::model::profile;
use rcgen::{KeyPair, PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use rustls_pki_types::CertificateDer;

use crate::corpus::{Case, FRONT, linter, role, subject};
use crate::support::ca::{Authority, Files, Leaf, pem_of, write};

pub static CASES: &[Case] = &[
    Case { check: "rsa-too-short", fires: || rsa(&random(1, 1024), 65_537), silent: || rsa(&random(1, 2048), 65_537) },
    Case { check: "rsa-exponent-small", fires: || rsa(&random(2, 2048), 3), silent: || rsa(&random(2, 2048), 65_537) },
    Case { check: "key-roca", fires: || rsa(&roca(), 65_537), silent: || rsa(&(roca() + BigUint::from(2u32)), 65_537) },
    Case { check: "key-fermat", fires: || rsa(&close_primes(40), 65_537), silent: || rsa(&random(3, 2048), 65_537) },
    Case { check: "key-debian-weak", fires: || listed(&random(4, 2048)), silent: || listed(&random(5, 2048)) },
    Case {
        check: "key-unusual",
        fires: || of_key(&KeyPair::generate_for(&PKCS_ED25519).unwrap()),
        silent: || of_key(&KeyPair::generate().unwrap()),
    },
    Case { check: "weak-signature", fires: || sha1(&[0]), silent: || sha1(&[]) },
    Case {
        check: "key-mismatch",
        fires: || {
            with_file(|folder, leaf, other| Files { key: other.write(folder, "b").key, ..leaf.write(folder, "a") })
        },
        silent: || with_file(|folder, leaf, _| leaf.write(folder, "a")),
    },
    Case {
        check: "key-encrypted",
        fires: || with_file(|folder, leaf, _| leaf.write_encrypted(folder, "a", "secret")),
        silent: || with_passphrase("secret"),
    },
    Case {
        check: "key-unusable",
        fires: || with_file(|folder, leaf, _| replaced_key(folder, leaf, &"A".repeat(64))),
        silent: || with_file(|folder, leaf, _| leaf.write(folder, "a")),
    },
    Case {
        check: "key-readable-by-others",
        fires: || with_file(|folder, leaf, _| with_mode(folder, leaf, 0o644)),
        silent: || with_file(|folder, leaf, _| with_mode(folder, leaf, 0o640)),
    },
];

/// A public key without a private one.
struct PublicRsa(Vec<u8>);

impl PublicRsa {
    fn new(modulus: &BigUint, exponent: u32) -> Self {
        let integer = |number: &BigUint| {
            let mut bytes = number.to_bytes_be();
            if bytes[0] & 0x80 != 0 {
                bytes.insert(0, 0);
            }
            tagged(0x02, &bytes)
        };
        Self(tagged(0x30, &[integer(modulus), integer(&exponent.into())].concat()))
    }
}

impl PublicKeyData for PublicRsa {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x82, high, low], contents].concat()
}

/// An odd number of so many bits; honest for these checks, which never ask for its factors.
fn random(seed: u64, bits: u64) -> BigUint {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut number = BigUint::new((0..bits / 32).map(|_| random.u32(..)).collect());
    number.set_bit(bits - 1, true);
    number.set_bit(0, true);
    number
}

/// A product of two numbers of the form k · M + (65537^a mod M), where M is the product of the primes up to 167.
fn roca() -> BigUint {
    let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
    let product: BigUint = (2..=167).filter(is_prime).map(BigUint::from).product();
    let factor = |seed, power| random(seed, 780) * &product + BigUint::from(65_537u32).pow(power) % &product;
    factor(8, 321) * factor(9, 54)
}

/// The product of two numbers that take Fermat's method about so many rounds.
fn close_primes(rounds: u32) -> BigUint {
    let p = random(6, 1024);
    // With p and q = p + 2b the method begins b² / 2p below their middle.
    let b = (BigUint::from(rounds) * &p * 2u32).sqrt();
    &p * (&p + b * 2u32)
}

fn rsa(modulus: &BigUint, exponent: u32) -> Vec<Finding> {
    of_key(&PublicRsa::new(modulus, exponent))
}

fn of_key(key: &impl PublicKeyData) -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    let certificate = ca.sign(&ca.issue(FRONT).dns(FRONT).into_params(), key);
    linter(&[&ca]).lint(&[subject("lb.pem", &[certificate], role(Use::FrontEnd))]).findings
}

/// What a linter says that has a list with the fingerprint of `random(4, 2048)`, made by OpenSSL.
fn listed(modulus: &BigUint) -> Vec<Finding> {
    let ca = Authority::new("cluster ca");
    let signed =
        |modulus: &BigUint| ca.sign(&ca.issue(FRONT).dns(FRONT).into_params(), &PublicRsa::new(modulus, 65_537));
    let folder = tempfile::tempdir().unwrap();
    let weak = write(folder.path(), "weak.pem", pem_of(&[signed(&random(4, 2048))]).as_bytes(), 0o644);
    let printed = Command::new("openssl").args(["x509", "-noout", "-modulus", "-in"]).arg(&weak).output().unwrap();
    let file = write(folder.path(), "modulus", &printed.stdout, 0o644);
    let sum = Command::new("openssl").args(["sha1", "-r"]).arg(&file).stderr(Stdio::inherit()).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let list = write(folder.path(), "list", format!("# weak keys\n{}\n", &sum[20..40]).as_bytes(), 0o644);
    let linter = Linter { weak_keys: WeakKeys::read(&[list]).unwrap(), ..linter(&[&ca]) };
    linter.lint(&[subject("lb.pem", &[signed(modulus)], role(Use::FrontEnd))]).findings
}

/// A server's certificate with its root, of which those at the given places say that they are signed over SHA-1.
fn sha1(places: &[usize]) -> Vec<Finding> {
    let ca = Authority::rsa("cluster ca");
    let leaf = ca.issue(FRONT).dns(FRONT).build();
    let mut chain = vec![leaf.certificate().clone(), ca.certificate().clone()];
    for place in places {
        let text = replace(&chain[*place], SHA256_WITH_RSA, SHA1_WITH_RSA);
        chain[*place] = CertificateDer::from(text);
    }
    linter(&[&ca]).lint(&[subject("chain.pem", &chain, role(Use::FrontEnd))]).findings
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

/// What is said of the files that `make` writes from two certificates with their keys.
fn with_file(make: impl FnOnce(&Path, &Leaf, &Leaf) -> Files) -> Vec<Finding> {
    judge(make, None)
}

fn with_passphrase(passphrase: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "passphrase", passphrase.as_bytes(), 0o600);
    let passphrase = Passphrase::read(&profile::Passphrase::File(file)).unwrap();
    judge(|folder, leaf, _| leaf.write_encrypted(folder, "a", "secret"), Some(&passphrase))
}

fn judge(make: impl FnOnce(&Path, &Leaf, &Leaf) -> Files, passphrase: Option<&Passphrase>) -> Vec<Finding> {
    let (folder, ca) = (tempfile::tempdir().unwrap(), Authority::new("cluster ca"));
    let leaves = [FRONT, FRONT].map(|name| ca.issue(name).dns(name).build());
    let files = make(folder.path(), &leaves[0], &leaves[1]);
    let mut subject = subject("a.pem", &leaves[0].chain, role(Use::FrontEnd));
    subject.key = key_of(&files.key, passphrase);
    linter(&[&ca]).lint(&[subject]).findings
}

fn key_of(path: &Path, passphrase: Option<&Passphrase>) -> Option<bundle::KeyFile> {
    bundle::read(path, passphrase).unwrap().key
}

fn with_mode(folder: &Path, leaf: &Leaf, mode: u32) -> Files {
    let files = leaf.write(folder, "a");
    let key = std::fs::read(&files.key).unwrap();
    Files { key: write(folder, "a.key", &key, mode), ..files }
}

fn replaced_key(folder: &Path, leaf: &Leaf, base64: &str) -> Files {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    Files { key: write(folder, "b.key", key.as_bytes(), 0o600), ..leaf.write(folder, "a") }
}

fn only<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let mut of_check = findings.iter().filter(|finding| finding.check.id == check);
    let first = of_check.next().unwrap_or_else(|| panic!("no {check} in {findings:?}"));
    assert!(of_check.next().is_none(), "{check} stands twice");
    first
}

#[test]
fn an_exponent_without_security_is_an_error() {
    for (exponent, severity) in [(1, Severity::Error), (65_536, Severity::Error), (3, Severity::Warning)] {
        let found = rsa(&random(10, 2048), exponent);
        assert_eq!(only(&found, "rsa-exponent-small").severity, severity, "{exponent}");
    }
    assert!(!rsa(&random(10, 2048), 65_539).iter().any(|finding| finding.check.id == "rsa-exponent-small"));
}

#[test]
fn the_signature_of_a_root_does_not_matter() {
    assert!(!sha1(&[1]).iter().any(|finding| finding.check.id == "weak-signature"));
    assert_eq!(only(&sha1(&[0]), "weak-signature").observed, "sha1WithRSAEncryption");
}

#[test]
fn kinds_that_all_refuse_are_an_error() {
    let kind = |algorithm| only(&of_key(&KeyPair::generate_for(algorithm).unwrap()), "key-unusual").severity;
    assert_eq!(kind(&PKCS_ECDSA_P521_SHA512), Severity::Info);
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("secp256k1.pem");
    let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -subj /CN=lb.example.com -keyout /dev/null -out";
    assert!(Command::new("openssl").args(make.split(' ')).arg(&pem).stderr(Stdio::null()).status().unwrap().success());
    let bundle = bundle::read(&pem, None).unwrap();
    let found = linter(&[]).lint(&[subject("k1.pem", &bundle.certificates, role(Use::FrontEnd))]).findings;
    let unusual = only(&found, "key-unusual");
    assert_eq!((unusual.severity, unusual.observed.as_str()), (Severity::Error, "ECDSA secp256k1"));
    assert_eq!(unusual.clients, "every client refuses it");
}

#[test]
fn a_key_of_another_certificate_of_the_chain_is_told() {
    let (folder, ca) = (tempfile::tempdir().unwrap(), Authority::new("cluster ca"));
    let leaves = ["lb.example.com", "other.example.com"].map(|name| ca.issue(name).dns(name).build());
    let chain: Vec<_> = leaves.iter().map(|leaf| leaf.certificate().clone()).collect();
    let mut subject = subject("both.pem", &chain, role(Use::FrontEnd));
    subject.key = key_of(&leaves[1].write(folder.path(), "other").key, None);
    let found = linter(&[&ca]).lint(&[subject]).findings;
    let notes = &only(&found, "key-mismatch").notes;
    assert_eq!(notes[0], "the key belongs to both.pem: certificate 2 of 2 of CN=other.example.com");
}

#[test]
fn the_key_file_that_is_open_to_all_can_be_mended_by_pasting() {
    let found = with_file(|folder, leaf, _| with_mode(folder, leaf, 0o604));
    let open = only(&found, "key-readable-by-others");
    assert_eq!((open.observed.as_str(), open.severity), ("mode 0604", Severity::Error), "pronk refuses it itself");
    let path = PathBuf::from(open.paste[0].strip_prefix("chmod 600 ").unwrap());
    assert_eq!(path.file_name().unwrap(), "a.key");
}

#[test]
fn an_encrypted_key_is_told_what_keeps_it_closed() {
    let found = with_file(|folder, leaf, _| leaf.write_encrypted(folder, "a", "secret"));
    let encrypted = only(&found, "key-encrypted");
    assert!(encrypted.observed.ends_with("is encrypted and no passphrase is given"), "{}", encrypted.observed);
    assert!(encrypted.paste.iter().any(|line| line.starts_with("--ssl_private_key_password_cmd=")));
    assert!(!found.iter().any(|finding| ["key-unusable", "key-mismatch"].contains(&finding.check.id)), "{found:?}");
}

/// The object identifiers in DER; both have the same length.
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const SHA1_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
