//! A certificate authority for tests.
//!
//! ```ignore
//! let ca = Authority::new("cluster ca");
//! let leaf = ca.issue("lb.example.com").dns("lb.example.com").ip("127.0.0.1").build();
//! let files = leaf.write(folder, "lb");      // lb.pem with its chain, lb.key with mode 0600
//! let roots = ca.write(folder, "ca.pem");
//! ```
//!
//! Everything is valid from 2020 to 2090 unless the builder is told otherwise. Keys are ECDSA P-256 unless `rsa`.

use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::{Decode, pem::LineEnding};
use pkcs8::pkcs5::pbes2;
use pronk::cert::names::subject;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, PublicKeyData,
    RevokedCertParams, SanType, SerialNumber, SigningKey, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that issues certificates: a root, or an intermediate under one.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The certificates between its leaves and the root, nearest first; empty for a root.
    chain: Vec<CertificateDer<'static>>,
}

impl Authority {
    /// A root with an ECDSA key.
    pub fn new(name: &str) -> Self {
        Self::root(name, KeyPair::generate().unwrap())
    }

    /// A root with an RSA key.
    pub fn rsa(name: &str) -> Self {
        Self::root(name, KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap())
    }

    /// A root whose certificate is other than usual.
    pub fn adjusted(name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority_params(name);
        adjust(&mut params);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, chain: Vec::new() }
    }

    fn root(name: &str, key: KeyPair) -> Self {
        Self { issuer: CertifiedIssuer::self_signed(authority_params(name), key).unwrap(), chain: Vec::new() }
    }

    /// An intermediate authority under this one.
    pub fn intermediate(&self, name: &str) -> Self {
        self.intermediate_adjusted(name, |_| ())
    }

    /// An intermediate authority whose certificate is other than usual.
    pub fn intermediate_adjusted(&self, name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = authority_params(name);
        adjust(&mut params);
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).unwrap();
        let mut chain = vec![issuer.der().clone()];
        chain.extend(self.chain.iter().cloned());
        Self { issuer, chain }
    }

    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// This authority's name and key in a certificate that another one signed.
    pub fn cross_signed_by(&self, other: &Self) -> CertificateDer<'static> {
        let name = subject(self.certificate()).unwrap();
        let params = authority_params(name.strip_prefix("CN=").unwrap());
        params.signed_by(self.issuer.key(), &*other.issuer as &Issuer<_>).unwrap().der().clone()
    }

    /// Signs bytes with the authority's key: ECDSA P-256 with SHA-256 unless the authority is RSA.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        self.issuer.key().sign(message).unwrap()
    }

    /// The authority's own private key.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Writes the authority's own certificate, for a `ca-file`.
    pub fn write(&self, folder: &Path, file: &str) -> PathBuf {
        write(folder, file, self.issuer.pem().as_bytes(), 0o644)
    }

    /// Begins a server certificate for the subject `CN=common_name`; names are added with `dns` and `ip`.
    pub fn issue(&self, common_name: &str) -> LeafBuilder<'_> {
        LeafBuilder::new(common_name, Some(self))
    }

    /// Issues a certificate with just these parameters, for a key of which only the public half need be known.
    pub fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> CertificateDer<'static> {
        params.signed_by(key, &*self.issuer as &Issuer<_>).unwrap().der().clone()
    }

    /// Writes a revocation list of this authority.
    pub fn write_revocations(&self, folder: &Path, file: &str, revoked: &[&Leaf]) -> PathBuf {
        let list = self.revocations(revoked, 2090);
        write(folder, file, list.pem().unwrap().as_bytes(), 0o644)
    }

    /// Writes a revocation list whose next update was due in 2021.
    pub fn write_stale_revocations(&self, folder: &Path, file: &str) -> PathBuf {
        write(folder, file, self.revocations(&[], 2021).pem().unwrap().as_bytes(), 0o644)
    }

    /// A revocation list in DER.
    pub fn revocations_der(&self, revoked: &[&Leaf]) -> Vec<u8> {
        self.revocations(revoked, 2090).der().to_vec()
    }

    /// A revocation list in DER whose next update was due in 2021.
    pub fn stale_revocations_der(&self) -> Vec<u8> {
        self.revocations(&[], 2021).der().to_vec()
    }

    fn revocations(&self, revoked: &[&Leaf], next_update: i32) -> rcgen::CertificateRevocationList {
        CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(next_update, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|leaf| RevokedCertParams {
                    serial_number: SerialNumber::from(leaf.serial),
                    revocation_time: date_time_ymd(2021, 1, 1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        }
        .signed_by(&self.issuer)
        .unwrap()
    }
}

/// A certificate to be.
pub struct LeafBuilder<'a> {
    params: CertificateParams,
    authority: Option<&'a Authority>,
    rsa: bool,
    serial: u64,
}

impl<'a> LeafBuilder<'a> {
    /// Begins a certificate that its own key signs.
    pub fn self_signed(common_name: &str) -> LeafBuilder<'static> {
        LeafBuilder::new(common_name, None)
    }

    fn new(common_name: &str, authority: Option<&'a Authority>) -> Self {
        static SERIAL: AtomicU64 = AtomicU64::new(1000);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let mut params = params(common_name);
        params.serial_number = Some(SerialNumber::from(serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = authority.is_some();
        Self { params, authority, rsa: false, serial }
    }

    /// Adds a DNS name, perhaps with a wildcard.
    pub fn dns(mut self, name: &str) -> Self {
        self.params.subject_alt_names.push(SanType::DnsName(name.try_into().unwrap()));
        self
    }

    pub fn ip(mut self, address: &str) -> Self {
        self.params.subject_alt_names.push(SanType::IpAddress(address.parse::<IpAddr>().unwrap()));
        self
    }

    /// The parameters so far, to be changed further and given to [`Authority::sign`].
    pub fn into_params(self) -> CertificateParams {
        self.params
    }

    /// With an RSA key of 2048 bits.
    pub fn rsa(mut self) -> Self {
        self.rsa = true;
        self
    }

    /// For a client instead of a server.
    pub fn client(mut self) -> Self {
        self.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self
    }

    /// Valid in 2020 only.
    pub fn expired(mut self) -> Self {
        self.params.not_after = date_time_ymd(2021, 1, 1);
        self
    }

    /// Valid from 2089.
    pub fn not_yet_valid(mut self) -> Self {
        self.params.not_before = date_time_ymd(2089, 1, 1);
        self
    }

    /// Valid until a second of the year 2026 or later, since 1970.
    pub fn until(mut self, not_after: i64) -> Self {
        self.params.not_after = time(not_after);
        self
    }

    /// Marked CA:TRUE, as `openssl req -x509` does.
    pub fn marked_as_authority(mut self) -> Self {
        self.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self
    }

    pub fn with_serial(mut self, serial: u64) -> Self {
        self.serial = serial;
        self.params.serial_number = Some(SerialNumber::from(serial));
        self
    }

    /// Other than usual in some way.
    pub fn adjusted(mut self, adjust: impl FnOnce(&mut CertificateParams)) -> Self {
        adjust(&mut self.params);
        self
    }

    pub fn build(self) -> Leaf {
        let key =
            if self.rsa { KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap() } else { KeyPair::generate().unwrap() };
        let certificate = match self.authority {
            Some(authority) => self.params.signed_by(&key, &*authority.issuer as &Issuer<_>).unwrap(),
            None => self.params.self_signed(&key).unwrap(),
        };
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.authority.iter().flat_map(|authority| authority.chain.iter().cloned()));
        Leaf { chain, key, serial: self.serial }
    }
}

/// An issued certificate with its key.
pub struct Leaf {
    /// The certificate, then its intermediates.
    pub chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
    serial: u64,
}

/// Where a certificate and its key were written.
#[derive(Clone, Debug)]
pub struct Files {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Leaf {
    pub fn serial(&self) -> u64 {
        self.serial
    }

    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }

    /// Writes `<stem>.pem`, intermediates included, and `<stem>.key` with mode 0600.
    pub fn write(&self, folder: &Path, stem: &str) -> Files {
        Files {
            cert: self.write_chain(folder, &format!("{stem}.pem")),
            key: write(folder, &format!("{stem}.key"), self.key.serialize_pem().as_bytes(), 0o600),
        }
    }

    /// As [`Self::write`], with the key encrypted (PBES2: PBKDF2 and AES-256-CBC).
    pub fn write_encrypted(&self, folder: &Path, stem: &str, passphrase: &str) -> Files {
        let parameters =
            pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"0123456789abcdef", *b"fedcba9876543210")
                .unwrap();
        let der = self.key.serialize_der();
        let encrypted = PrivateKeyInfoRef::from_der(&der).unwrap().encrypt_with_params(parameters, passphrase).unwrap();
        let pem = encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
        Files {
            cert: self.write_chain(folder, &format!("{stem}.pem")),
            key: write(folder, &format!("{stem}.key"), pem.as_bytes(), 0o600),
        }
    }

    /// Writes the entry `name` of a certificate store.
    pub fn write_store_entry(&self, store: &Path, name: &str) {
        let folder = store.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        self.write_chain(&folder, "cert.pem");
        write(&folder, "key.pem", self.key.serialize_pem().as_bytes(), 0o600);
    }

    fn write_chain(&self, folder: &Path, file: &str) -> PathBuf {
        write(folder, file, pem_of(&self.chain).as_bytes(), 0o644)
    }
}

/// A point in time for [`CertificateParams`], from seconds since 1970.
pub fn time(seconds: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

/// Certificates as PEM.
pub fn pem_of(certificates: &[CertificateDer<'_>]) -> String {
    use pkcs8::der::pem::encode_string;
    certificates.iter().map(|each| encode_string("CERTIFICATE", LineEnding::LF, each).unwrap()).collect()
}

/// Writes a file, replacing one that is there, with exactly the mode given.
pub fn write(folder: &Path, file: &str, contents: &[u8], mode: u32) -> PathBuf {
    use std::io::Write;
    let path = folder.join(file);
    let _ = std::fs::remove_file(&path);
    let mut open = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).unwrap();
    open.write_all(contents).unwrap();
    path
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2090, 1, 1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}
