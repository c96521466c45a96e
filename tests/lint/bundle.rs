//! Files of every format, most of them made by `openssl`.

use std::path::{Path, PathBuf};
use std::process::Command;

use pronk::cert::Passphrase;
use pronk::cert::bundle::{self, Bundle};
use pronk::model::profile;
use rustls_pki_types::PrivateKeyDer;
use tempfile::TempDir;

use crate::support::ca::{Authority, Leaf, pem_of, write};

struct Files {
    folder: TempDir,
    ca: Authority,
    leaf: Leaf,
}

fn files() -> Files {
    let ca = Authority::new("cluster ca");
    let leaf = ca.intermediate("issuing ca").issue("lb.example.com").dns("lb.example.com").build();
    let folder = tempfile::tempdir().unwrap();
    leaf.write(folder.path(), "lb");
    Files { folder, ca, leaf }
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs openssl in the folder.
    fn openssl(&self, arguments: &str) {
        let ran = Command::new("openssl").args(arguments.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(ran.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

fn read(path: &Path) -> Bundle {
    bundle::read(path, None).unwrap()
}

fn refusal(path: &Path) -> String {
    let error = bundle::read(path, None).unwrap_err();
    format!("{error}; {}", error.help().unwrap_or_default())
}

#[test]
fn pkcs7_gives_the_whole_chain_in_pem_and_in_der() {
    let files = files();
    for form in ["PEM", "DER"] {
        files.openssl(&format!("crl2pkcs7 -nocrl -certfile lb.pem -outform {form} -out chain.p7b"));
        assert_eq!(read(&files.path("chain.p7b")).certificates, files.leaf.chain, "{form}");
    }
}

#[test]
fn pkcs7_carries_revocation_lists_too() {
    let files = files();
    let list = files.ca.write_revocations(files.folder.path(), "list.crl", &[&files.leaf]);
    files.openssl("crl2pkcs7 -in list.crl -certfile lb.pem -out both.p7b");
    let both = read(&files.path("both.p7b"));
    assert_eq!((both.certificates.len(), both.revocation_lists.len()), (2, 1));
    assert_eq!(both.revocation_lists, read(&list).revocation_lists);
}

#[test]
fn der_is_told_apart_by_what_it_holds() {
    let files = files();
    let der = |name: &str, contents: &[u8]| read(&write(files.folder.path(), name, contents, 0o600));
    let certificate = der("certificate.der", files.leaf.certificate());
    assert_eq!(certificate.certificates, [files.leaf.certificate().clone()]);
    let list = der("list.crl", &files.ca.revocations_der(&[]));
    assert!(list.certificates.is_empty() && list.revocation_lists.len() == 1);
    let PrivateKeyDer::Pkcs8(key) = files.leaf.key_der() else { panic!("rcgen writes PKCS#8") };
    let key = der("key.der", key.secret_pkcs8_der()).key.unwrap();
    assert_eq!(key.spki, read(&files.path("lb.key")).key.unwrap().spki);
}

#[test]
fn one_file_may_hold_a_chain_and_its_key() {
    let files = files();
    let mut text = std::fs::read_to_string(files.path("lb.key")).unwrap();
    text += &pem_of(&files.leaf.chain);
    let all = read(&write(files.folder.path(), "all.pem", text.as_bytes(), 0o640));
    assert_eq!(all.certificates, files.leaf.chain);
    let key = all.key.unwrap();
    assert!(key.spki.is_ok() && !key.encrypted && key.mode == 0o640);
}

#[test]
fn encrypted_key_without_a_passphrase_is_told_as_such() {
    let files = files();
    let written = files.leaf.write_encrypted(files.folder.path(), "locked", "secret");
    let key = read(&written.key).key.unwrap();
    assert!(key.encrypted);
    assert!(key.spki.unwrap_err().contains("no passphrase"));
}

#[test]
fn key_in_the_old_encryption_hides_no_certificate() {
    let files = files();
    files.openssl("ecparam -name prime256v1 -genkey -noout -out plain.key");
    files.openssl("ec -in plain.key -aes128 -passout pass:secret -out old.key");
    let (key, chain) = (std::fs::read_to_string(files.path("old.key")).unwrap(), pem_of(&files.leaf.chain));
    assert!(key.contains("Proc-Type: 4,ENCRYPTED"));
    for text in [format!("{key}{chain}"), format!("{chain}{key}")] {
        let all = read(&write(files.folder.path(), "all.pem", text.as_bytes(), 0o600));
        assert_eq!(all.certificates, files.leaf.chain);
        assert!(all.key.unwrap().spki.unwrap_err().contains("no passphrase"));
        let secret = Passphrase::new(b"secret".to_vec().into());
        let opened = bundle::read(&files.path("all.pem"), Some(&secret)).unwrap().key.unwrap();
        assert_eq!(opened.spki, read(&files.path("plain.key")).key.unwrap().spki);
    }
}

#[test]
fn keystores_and_truststores_in_pkcs12_are_read() {
    let files = files();
    files.ca.write(files.folder.path(), "ca.pem");
    files.openssl("pkcs12 -export -in lb.pem -inkey lb.key -passout pass:secret -out lb.p12");
    files.openssl("pkcs12 -export -nokeys -in ca.pem -passout pass: -out trust.p12");
    let pass = write(files.folder.path(), "pass", b"secret\n", 0o600);
    let secret = Passphrase::read(&profile::Passphrase::File(pass)).unwrap();
    let store = bundle::read(&files.path("lb.p12"), Some(&secret)).unwrap();
    assert_eq!(store.certificates.len(), 2);
    assert_eq!(store.key.unwrap().spki, read(&files.path("lb.key")).key.unwrap().spki);
    assert_eq!(read(&files.path("trust.p12")).certificates, [files.ca.certificate().clone()]);
    let refusal = refusal(&files.path("lb.p12"));
    assert!(refusal.contains("the passphrase does not open it; give its passphrase with"), "{refusal}");
}

#[test]
fn java_keystore_is_refused_with_the_way_to_convert_it() {
    let files = files();
    let path = write(files.folder.path(), "trust.jks", b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\0", 0o600);
    let refusal = refusal(&path);
    assert!(refusal.contains("is a Java keystore (JKS), which is not read"), "{refusal}");
    assert!(refusal.contains("keytool -importkeystore"), "{refusal}");
}

#[test]
fn files_without_anything_of_use_are_refused() {
    let files = files();
    let of = |name: &str, contents: &[u8]| refusal(&write(files.folder.path(), name, contents, 0o600));
    assert!(of("text.pem", b"hello").contains("neither certificates nor keys"));
    assert!(of("empty.pem", b"").contains("neither certificates nor keys"));
    assert!(of("open.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n").contains("that begins here has no end line"));
    assert!(of("base.pem", b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n").contains("not base64"));
    assert!(of("p7.pem", b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n").contains("PKCS#7"));
    assert!(refusal(&files.path("absent.pem")).contains("no such file"));
    assert!(of("large.pem", &vec![b'-'; (16 << 20) + 1]).contains("larger than 16 MiB"));
    assert!(refusal(files.folder.path()).contains("is a directory"));
}

#[test]
fn truncated_der_is_handed_on_for_its_decoding_to_say_what_is_wrong() {
    let files = files();
    let whole = files.leaf.certificate();
    for end in 1..whole.len() {
        let path = write(files.folder.path(), "cut.der", &whole[..end], 0o600);
        let certificate = read(&path).certificates.remove(0);
        assert!(pronk::cert::Certificate::decode(certificate).is_err(), "{end} bytes");
    }
}
