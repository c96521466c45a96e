//! `pronk cert export`.

use crate::Bench;

#[test]
fn certificate_and_chain_come_out_without_the_key() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    assert_eq!(bench.cert("export lb").done(), bench.read("certs/lb/cert.pem"));
    assert_eq!(bench.cert("export lb --cert-only").done(), bench.read("certs/lb/cert.pem"));
    assert!(bench.cert("export lb --chain").refused().contains("has no chain"));
    assert_eq!(bench.cert("export lb --key").done(), bench.read("certs/lb/key.pem"));
    assert_eq!(bench.cert("export lb --key --pkcs12").code, Some(2));
}

#[test]
fn files_with_keys_are_for_their_owner_alone() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    bench.write("out.key", "old");
    bench.set_mode("out.key", 0o644);
    assert!(bench.cert("export lb --key --out out.key").refused().contains("--replace"));
    bench.cert("export lb --key --out out.key --replace").done();
    assert_eq!((bench.read("out.key"), bench.mode("out.key")), (bench.read("certs/lb/key.pem"), 0o600));
    bench.cert("export lb --out out.pem").done();
    assert_eq!(bench.mode("out.pem"), 0o644);
}

#[test]
fn openssl_reads_the_archive() {
    let bench = Bench::new();
    bench.cert("create --authority ca --common-name ca").done();
    bench.write("pass", "Sesame");
    bench.set_mode("pass", 0o600);
    for (name, key) in [("ec", "ecdsa-p256"), ("rsa", "rsa-2048"), ("ed", "ed25519")] {
        bench.cert(&format!("create {name} --dns lb.example.com --ca ca --key {key}")).done();
        assert!(bench.cert(&format!("export {name} --pkcs12 --out x.p12")).refused().contains("--passphrase-file"));
        bench.cert(&format!("export {name} --pkcs12 --out {name}.p12 --passphrase-file pass")).done();
        assert_eq!(bench.mode(&format!("{name}.p12")), 0o600);
        bench.openssl(&format!("pkcs12 -in {name}.p12 -passin file:pass -nodes -out {name}.all"));
        let of = |file: &str| bench.openssl(&format!("pkey -in {file} -pubout"));
        assert_eq!(of(&format!("{name}.all")), of(&format!("certs/{name}/key.pem")));
        bench.cert(&format!("import {name}2 --pkcs12 {name}.p12 --passphrase-file pass --decrypt")).done();
        bench.assert_pair(&format!("{name}2"));
    }
    assert_ne!(bench.openssl_with("pkcs12 -in ec.p12 -passin pass:wrong -nodes", "").code, Some(0));
}

#[test]
fn old_key_formats_go_into_an_archive() {
    let bench = Bench::new();
    bench.write("pass", "Sesame");
    bench.set_mode("pass", 0o600);
    bench.openssl("genrsa -traditional -out rsa.key 2048");
    bench.openssl("ecparam -genkey -name prime256v1 -out ec.key");
    for name in ["rsa", "ec"] {
        bench.openssl(&format!(
            "req -x509 -key {name}.key -out {name}.pem -days 9 -subj /CN=lb.example.com -addext \
             subjectAltName=DNS:lb.example.com -addext basicConstraints=critical,CA:FALSE"
        ));
        bench.cert(&format!("import {name} --cert {name}.pem --key {name}.key")).done();
        bench.cert(&format!("export {name} --pkcs12 --out {name}.p12 --passphrase-file pass")).done();
        bench.openssl(&format!("pkcs12 -in {name}.p12 -passin file:pass -nodes -out all.pem"));
        assert_eq!(bench.openssl("pkey -in all.pem -pubout"), bench.openssl(&format!("pkey -in {name}.key -pubout")));
    }
}
