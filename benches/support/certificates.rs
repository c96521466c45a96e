//! Certificates for the benchmarks.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// The name in the certificate of the member.
pub const MEMBER_NAME: &str = "member.example.test";

/// An authority and what it issued, all with ECDSA P-256 keys, in a folder that goes away with it. Proxies keep their
/// configurations and logs there too.
pub struct Certificates {
    folder: TempDir,
    pub member: CertifiedKey,
}

pub struct CertifiedKey {
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

impl Certificates {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        // A name of its own: an issuer that is called like what it issued makes the latter look self-signed.
        params.distinguished_name.push(DnType::CommonName, "bench authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        write(&folder.path().join("ca.pem"), &authority.pem());

        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
            (certificate, key)
        };
        let (certificate, key) = issue("lb.example.test");
        write(&folder.path().join("lb.pem"), &certificate.pem());
        write(&folder.path().join("lb.key"), &key.serialize_pem());
        // HAProxy wants both in one file.
        write(&folder.path().join("lb-both.pem"), &(certificate.pem() + &key.serialize_pem()));

        let (certificate, key) = issue(MEMBER_NAME);
        let member = CertifiedKey { certificate: certificate.der().to_vec(), key: key.serialize_der() };
        Self { folder, member }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}

/// Private keys must not be readable by others, so nothing is.
fn write(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
