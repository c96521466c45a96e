//! `pronk cert create`.

use crate::Bench;

#[test]
fn self_signed_certificate_suits_every_client() {
    let bench = Bench::new();
    let out = bench.cert("create lb --common-name lb.example.com --dns node1.example.com --ip 10.0.0.1").done();
    assert!(out.contains("made certs/lb: a self-signed certificate"), "{out}");
    let text = bench.text("lb");
    assert!(text.contains("DNS:lb.example.com, DNS:node1.example.com, IP Address:10.0.0.1"), "{text}");
    for extension in ["CA:FALSE", "TLS Web Server Authentication", "Digital Signature", "Subject Key Identifier"] {
        assert!(text.contains(extension), "no {extension}: {text}");
    }
    bench.assert_pair("lb");
    bench.openssl("verify -x509_strict -verify_hostname lb.example.com -CAfile certs/lb/cert.pem certs/lb/cert.pem");
    bench.openssl("x509 -in certs/lb/cert.pem -noout -checkend 31000000");
    assert_eq!((bench.mode("certs/lb/key.pem"), bench.mode("certs/lb")), (0o600, 0o755));
    assert_eq!(bench.files("certs/lb"), ["cert.pem", "key.pem"]);
    assert!(!out.contains("PRIVATE"));
}

#[test]
fn authority_in_the_store_signs_what_strict_clients_take() {
    let bench = Bench::new();
    bench.cert("create --authority ca --common-name DemoCA --days 3650").done();
    let text = bench.text("ca");
    assert!(text.contains("Basic Constraints: critical\n                CA:TRUE"), "{text}");
    assert!(text.contains("Key Usage: critical\n                Certificate Sign, CRL Sign"), "{text}");
    for key in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072", "ed25519"] {
        bench.cert(&format!("create {key} --dns {key}.example.com --ca ca --key {key}")).done();
        bench.assert_pair(key);
        bench.openssl(&format!("verify -x509_strict -CAfile certs/ca/cert.pem certs/{key}/cert.pem"));
        let text = bench.text(key);
        assert!(text.contains("Authority Key Identifier"), "{text}");
        assert_eq!(text.contains("Key Encipherment"), key.starts_with("rsa"), "{text}");
    }
    assert_eq!(bench.cert("check").code, Some(0));
}

#[test]
fn leaf_does_not_outlive_its_authority() {
    let bench = Bench::new();
    bench.cert("create --authority ca --common-name ca --days 10").done();
    let out = bench.cert("create lb --dns lb.example.com --ca ca --days 300").done();
    assert!(out.contains("it ends with the authority's own certificate"), "{out}");
    let end = |entry: &str| bench.openssl(&format!("x509 -in certs/{entry}/cert.pem -noout -enddate"));
    assert_eq!(end("lb"), end("ca"));
}

#[test]
fn entry_is_replaced_only_when_asked() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    let before = bench.read("certs/lb/cert.pem");
    assert!(bench.cert("create lb --dns other.example.com").refused().contains("--replace"));
    assert_eq!(bench.read("certs/lb/cert.pem"), before);
    bench.cert("create lb --dns other.example.com --replace").done();
    assert!(bench.text("lb").contains("other.example.com"));
    assert_eq!(bench.files("certs"), [".lock", "lb"]);
}

#[test]
fn what_cannot_be_is_refused_with_the_remedy() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com").done();
    for (line, remedy) in [
        ("create x --dns x.example.com --ca lb", "--authority"),
        ("create x --dns x.example.com --ca nobody", "it has lb"),
        ("create x --dns x.example.com --encrypt", "--passphrase-file"),
    ] {
        let error = bench.cert(line).refused();
        assert!(error.starts_with("error: ") && error.contains(remedy), "{line}: {error}");
    }
    for (line, remedy) in [
        ("create x --dns 10.0.0.1", "--ip"),
        ("create x --dns a_b.example.com", "underscore"),
        ("create ../x --dns x.example.com", "single file name"),
        ("create --authority x --dns x.example.com", "--dns"),
        ("create --authority x", "--common-name"),
    ] {
        let ran = bench.cert(line);
        assert!(ran.code == Some(2) && ran.err.contains(remedy), "{line}: {}", ran.err);
    }
    for line in ["create x", "create x --dns a.b --key dsa", "create x --dns a.b --days 0", "create", "frob"] {
        assert_eq!(bench.cert(line).code, Some(2), "{line}");
    }
    assert_eq!(bench.files("certs"), [".lock", "lb"]);
}

#[test]
fn encrypted_key_opens_with_its_passphrase_only() {
    let bench = Bench::new();
    bench.write("pass", "Sesame 42\n");
    assert!(bench.cert("create lb --dns a.b --encrypt --passphrase-file pass").refused().contains("chmod 600"));
    bench.set_mode("pass", 0o600);
    let out = bench.cert("create lb --dns lb.example.com --encrypt --passphrase-file pass").done();
    assert!(out.contains("store: lb, passphrase-file: pass"), "{out}");
    assert!(bench.read("certs/lb/key.pem").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let public = bench.openssl("pkey -in certs/lb/key.pem -passin file:pass -pubout");
    assert_eq!(public, bench.openssl("x509 -in certs/lb/cert.pem -noout -pubkey"));

    let before = bench.read("certs/lb/key.pem");
    bench.write("wrong", "sesame");
    bench.set_mode("wrong", 0o600);
    assert!(bench.cert("renew lb --passphrase-file wrong").refused().contains("does not decrypt"));
    assert!(bench.cert("renew lb").refused().contains("--passphrase-env"));
    bench.cert("renew lb --passphrase-file pass").done();
    assert_ne!(bench.read("certs/lb/key.pem"), before);
    let public = bench.openssl("pkey -in certs/lb/key.pem -passin file:pass -pubout");
    assert_eq!(public, bench.openssl("x509 -in certs/lb/cert.pem -noout -pubkey"), "the fresh key has the passphrase");
}

#[test]
fn renewal_keeps_the_names_and_the_issuer() {
    let bench = Bench::new();
    bench.cert("create --authority ca --common-name ca").done();
    bench.cert("create lb --dns lb.example.com --ip ::1 --ca ca --days 30 --key rsa-2048").done();
    let key = bench.read("certs/lb/key.pem");
    let serial = bench.openssl("x509 -in certs/lb/cert.pem -noout -serial");
    let out = bench.cert("renew lb --same-key --days 60").done();
    assert!(out.contains("signed by ca") && out.contains("60 days"), "{out}");
    assert_eq!(bench.read("certs/lb/key.pem"), key);
    assert_ne!(bench.openssl("x509 -in certs/lb/cert.pem -noout -serial"), serial);
    bench.cert("renew lb").done();
    assert_ne!(bench.read("certs/lb/key.pem"), key);
    bench.assert_pair("lb");
    let text = bench.text("lb");
    assert!(text.contains("DNS:lb.example.com, IP Address:0:0:0:0:0:0:0:1") && text.contains("2048 bit"), "{text}");
    bench.openssl("verify -x509_strict -CAfile certs/ca/cert.pem certs/lb/cert.pem");

    // An authority keeps its key, so that what it has signed goes on.
    bench.cert("renew ca --days 900").done();
    bench.openssl("verify -x509_strict -CAfile certs/ca/cert.pem certs/lb/cert.pem");
    assert!(bench.cert("renew ca --new-key").done().contains("renew what it has signed: lb"));
}

#[test]
fn renewal_keeps_a_foreign_subject() {
    let bench = Bench::new();
    bench.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 30 -subj /C=DE/O=Example/CN=lb.example.com \
         -addext subjectAltName=DNS:lb.example.com",
    );
    bench.cert("import lb --cert c.pem --key k.pem --force").done();
    bench.cert("renew lb").done();
    let subject = bench.openssl("x509 -in certs/lb/cert.pem -noout -subject");
    assert_eq!(subject.trim(), "subject=C = DE, O = Example, CN = lb.example.com");
    assert!(bench.text("lb").contains("CA:FALSE"), "webpki refuses a server's that says CA:TRUE");
}

#[test]
fn list_and_show_tell_what_is_there() {
    let bench = Bench::new();
    assert!(bench.cert("list").refused().contains("certs"));
    bench.cert("create lb --dns lb.example.com,n1.example.com,n2.example.com,n3.example.com --days 100").done();
    bench.cert("csr next --dns next.example.com").done();
    bench.write("pronk.yaml", crate::CONFIG);
    let table = bench.cert("list --config pronk.yaml").done();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("NAME") && lines[0].ends_with("USED BY"), "{table}");
    assert!(lines[1].contains("lb.example.com, n1.example.com and 2 more"), "{table}");
    // A second may have passed.
    assert!(lines[1].contains("(100 days)") || lines[1].contains("(99 days)"), "{table}");
    assert!(lines[1].ends_with("profile front of vs-1"), "{table}");
    assert!(lines[2].contains("requested"), "{table}");

    let list: serde_json::Value = serde_json::from_str(&bench.cert("list --json").done()).unwrap();
    assert_eq!(list[0]["certificate"]["dns"][3], "n3.example.com");
    assert_eq!((&list[1]["kind"], &list[1]["request_pending"]), (&"pending".into(), &true.into()));
    let shown = bench.cert("show lb").done();
    let fingerprint = bench.openssl("x509 -in certs/lb/cert.pem -noout -fingerprint -sha256");
    let fingerprint = fingerprint.trim().split('=').next_back().unwrap().replace(':', "").to_lowercase();
    assert!(shown.contains(&fingerprint) && shown.contains("key.pem        0600"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&bench.cert("show lb --json").done()).unwrap();
    assert_eq!(json["certificate"]["fingerprint"], fingerprint);
    assert!(!bench.cert("show lb --json").done().contains("PRIVATE"));
}

#[test]
fn store_is_the_one_that_is_named() {
    let bench = Bench::new();
    bench.cert("create lb --dns lb.example.com --store other").done();
    bench.write("pronk.yaml", format!("certificate-store: keys\n{}", crate::CONFIG));
    bench.cert("create lb --dns lb.example.com --config pronk.yaml").done();
    let ran = bench.run(bench.command().env("PRONK_STORE", "third").args(["create", "lb", "--dns", "a.b"]), "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for store in ["other", "keys", "third"] {
        assert!(bench.path(store).join("lb/cert.pem").exists(), "{store}");
    }
    assert!(!bench.path("certs").exists());
}

#[test]
fn reader_that_leaves_early_spoils_nothing() {
    let bench = Bench::new();
    let command = format!("{} cert create lb --dns lb.example.com | true", env!("CARGO_BIN_EXE_pronk"));
    let ran = std::process::Command::new("sh").args(["-c", &command]).current_dir(bench.path("")).output().unwrap();
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "error: cannot write to standard output: broken pipe\n");
    assert!(bench.read("certs/lb/cert.pem").starts_with("-----BEGIN"));
}
