//! `pronk cert trust`.

use crate::Bench;
use crate::support::ca::Authority;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.cert("create --authority ca --common-name DemoCA").done();
    bench.cert("create lb --dns lb.example.com").done();
    bench.cert("create leaf --dns leaf.example.com --ca ca").done();
    bench
}

#[test]
fn certificate_is_appended_and_the_rest_stays_byte_for_byte() {
    let bench = bench();
    Authority::new("cluster").write(bench.0.path(), "truststore.pem");
    // Written by hand: a comment, Windows line ends, no line end at the end.
    let before = format!("# mine\r\n{}", bench.read("truststore.pem").trim_end().replace('\n', "\r\n"));
    bench.write("truststore.pem", &before);
    bench.set_mode("truststore.pem", 0o640);
    std::os::unix::fs::symlink("truststore.pem", bench.path("link.pem")).unwrap();

    let out = bench.cert("trust add certs/lb/cert.pem certs/ca/cert.pem --to link.pem").done();
    assert!(out.contains("added to link.pem: CN=lb.example.com") && out.contains("CN=DemoCA"), "{out}");
    let after = bench.read("truststore.pem");
    assert!(after.starts_with(&format!("{before}\n# CN=lb.example.com\n-----BEGIN CERTIFICATE-----\n")), "{after}");
    assert_eq!(bench.mode("truststore.pem"), 0o640);
    assert!(bench.path("link.pem").is_symlink());
    bench.openssl("verify -CAfile truststore.pem certs/leaf/cert.pem");
    bench.openssl("verify -CAfile truststore.pem certs/lb/cert.pem");

    let out = bench.cert("trust add certs/lb/cert.pem --to truststore.pem").done();
    assert!(out.starts_with("already in truststore.pem: CN=lb.example.com"), "{out}");
    assert_eq!(bench.read("truststore.pem"), after);
    let table = bench.cert("trust list truststore.pem").done();
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.contains("CN=lb.example.com  self-signed") && table.contains("root"), "{table}");
}

#[test]
fn new_truststore_is_readable_by_all() {
    let bench = bench();
    bench.cert("trust add certs/ca/cert.pem --to new.pem").done();
    assert_eq!(bench.mode("new.pem") & 0o444, 0o444);
    bench.openssl("verify -CAfile new.pem certs/leaf/cert.pem");
}

#[test]
fn what_is_of_no_use_in_a_truststore_is_refused() {
    let bench = bench();
    bench.cert("trust add certs/ca/cert.pem --to t.pem").done();
    let before = bench.read("t.pem");
    let error = bench.cert("trust add certs/lb/cert.pem certs/leaf/cert.pem --to t.pem").refused();
    assert!(error.contains("CN=leaf.example.com is neither an authority's nor self-signed"), "{error}");
    assert!(error.contains("CN=DemoCA instead"), "{error}");
    let expired = Authority::new("root").issue("old.example.com").expired().build();
    expired.write(bench.0.path(), "old");
    assert!(bench.cert("trust add old.pem --to t.pem").refused().contains("expired on 2021-01-01"));
    assert!(bench.cert("trust add certs/lb/key.pem --to t.pem").refused().contains("no certificate in"));
    assert_eq!(bench.read("t.pem"), before, "nothing was added, not even the good one");
    bench.cert("trust add certs/leaf/cert.pem --to t.pem --force").done();
}

#[test]
fn broken_truststore_is_not_made_worse() {
    let bench = bench();
    for (contents, reason) in [("-----BEGIN CERTIFICATE-----\nAAAA\n", "no end line"), ("\u{fe}\u{ed}", "is not PEM")] {
        bench.write("t.pem", contents);
        let error = bench.cert("trust add certs/ca/cert.pem --to t.pem").refused();
        assert!(error.contains(reason), "{error}");
        assert_eq!(bench.read("t.pem"), contents);
    }
}

#[test]
fn many_may_add_at_once() {
    let bench = bench();
    for at in 0..6 {
        Authority::new(&format!("ca{at}")).write(bench.0.path(), &format!("ca{at}.pem"));
    }
    std::thread::scope(|scope| {
        for at in 0..6 {
            let bench = &bench;
            scope.spawn(move || bench.cert(&format!("trust add ca{at}.pem --to t.pem")).done());
        }
    });
    assert_eq!(bench.cert("trust list t.pem").done().lines().count(), 7);
}
