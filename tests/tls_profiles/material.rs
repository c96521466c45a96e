//! Certificates and keys that cannot be used, and what the errors say.

use std::path::Path;

use pronk::model::profile::{CertKey, Certificate, ClientSsl, Passphrase};
use pronk::tls::{LiveClientSsl, ProfileError};

use crate::handshake::{Bench, cert_key};
use crate::support::ca::{Files, pem_of, write};

const HOST: &str = "lb.example.com";

fn errors(bench: &Bench, profile: &ClientSsl) -> Vec<ProfileError> {
    LiveClientSsl::build(profile, bench.path(), None).unwrap_err()
}

/// The one mistake of a profile with this one certificate.
fn error(bench: &Bench, source: CertKey) -> ProfileError {
    let mut profile = bench.client_ssl(&[]);
    profile.cert_key_chain = vec![source];
    let mut errors = errors(bench, &profile);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

fn file(bench: &Bench, name: &str, contents: &str) -> std::path::PathBuf {
    write(bench.path(), name, contents.as_bytes(), 0o600)
}

#[test]
fn every_certificate_of_a_profile_is_reported_on() {
    let bench = Bench::new();
    let files = bench.ca.issue(HOST).dns(HOST).build().write(bench.path(), "lb");
    let absent = |name: &str| bench.path().join(name);
    let mut profile = bench.client_ssl(&[]);
    profile.cert_key_chain = vec![
        cert_key(&Files { cert: absent("a.pem"), key: absent("a.key") }),
        cert_key(&files),
        CertKey { certificate: Certificate::Store("../etc".to_owned()), ..cert_key(&files) },
        CertKey {
            certificate: Certificate::Files { cert: files.cert, key: files.key, chain: Some(absent("chain.pem")) },
            passphrase: None,
            sni_default: false,
        },
    ];
    let errors = errors(&bench, &profile);
    let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
    let expected =
        ["cert-key-chain.0.cert", "cert-key-chain.0.key", "cert-key-chain.2.store", "cert-key-chain.3.chain"];
    assert_eq!(keys, expected);
    let message = format!("cannot read {}: no such file or directory", absent("a.pem").display());
    assert_eq!(errors[0].message, message);
}

#[test]
fn profile_without_certificates_is_refused() {
    let bench = Bench::new();
    assert_eq!(errors(&bench, &bench.client_ssl(&[]))[0].key, "cert-key-chain");
}

#[test]
fn files_without_what_they_should_hold_are_told() {
    let bench = Bench::new();
    let good = bench.ca.issue(HOST).dns(HOST).build().write(bench.path(), "lb");
    let empty = file(&bench, "empty", "");
    let found = error(&bench, cert_key(&Files { cert: empty.clone(), ..good.clone() }));
    assert!(found.message.starts_with("no certificate in "), "{found}");
    let found = error(&bench, cert_key(&Files { key: empty, ..good.clone() }));
    assert!(found.message.starts_with("no private key in "), "{found}");
    let swapped = error(&bench, cert_key(&Files { cert: good.key.clone(), key: good.key.clone() }));
    assert!(swapped.message.starts_with("no certificate in "), "{swapped}");
    let cut = file(&bench, "cut", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let found = error(&bench, cert_key(&Files { cert: cut, ..good.clone() }));
    assert!(
        found
            .message
            .ends_with(":1 is not well-formed PEM: the section \"CERTIFICATE\" that begins here has no end line"),
        "{found}"
    );
    let garbage = file(&bench, "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let found = error(&bench, cert_key(&Files { cert: garbage, ..good }));
    assert!(found.message.contains("garbage:1 is not well-formed PEM: the section that begins here"), "{found}");
    let sequence = file(&bench, "sequence", "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n");
    let found =
        error(&bench, cert_key(&Files { cert: sequence, ..bench.ca.issue(HOST).build().write(bench.path(), "b") }));
    assert!(found.message.contains("certificate 1 in ") && found.message.contains("it is no X.509"), "{found}");
}

#[test]
fn certificate_may_be_der() {
    let bench = Bench::new();
    let leaf = bench.ca.issue(HOST).dns(HOST).build();
    let files = leaf.write(bench.path(), "lb");
    let cert = write(bench.path(), "lb.der", leaf.certificate(), 0o644);
    let mut profile = bench.client_ssl(&[]);
    profile.cert_key_chain = vec![cert_key(&Files { cert, ..files })];
    assert_eq!(bench.serve(&profile).identities()[0].chain(), leaf.chain);
}

#[test]
fn key_must_belong_to_the_certificate() {
    let bench = Bench::new();
    let good = bench.ca.issue(HOST).dns(HOST).build();
    let files = good.write(bench.path(), "lb");
    let other = bench.ca.issue("other").build();
    let found = error(&bench, cert_key(&Files { key: other.write(bench.path(), "other").key, ..files.clone() }));
    assert_eq!(found.key, "cert-key-chain.0.key");
    assert!(found.message.contains("does not belong to the certificate of CN=lb.example.com in "), "{found}");
    assert_eq!(found.help, None);

    let upside_down = [bench.ca.certificate().clone(), good.certificate().clone()];
    let cert = file(&bench, "reversed.pem", &pem_of(&upside_down));
    let found = error(&bench, cert_key(&Files { cert, ..files }));
    assert!(found.help.unwrap().contains("certificate 2"));
}

#[test]
fn key_that_others_can_read_is_refused() {
    let bench = Bench::new();
    let files = bench.ca.issue(HOST).build().write(bench.path(), "lb");
    let contents = std::fs::read(&files.key).unwrap();
    let key = write(bench.path(), "open.key", &contents, 0o600);
    set_mode(&key, 0o644);
    let found = error(&bench, cert_key(&Files { key: key.clone(), ..files.clone() }));
    assert!(found.message.ends_with("can be read by every user of this host (mode 0644)"), "{found}");
    assert_eq!(found.help.unwrap(), format!("chmod 600 {}", key.display()));

    set_mode(&key, 0o640);
    let mut profile = bench.client_ssl(&[]);
    profile.cert_key_chain = vec![cert_key(&Files { key, ..files })];
    bench.serve(&profile);
}

#[test]
fn encrypted_key_opens_with_its_passphrase() {
    let bench = Bench::new();
    let files = bench.ca.issue(HOST).dns(HOST).build().write_encrypted(bench.path(), "lb", "Sesame 42");
    let with = |passphrase: Option<Passphrase>| CertKey { passphrase, ..cert_key(&files) };
    let from_file = |name: &str, contents: &str| Some(Passphrase::File(file(&bench, name, contents)));
    let mut profile = bench.client_ssl(&[]);
    let all = ["Sesame 42", "Sesame 42\n", "Sesame 42\r\na comment\n", "Sesame 42\r", "\u{feff}Sesame 42\n"];
    for contents in all {
        profile.cert_key_chain = vec![with(from_file("right", contents))];
        bench.serve(&profile);
    }

    let found = error(&bench, with(None));
    assert!(found.message.ends_with("is encrypted and no passphrase is given"), "{found}");
    assert!(found.help.is_some());
    for wrong in 0..40 {
        let found = error(&bench, with(from_file("wrong", &format!("wrong {wrong}"))));
        assert_eq!(found.key, "cert-key-chain.0.key");
        assert!(found.message.starts_with("the passphrase does not decrypt"), "{found}");
    }
    let found = error(&bench, with(from_file("blank", "\n")));
    assert_eq!(found.key, "cert-key-chain.0.passphrase-file");
    let found = error(&bench, with(Some(Passphrase::Environment("PRONK_TEST_UNSET".to_owned()))));
    assert_eq!(found.key, "cert-key-chain.0.passphrase-env");
    assert!(found.message.contains("PRONK_TEST_UNSET"));
}

#[test]
fn passphrase_comes_from_the_environment() {
    // Cargo sets this one for tests; setting another would not be safe beside the other tests' threads.
    let passphrase = std::env::var("CARGO_PKG_NAME").unwrap();
    let bench = Bench::new();
    let files = bench.ca.issue(HOST).dns(HOST).build().write_encrypted(bench.path(), "lb", &passphrase);
    let mut profile = bench.client_ssl(&[]);
    let passphrase = Some(Passphrase::Environment("CARGO_PKG_NAME".to_owned()));
    profile.cert_key_chain = vec![CertKey { passphrase, ..cert_key(&files) }];
    bench.serve(&profile);
}

#[test]
fn unknown_encryption_is_refused_with_the_remedy() {
    let bench = Bench::new();
    let files = bench.ca.issue(HOST).build().write(bench.path(), "lb");
    let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                DEK-Info: CAMELLIA-256-CBC,000102030405060708090A0B0C0D0E0F\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let key = file(&bench, "legacy.key", text);
    let passphrase = Some(Passphrase::File(file(&bench, "pass", "Sesame")));
    let found = error(&bench, CertKey { passphrase, ..cert_key(&Files { key, ..files }) });
    assert!(found.message.ends_with("in a way that is not supported: CAMELLIA-256-CBC"), "{found}");
    assert!(found.help.unwrap().contains("openssl pkcs8 -topk8"));
}

#[test]
fn store_entry_brings_its_chain() {
    let bench = Bench::new();
    let leaf = bench.ca.intermediate("under").issue(HOST).dns(HOST).build();
    leaf.write_store_entry(bench.path(), "f5-impala");
    write(&bench.path().join("f5-impala"), "chain.pem", pem_of(&leaf.chain[1..]).as_bytes(), 0o644);
    let source =
        |name: &str| CertKey { certificate: Certificate::Store(name.to_owned()), passphrase: None, sni_default: false };
    let mut profile = bench.client_ssl(&[]);
    profile.cert_key_chain = vec![source("f5-impala")];
    assert_eq!(bench.serve(&profile).identities()[0].chain(), leaf.chain, "nothing twice");

    let found = error(&bench, source("f5-impalla"));
    assert_eq!(found.key, "cert-key-chain.0.store");
    assert_eq!(found.help.unwrap(), "it has f5-impala");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
