//! The files of `tests/fixtures/files`, made by `make.py` there.

use std::path::{Path, PathBuf};

use crate::openssl;
use crate::reading::{self, Counts, assert_own_words, public_half};

/// Files that pronk reads and OpenSSL does not, or not wholly, and why.
const READ_ONLY_HERE: &[(&str, &str)] = &[
    ("gnutls-pem.p12", "its commands know no archive in PEM"),
    ("openssl-cms.pem", "its command is another one, which verifies"),
    ("openssl-list.p7b", "the command prints certificates alone"),
    ("openssl-nomac.p12", "it wants an integrity check unless told otherwise"),
];

/// Files that pronk refuses, with what it says. What OpenSSL reads of them is of no use to a TLS server, or is not read
/// for the reason that the third column gives.
const REFUSED: &[(&str, &str, &str)] = &[
    ("base-lb.csr", "it is a certificate request (CSR); a request is not a certificate yet", ""),
    ("cfssl-ca.csr", "it is a certificate request (CSR)", ""),
    ("cfssl-out.json", "is JSON, which is not read; take the files out of what cfssl prints: cfssljson", ""),
    ("easyrsa-lb.req", "it is a certificate request (CSR)", ""),
    ("keytool-lb.csr", "it is a certificate request (CSR)", ""),
    ("keytool-lb.jceks", "is a Java keystore (JCEKS), which is not read; convert it: keytool", ""),
    ("keytool-lb.jks", "is a Java keystore (JKS), which is not read; convert it: keytool", ""),
    ("keytool-print.txt", "holds neither certificates nor keys", ""),
    ("keytool-secret.p12", "it is a PKCS#12 archive without certificates and private keys", ""),
    ("keytool-trust.jks", "is a Java keystore (JKS), which is not read; convert it: keytool", ""),
    ("nss-cert9.db", "is a database (SQLite)", ""),
    ("openssh-ed25519.key", "in OpenSSH's own format; convert it: ssh-keygen -p -m PKCS8", ""),
    ("openssh-ed25519.pub", "is a public key of SSH", ""),
    ("openssh-ssh2.pub", "is a public key of SSH", ""),
    ("openssl-brainpool.key", "it is an EC key on a Brainpool curve; TLS servers use", "rustls has no such curve"),
    ("openssl-cut.der", "it is cut off after 300 of 408 bytes", ""),
    ("openssl-dek-aria128.key", "not supported: ARIA-128-CBC; rewrite the key", "no maintained crate in the tree"),
    (
        "openssl-dek-camellia256.key",
        "not supported: CAMELLIA-256-CBC; rewrite the key",
        "no maintained crate in the tree",
    ),
    ("openssl-dh.pem", "it is a file of parameters", ""),
    ("openssl-dsa.key", "it is a DSA key; TLS servers use", "TLS 1.3 has none, and 1.2's are gone"),
    ("openssl-ecparam.pem", "it is a file of parameters", ""),
    ("openssl-ed448.key", "it is an Ed448 key; TLS servers use", "rustls has no such signature"),
    ("openssl-empty.p7b", "it is a PKCS#7 without certificates", ""),
    ("openssl-k1.key", "it is an EC key on the curve secp256k1; TLS servers use", "TLS has no such curve"),
    ("openssl-mixed.pem", "587 bytes from byte 408 on are neither DER nor blank", "one file has one format"),
    ("openssl-ocsp.der", "it is an OCSP response", ""),
    ("openssl-p224.key", "it is an EC key on the curve P-224; TLS servers use", "TLS 1.3 has no such curve"),
    ("openssl-pbes1-rc4.key", "not supported: RC4; rewrite the key", "RC4 is broken"),
    ("openssl-pbes2-aria.key", "not supported: PBES2 with PBKDF2 and ARIA; rewrite the key", "pkcs5 has none"),
    ("openssl-pbes2-camellia.key", "not supported: PBES2 with PBKDF2 and Camellia; rewrite the key", "pkcs5 has none"),
    ("openssl-pbes2-rc2.key", "not supported: PBES2 with PBKDF2 and RC2; rewrite the key", "pkcs5 has none"),
    ("openssl-pss.key", "it is an RSA key for PSS alone; TLS servers use", "rustls takes RSA keys for both paddings"),
    ("openssl-public.der", "it is a public key; give the private key", ""),
    ("openssl-public.pem", "it is a public key; give the private key", ""),
    ("openssl-rc4.p12", "encryption by RC4; write it anew: openssl pkcs12", "RC4 is broken"),
    (
        "openssl-rejected.pem",
        "certificate 1 in ",
        "a mark of distrust is not passed over; it counts where it is trusted only",
    ),
    ("openssl-rsa-public.pem", "it is a public key; give the private key", ""),
    ("openssl-rsa1024.key", "it is an RSA key of 1024 bits; TLS servers use", "clients refuse it"),
    ("openssl-x25519.key", "it is an X25519 key, which signs nothing; TLS servers use", "it is no certificate's key"),
    ("other-bare.txt", "is base64 without the lines BEGIN and END, which is not read; decode it: base64 -d", ""),
    ("other-kubernetes.txt", "encoded in base64 once more (as in a Kubernetes secret), which is not read; decode", ""),
    ("other-lb.pem.gz", "is a compressed archive, which is not read; unpack it", ""),
    ("other-lb.zip", "is a compressed archive, which is not read; unpack it", ""),
    ("other-page.html", "is a web page (HTML), which is not read; a server answered with a page", ""),
    ("pgp-public.asc", "it is a PGP block", ""),
    ("pgp-secret.asc", "it is a PGP block", ""),
    ("putty-lb.ppk", "is a private key of PuTTY, which is not read; convert it: puttygen", ""),
    ("python-openssh.key", "in OpenSSH's own format; convert it: ssh-keygen -p -m PKCS8", ""),
    ("python-openssh.pub", "is a public key of SSH", ""),
];

#[test]
fn what_openssl_reads_is_read_or_the_table_says_why_not() {
    let (mut read, mut tabled, mut wrong) = (0, 0, Vec::new());
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (theirs, ours) = (openssl::read(&path), reading::read(&path));
        let refused = REFUSED.iter().find(|(of, ..)| *of == name);
        let only_here = READ_ONLY_HERE.iter().find(|(of, _)| *of == name);
        tabled += usize::from(refused.is_some() || only_here.is_some());
        read += usize::from(ours.is_ok());
        let is_right = match (&ours, refused, only_here) {
            (Err(message), Some((_, what, why)), _) => {
                assert_own_words(name, message);
                message.contains(what) && theirs.are_none() == why.is_empty()
            }
            (Ok(ours), None, Some(_)) => *ours != theirs,
            (Ok(ours), None, None) => *ours == theirs,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{name}: pronk {ours:?}, OpenSSL {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tabled, REFUSED.len() + READ_ONLY_HERE.len(), "a file of the tables is missing");
    assert!(read > 100, "{read} files are read");
}

#[test]
fn public_half_of_each_key_is_the_one_that_openssl_finds() {
    let mut compared = 0;
    for path in files() {
        let theirs = openssl::public_half(&path);
        if let Some(ours) = public_half(&path).filter(|_| !theirs.is_empty()) {
            assert_eq!(ours, theirs, "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared} keys");
}

#[test]
fn every_cut_of_a_file_is_read_or_refused_in_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut");
    for path in files() {
        let whole = std::fs::read(&path).unwrap();
        for end in (0..whole.len()).step_by(whole.len() / 7 + 1) {
            std::fs::write(&cut, &whole[..end]).unwrap();
            if let Err(message) = reading::read(&cut) {
                assert_own_words(&format!("{} up to {end}", path.display()), &message);
            }
        }
    }
}

#[test]
fn corpus_has_the_size_that_it_should() {
    assert!(files().len() >= 150, "{} files", files().len());
    assert!(!Counts { certificates: 1, ..Counts::default() }.are_none());
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_none_or(|it| it != "py"));
    files.sort();
    files
}
