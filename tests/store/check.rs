//! `pronk cert check`.

use crate::Bench;
use crate::support::ca::Authority;

#[test]
fn exit_code_tells_errors_from_what_cannot_be_read() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    bench.cert("create other --dns lb.example.com").done();
    assert!(bench.cert("check").done().starts_with("certs/lb: ok\ncerts/other: ok\n"));

    bench.set_mode("certs/lb/key.pem", 0o644);
    let ran = bench.cert("check lb");
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("error[key-readable-by-others]") && ran.out.contains("chmod 600"), "{ran:?}");
    assert_eq!(bench.cert("check other").code, Some(0));

    bench.write("certs/lb/key.pem", bench.read("certs/other/key.pem"));
    bench.set_mode("certs/lb/key.pem", 0o600);
    let ran = bench.cert("check");
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("error[key-mismatch]"), "{ran:?}");

    bench.write("certs/lb/cert.pem", "nothing");
    let ran = bench.cert("check");
    assert_eq!((ran.code, ran.err.contains("no certificate in certs/lb/cert.pem")), (Some(3), true), "{ran:?}");
    assert_eq!(bench.cert("check absent").code, Some(3));
}

#[test]
fn expired_entry_is_an_error() {
    let bench = Bench::new();
    let leaf = Authority::new("root").issue("lb.example.com").dns("lb.example.com").expired().build();
    leaf.write_store_entry(&bench.path("certs"), "lb");
    let ran = bench.cert("check");
    assert_eq!((ran.code, ran.out.contains("error[expired]")), (Some(1), true), "{ran:?}");
}

#[test]
fn names_that_clients_connect_to_come_from_the_configuration() {
    let bench = Bench::new();
    bench.cert("create lb --dns other.example.com").done();
    bench.write("pronk.yaml", crate::CONFIG);
    assert_eq!(bench.cert("check").code, Some(0));
    let ran = bench.cert("check --config pronk.yaml");
    assert_eq!((ran.code, ran.out.contains("san-missing-frontend")), (Some(1), true), "{ran:?}");
}

#[test]
fn passphrase_comes_from_the_profile() {
    let bench = Bench::new();
    bench.write("pass", "Sesame");
    bench.set_mode("pass", 0o600);
    bench.cert("create lb --dns lb.example.com --encrypt --passphrase-file pass").done();
    assert!(bench.cert("check").out.contains("error[key-encrypted]"));
    let config = |file: &str| crate::CONFIG.replace("store: lb", &format!("store: lb, passphrase-file: {file}"));
    bench.write("pronk.yaml", config("pass"));
    bench.cert("check --config pronk.yaml").done();
    bench.write("wrong", "sesame");
    bench.set_mode("wrong", 0o600);
    bench.write("pronk.yaml", config("wrong"));
    let ran = bench.cert("check --config pronk.yaml");
    assert_eq!((ran.code, ran.out.contains("does not decrypt")), (Some(1), true), "{ran:?}");
}
