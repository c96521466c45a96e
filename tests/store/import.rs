//! `pronk cert import`.

use crate::Bench;
use crate::support::ca::{Authority, pem_of};

/// A chain root ← middle ← lower ← lb.example.com in `lb.pem` (leaf only), `lb.key` and `above.pem` (upside down).
fn chain(bench: &Bench) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    let root = Authority::new("root");
    let lower = root.intermediate("middle").intermediate("lower");
    let leaf = lower.issue("lb.example.com").dns("lb.example.com").build();
    leaf.write(bench.0.path(), "lb");
    bench.write("lb.pem", pem_of(&leaf.chain[..1]));
    let mut above = vec![root.certificate().clone(), leaf.chain[2].clone(), leaf.chain[1].clone()];
    bench.write("above.pem", pem_of(&above));
    above.insert(0, Authority::new("stranger").certificate().clone());
    bench.write("above-and-stranger.pem", pem_of(&above));
    bench.write("root.pem", pem_of(&[root.certificate().clone()]));
    leaf.chain
}

#[test]
fn chain_is_put_in_order_without_the_root() {
    let bench = Bench::new();
    let leaf = chain(&bench);
    let out = bench.cert("import lb --cert lb.pem --key lb.key --chain above-and-stranger.pem").done();
    assert!(out.contains("chain    1: CN=lower") && out.contains("chain    2: CN=middle"), "{out}");
    assert!(out.contains("left out: the root CN=root"), "{out}");
    assert!(out.contains("left out: CN=stranger, which is not part of the chain"), "{out}");
    bench.openssl("verify -CAfile root.pem -untrusted certs/lb/chain.pem certs/lb/cert.pem");
    assert_eq!(crate::identity(&bench.path("certs"), "lb").unwrap().chain(), leaf);
    assert_eq!(bench.mode("certs/lb/key.pem"), 0o600);
}

#[test]
fn one_file_may_hold_everything_in_any_order() {
    let bench = Bench::new();
    let leaf = chain(&bench);
    bench.write("all.pem", bench.read("above.pem") + &bench.read("lb.key") + &bench.read("lb.pem"));
    bench.cert("import lb --cert all.pem").done();
    assert_eq!(crate::identity(&bench.path("certs"), "lb").unwrap().chain(), leaf);
    assert!(!bench.read("certs/lb/cert.pem").contains("PRIVATE") && !bench.read("certs/lb/key.pem").contains("CERT"));
}

#[test]
fn key_must_belong_to_the_certificate() {
    let bench = Bench::new();
    chain(&bench);
    bench.openssl("genpkey -algorithm RSA -out other.key");
    let error = bench.cert("import lb --cert lb.pem --key other.key").refused();
    assert!(error.contains("other.key does not belong to the certificate of CN=lb.example.com"), "{error}");
    assert!(bench.cert("import lb --cert lb.pem").refused().contains("give it with --key"));
    assert!(bench.cert("import lb --cert lb.key --key lb.key").refused().contains("no certificate in lb.key"));
    assert!(bench.cert("import lb --cert absent --key lb.key").refused().contains("cannot read absent"));
    bench.openssl("genrsa -out weak.key 1024");
    let error = bench.cert("import lb --cert lb.pem --key weak.key").refused();
    assert!(error.contains("weak.key cannot be used: it is not an RSA (2048 bits or more)"), "{error}");
    assert!(!bench.path("certs/lb").exists());
}

#[test]
fn what_has_expired_is_refused_unless_forced() {
    let bench = Bench::new();
    let leaf = Authority::new("root").issue("lb.example.com").dns("lb.example.com").expired().build();
    leaf.write(bench.0.path(), "lb");
    let error = bench.cert("import lb --cert lb.pem --key lb.key").refused();
    assert!(error.contains("expired on 2021-01-01") && error.contains("--force"), "{error}");
    assert!(!bench.path("certs/lb").exists());
    assert!(bench.cert("import lb --cert lb.pem --key lb.key --force").done().contains("errors and all"));
}

#[test]
fn linters_errors_are_told_and_refused() {
    let bench = Bench::new();
    let leaf = Authority::new("root").issue("other.example.com").dns("other.example.com").build();
    leaf.write(bench.0.path(), "lb");
    bench.write("pronk.yaml", crate::CONFIG);
    let error = bench.cert("import lb --cert lb.pem --key lb.key --config pronk.yaml").refused();
    assert!(error.contains("error[san-missing-frontend]") && error.contains("nothing was imported"), "{error}");
    bench.cert("import lb --cert lb.pem --key lb.key --config pronk.yaml --force").done();
}

#[test]
fn encrypted_key_stays_encrypted_as_it_is() {
    let bench = Bench::new();
    let leaf = Authority::new("root").issue("lb.example.com").dns("lb.example.com").build();
    leaf.write_encrypted(bench.0.path(), "lb", "Sesame 42");
    bench.write("pass", "Sesame 42");
    bench.set_mode("pass", 0o600);
    let error = bench.cert("import lb --cert lb.pem --key lb.key").refused();
    assert!(error.contains("--passphrase-file FILE or --passphrase-env VARIABLE"), "{error}");
    let out = bench.cert("import lb --cert lb.pem --key lb.key --passphrase-file pass").done();
    assert!(out.contains("cert-key-chain: [{ store: lb, passphrase-file: pass }]"), "{out}");
    assert_eq!(bench.read("certs/lb/key.pem").trim(), bench.read("lb.key").trim());

    let mut command = bench.command();
    command.env("PASS", "Sesame 42").args("import two --decrypt --cert lb.pem --key lb.key".split(' '));
    bench.run(command.args(["--passphrase-env", "PASS"]), "").done();
    bench.assert_pair("two");
}

#[test]
fn archive_of_openssl_is_read_and_its_key_stays_encrypted() {
    let bench = Bench::new();
    let leaf = chain(&bench);
    bench.openssl(
        "pkcs12 -export -in lb.pem -inkey lb.key -certfile above.pem -name lb -passout pass:Sesame -out lb.p12",
    );
    bench.write("pass", "Sesame");
    bench.write("wrong", "sesame");
    bench.set_mode("pass", 0o600);
    bench.set_mode("wrong", 0o600);
    let error = bench.cert("import lb --pkcs12 lb.p12 --passphrase-file wrong").refused();
    assert!(error.contains("lb.p12 cannot be opened: the passphrase does not open it"), "{error}");
    let error = bench.cert("import lb --pkcs12 lb.pem --passphrase-file pass").refused();
    assert!(error.contains("lb.pem is no PKCS#12 archive; give it with --cert"), "{error}");

    bench.cert("import lb --pkcs12 lb.p12 --passphrase-file pass").done();
    assert!(bench.read("certs/lb/key.pem").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let public = bench.openssl("pkey -in certs/lb/key.pem -passin pass:Sesame -pubout");
    assert_eq!(public, bench.openssl("x509 -in certs/lb/cert.pem -noout -pubkey"));
    bench.cert("import lb --cert lb.p12 --passphrase-file pass --decrypt --replace").done();
    assert_eq!(crate::identity(&bench.path("certs"), "lb").unwrap().chain(), leaf);
}

#[test]
fn archives_without_passphrase_or_of_old_encryption_are_read() {
    let bench = Bench::new();
    chain(&bench);
    bench.openssl("pkcs12 -export -in lb.pem -inkey lb.key -passout pass: -out empty.p12");
    bench.cert("import empty --pkcs12 empty.p12").done();
    bench.assert_pair("empty");
    bench.openssl(
        "pkcs12 -export -in lb.pem -inkey lb.key -passout pass:x -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES \
         -macalg sha1 -out old.p12",
    );
    bench.write("pass", "x");
    bench.set_mode("pass", 0o600);
    bench.cert("import old --pkcs12 old.p12 --passphrase-file pass --decrypt").done();
    bench.assert_pair("old");
}
