//! `pronk cert csr`, and the certificate that comes of it.

use crate::Bench;

#[test]
fn request_becomes_an_entry_once_it_is_signed() {
    let bench = Bench::new();
    // As the linter's remedy has it.
    let line = "csr lb --common-name lb.example.com --dns lb.example.com --dns node1.example.com --ip 10.0.0.1";
    let csr = bench.cert(line).done();
    bench.write("lb.csr", &csr);
    let text = bench.openssl("req -in lb.csr -verify -noout -text");
    assert!(text.contains("verify OK"), "{text}");
    assert!(text.contains("CN = lb.example.com"), "{text}");
    assert!(text.contains("DNS:lb.example.com, DNS:node1.example.com, IP Address:10.0.0.1"), "{text}");
    assert_eq!(bench.files("certs/lb"), ["csr.pem", "key.pem"]);
    assert_eq!(bench.mode("certs/lb/key.pem"), 0o600);
    assert!(bench.cert(line).refused().contains("waits for the certificate"));

    bench.foreign_authority("corp");
    bench.foreign_sign("corp", "lb.csr", "signed.pem");
    bench.cert("import lb --cert signed.pem").done();
    assert_eq!(bench.files("certs/lb"), ["cert.pem", "key.pem"]);
    bench.assert_pair("lb");
    assert!(crate::identity(&bench.path("certs"), "lb").is_ok());
}

#[test]
fn certificate_of_another_request_is_refused() {
    let bench = Bench::new();
    bench.cert("csr lb --dns lb.example.com --out lb.csr").done();
    bench.cert("csr other --dns lb.example.com --out other.csr").done();
    bench.foreign_authority("corp");
    bench.foreign_sign("corp", "other.csr", "signed.pem");
    let error = bench.cert("import lb --cert signed.pem").refused();
    assert!(error.contains("does not belong to the certificate of CN=lb.example.com"), "{error}");
    assert_eq!(bench.files("certs/lb"), ["csr.pem", "key.pem"]);
}

#[test]
fn entry_serves_its_certificate_until_the_next_comes() {
    let bench = Bench::new();
    bench.foreign_authority("corp");
    bench.cert("csr lb --dns lb.example.com --out lb.csr").done();
    bench.foreign_sign("corp", "lb.csr", "first.pem");
    bench.cert("import lb --cert first.pem").done();
    let first = bench.read("certs/lb/cert.pem");

    let out = bench.cert("renew lb --out next.csr").done();
    assert!(out.contains("pronk cert import lb --cert SIGNED.pem"), "{out}");
    assert!(bench.openssl("req -in next.csr -verify -noout -text").contains("DNS:lb.example.com"));
    assert_eq!(bench.files("certs/lb"), ["cert.pem", "csr.pem", "key.pem", "next-key.pem"]);
    assert_eq!((bench.read("certs/lb/cert.pem"), bench.mode("certs/lb/next-key.pem")), (first.clone(), 0o600));
    bench.assert_pair("lb");
    assert!(bench.cert("renew lb").refused().contains("--replace"));

    bench.foreign_sign("corp", "next.csr", "second.pem");
    bench.cert("import lb --cert second.pem").done();
    assert_ne!(bench.read("certs/lb/cert.pem"), first);
    bench.assert_pair("lb");
    assert_eq!(bench.files("certs/lb"), ["cert.pem", "key.pem"]);
}
