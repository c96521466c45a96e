//! Files without end, pipes, and what grows: each is bounded, and told in words.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pronk::cert::bundle;
use rustix::fs::{CWD, Mode, mkfifoat};

struct Ran {
    code: Option<i32>,
    text: String,
}

fn pronk(folder: &Path, arguments: &str) -> Ran {
    shell(folder, &format!("exec \"$PRONK\" {arguments}"))
}

fn shell(folder: &Path, script: &str) -> Ran {
    let ran = Command::new("bash")
        .args(["-c", script])
        .env("PRONK", env!("CARGO_BIN_EXE_pronk"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [ran.stdout, ran.stderr].concat();
    Ran { code: ran.status.code(), text: String::from_utf8_lossy(&text).into_owned() }
}

/// A folder with the server's certificate and key of the corpus, and a configuration that names them as given.
fn folder(cert: &str, key: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [("base-chain.pem", "lb.pem"), ("base-lb.key", "lb.key"), ("openssl-chain.p12", "lb.p12")] {
        std::fs::copy(fixture(from), folder.path().join(to)).unwrap();
        std::fs::set_permissions(folder.path().join(to), PermissionsExt::from_mode(0o600)).unwrap();
    }
    std::fs::write(folder.path().join("pass"), "\u{feff}secret\r\n").unwrap();
    std::fs::set_permissions(folder.path().join("pass"), PermissionsExt::from_mode(0o600)).unwrap();
    let text = format!(
        "nodes: {{ n: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: [n:21050] }} }}\nprofiles:\n  front:\n    \
         type: client-ssl\n    cert-key-chain: [{{ cert: {cert}, key: {key}, passphrase-file: pass }}]\n\
         virtual-servers: {{ v: {{ destination: 127.0.0.1:0, hostname: lb.example.com, pool: p, client-ssl: front }} }}\n"
    );
    let text = text.replace("127.0.0.1:0", "127.0.0.1:21051");
    std::fs::write(folder.path().join("pronk.yaml"), text).unwrap();
    folder
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files").join(name)
}

fn fifo(folder: &Path, name: &str) {
    mkfifoat(CWD, folder.join(name), Mode::RUSR | Mode::WUSR).unwrap();
}

#[test]
fn endless_files_are_refused_by_every_command() {
    let folder = folder("/dev/zero", "lb.key");
    for (arguments, code) in [
        ("lint /dev/zero", 3),
        ("lint lb.pem --ca-file /dev/zero", 3),
        ("lint lb.pem --crl /dev/zero", 3),
        ("lint lb.pem --passphrase-file /dev/zero", 3),
        ("lint lb.pem --weak-keys /dev/zero", 2),
        ("check /dev/zero", 1),
        ("check pronk.yaml", 1),
        ("cert import x --cert /dev/zero --store certs", 1),
        ("cert import x --cert lb.pem --key /dev/zero --store certs", 1),
        ("cert trust list /dev/zero", 1),
        ("cert trust add /dev/zero --to t.pem", 1),
    ] {
        let ran = pronk(folder.path(), arguments);
        assert!(ran.text.contains("is larger than"), "{arguments}: {}", ran.text);
        assert_eq!(ran.code, Some(code), "{arguments}: {}", ran.text);
    }
}

#[test]
fn pipe_without_a_writer_is_told_instead_of_waited_for() {
    let folder = folder("lb.pem", "pipe");
    fifo(folder.path(), "pipe");
    for arguments in ["lint pipe", "check pipe", "check pronk.yaml", "cert import x --cert pipe --store certs"] {
        let ran = pronk(folder.path(), arguments);
        assert!(ran.text.contains("nobody wrote to the pipe"), "{arguments}: {}", ran.text);
        assert_ne!(ran.code, Some(0), "{arguments}");
    }
}

#[test]
fn pipes_are_read_once_and_whole() {
    let folder = folder("pipe", "pipe");
    for script in [
        "\"$PRONK\" lint <(cat lb.pem) --ca-file <(cat lb.pem) --passphrase-file <(cat pass) --fail-on never",
        "cat lb.pem | \"$PRONK\" lint - --fail-on never",
        "\"$PRONK\" cert import x --cert <(cat lb.pem) --key <(cat lb.key) --store certs",
        "\"$PRONK\" cert import y --pkcs12 <(cat lb.p12) --passphrase-file <(cat pass) --store certs",
        "\"$PRONK\" cert trust list <(cat lb.pem)",
    ] {
        let ran = shell(folder.path(), script);
        assert!(ran.code == Some(0) || script.contains("lint"), "{script}: {}", ran.text);
        assert!(!ran.text.contains("pipe") && !ran.text.contains("no certificate"), "{script}: {}", ran.text);
    }
    // Certificate and key in one pipe, of which a configuration says that it is the file of both.
    fifo(folder.path(), "pipe");
    let writer = std::thread::spawn({
        let (pipe, all) = (folder.path().join("pipe"), std::fs::read(fixture("base-all.pem")).unwrap());
        move || std::fs::OpenOptions::new().write(true).open(pipe).unwrap().write_all(&all).unwrap()
    });
    let ran = pronk(folder.path(), "check pronk.yaml");
    writer.join().unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.text);
}

#[test]
fn archive_serves_as_certificate_and_key() {
    let folder = folder("lb.p12", "lb.p12");
    let ran = pronk(folder.path(), "check pronk.yaml");
    assert_eq!(ran.code, Some(0), "{}", ran.text);
}

#[test]
fn key_beside_a_named_certificate_is_found_as_in_its_folder() {
    let folder = folder("lb.pem", "lb.key");
    std::fs::set_permissions(folder.path().join("lb.key"), PermissionsExt::from_mode(0o644)).unwrap();
    for arguments in ["lint lb.pem", "lint .", "lint ./lb.pem"] {
        let ran = pronk(folder.path(), &format!("{arguments} --passphrase-file pass"));
        assert!(ran.text.contains("key-readable-by-others"), "{arguments}: {}", ran.text);
    }
    // Another certificate's key is a finding, and a file that is no key is none.
    std::fs::copy(fixture("openssl-p384.key"), folder.path().join("lb.key")).unwrap();
    assert!(pronk(folder.path(), "lint lb.pem").text.contains("key-mismatch"));
    std::fs::write(folder.path().join("lb.key"), "not yet").unwrap();
    let ran = pronk(folder.path(), "lint lb.pem");
    assert!(!ran.text.contains("lb.key"), "{}", ran.text);
}

#[test]
fn what_is_given_as_a_certificate_is_named_as_what_it_is() {
    for (file, what) in [
        ("base-lb.csr", "it is a certificate request (CSR)"),
        ("base-lb.key", "it is a private key"),
        ("openssl-public.pem", "it is a public key"),
        ("openssl-list.crl", "it is a revocation list (CRL)"),
        ("openssl-version1.crl", "it is a revocation list (CRL)"),
        ("openssh-ed25519.key", "it is a private key in OpenSSH's own format"),
        ("openssh-ed25519.pub", "is a public key of SSH"),
        ("pgp-public.asc", "it is a PGP block"),
        ("openssl-pbes2-aes256.key", "it is an encrypted private key"),
        ("openssl-dh.pem", "it is a file of parameters"),
        ("cfssl-out.json", "is JSON"),
        ("keytool-trust.jks", "is a Java keystore (JKS)"),
        ("other-kubernetes.txt", "encoded in base64 once more"),
    ] {
        let folder = folder(fixture(file).to_str().unwrap(), "lb.key");
        for arguments in ["check pronk.yaml".to_owned(), format!("cert trust list {}", fixture(file).display())] {
            let ran = pronk(folder.path(), &arguments);
            assert!(ran.text.contains(what), "{file}, {arguments}: {}", ran.text);
            assert_eq!(ran.code, Some(1), "{file}, {arguments}: {}", ran.text);
        }
    }
}

#[test]
fn version_1_list_is_refused_where_clients_are_verified_against_it() {
    let path = fixture("openssl-version1.crl");
    let lists = bundle::read_revocation_lists(&path).unwrap();
    let error = bundle::decode_revocation_list(&path, 1, lists[0].clone()).unwrap_err().to_string();
    assert!(
        error.contains("revocation list 1 (of CN=corpus ca) in ") && error.contains("it is of version 1"),
        "{error}"
    );
}

#[test]
fn thousands_of_names_do_not_fill_the_messages() {
    let folder = tempfile::tempdir().unwrap();
    let names: String = (0..3000).map(|it| format!(",DNS:n{it}.example.com")).collect();
    let script = format!(
        "printf '[req]\nprompt=no\ndistinguished_name=d\nx509_extensions=v3\n[d]\nCN=lb\n[v3]\nsubjectAltName={}\n' > c; \
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout many.key -out many.pem -config c",
        &names[1..]
    );
    assert_eq!(shell(folder.path(), &script).code, Some(0));
    let ran = pronk(folder.path(), "lint many.pem --hostname lb.example.com");
    assert!(ran.text.contains(" and 2980 more"), "{}", ran.text);
    assert!(ran.text.lines().all(|line| line.len() < 2000), "{}", ran.text);
}
