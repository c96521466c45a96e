//! From files and folders to subjects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::subject::servers;
use super::{Located, Origin, Role, Subject, Use};
use crate::cert::bundle::{self, Bundle, KeyFile};
use crate::cert::{MaterialError, Passphrase};

/// What some files hold.
#[derive(Debug, Default)]
pub struct Gathered {
    /// In the order of the paths, files of a folder by name.
    pub subjects: Vec<Subject>,
    /// Self-signed authorities: anchors for lack of others.
    pub anchors: Vec<CertificateDer<'static>>,
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// What could not be read, and why.
    pub unreadable: Vec<MaterialError>,
}

/// Reads files and, recursively, folders, on all cores. In a folder only what looks like certificates, keys or
/// revocation lists is read; a file that is named is read whatever it looks like.
pub fn gather(paths: &[PathBuf], role: &Role, passphrase: Option<&Passphrase>) -> Gathered {
    let mut gathered = Gathered::default();
    let mut files = Vec::new();
    for path in paths {
        walk(path, true, &mut files, &mut gathered.unreadable);
    }
    let bundles: Vec<_> = files
        .par_iter()
        .filter_map(|(path, named)| match read(path, *named, passphrase) {
            Err(MaterialError::Nothing { .. }) if !named => None,
            outcome => Some(outcome),
        })
        .collect();
    gathered.take(bundles, role);
    gathered
}

/// Gathers what one file holds that was read already.
pub fn gather_bundle(bundle: Bundle, role: &Role) -> Gathered {
    let mut gathered = Gathered::default();
    gathered.take(vec![Ok(bundle)], role);
    gathered
}

/// Reads a file; `-` is standard input.
fn read(path: &Path, named: bool, passphrase: Option<&Passphrase>) -> Result<Bundle, MaterialError> {
    if named && path.as_os_str() == "-" {
        bundle::read_from(Path::new(STDIN), std::io::stdin(), 0o600, passphrase)
    } else {
        bundle::read(path, passphrase)
    }
}

impl Gathered {
    /// Adds bundles; keys find their certificates.
    fn take(&mut self, bundles: Vec<Result<Bundle, MaterialError>>, role: &Role) {
        let mut keys = BTreeMap::new();
        let mut with_certificates = Vec::new();
        for bundle in bundles {
            match bundle {
                Ok(mut bundle) => {
                    self.revocation_lists.append(&mut bundle.revocation_lists);
                    if bundle.certificates.is_empty() {
                        keys.extend(bundle.key.take().map(|key| (bundle.path, key)));
                    } else {
                        with_certificates.push(bundle);
                    }
                }
                Err(error) => self.unreadable.push(error),
            }
        }
        let decoded: Vec<_> = with_certificates.into_par_iter().map(|bundle| decode(bundle, &keys, role)).collect();
        for (subjects, anchors, errors) in decoded {
            self.subjects.extend(subjects);
            self.anchors.extend(anchors);
            self.unreadable.extend(errors);
        }
    }
}

fn walk(path: &Path, named: bool, files: &mut Vec<(PathBuf, bool)>, unreadable: &mut Vec<MaterialError>) {
    if !path.is_dir() {
        // Reading a pipe would wait for ever.
        if named || (is_candidate(path) && path.is_file()) {
            files.push((path.to_owned(), named));
        }
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            for entry in entries {
                // A link to a folder may lead in a circle.
                if !(entry.is_dir() && entry.is_symlink()) {
                    walk(&entry, false, files, unreadable);
                }
            }
        }
        Err(source) => unreadable.push(MaterialError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Returns whether a file in a folder is worth opening, by its extension.
fn is_candidate(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
}

type Decoded = (Vec<Subject>, Vec<CertificateDer<'static>>, Vec<MaterialError>);

/// Makes subjects of one file: a server's chain, or each of several servers' certificates with the file's authorities,
/// or authorities alone.
fn decode(bundle: Bundle, keys: &BTreeMap<PathBuf, KeyFile>, role: &Role) -> Decoded {
    let Bundle { path, certificates, key, .. } = bundle;
    let (mut located, mut anchors, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let of = certificates.len();
    for (der, position) in certificates.into_iter().zip(1..) {
        match bundle::decode_at(&path, position, der) {
            Ok(certificate) => {
                if certificate.is_ca() && certificate.is_self_issued() {
                    anchors.push(certificate.der.clone());
                }
                let origin = Origin::File { path: path.clone(), position, of };
                located.push(Located { certificate: Arc::new(certificate), origin });
            }
            Err(error) => errors.push(error),
        }
    }
    let key = key.or_else(|| companion(&path, keys).cloned());
    (subjects(located, key, role), anchors, errors)
}

fn subjects(located: Vec<Located>, key: Option<KeyFile>, role: &Role) -> Vec<Subject> {
    // An authority may have its key beside it.
    let with_key = |it: &Located| {
        let fits = key.as_ref().is_some_and(|key| key.spki.as_ref() == Ok(&it.certificate.key.spki));
        fits && !it.certificate.is_authority()
    };
    let is_server: Vec<_> = servers(&located).zip(&located).map(|(is_server, it)| is_server || with_key(it)).collect();
    match is_server.iter().filter(|is| **is).count() {
        0 => {
            let role = Role { usage: Use::Authority, ..Role::default() };
            located.into_iter().filter_map(|it| Subject::new(vec![it], None, role.clone())).collect()
        }
        1 => Subject::new(located, key, role.clone()).into_iter().collect(),
        _ => {
            let mut is_server = is_server.into_iter();
            let (of_servers, authorities): (Vec<_>, Vec<_>) =
                located.into_iter().partition(|_| is_server.next().unwrap_or(false));
            let chain = |server: Located| std::iter::once(server).chain(authorities.iter().cloned()).collect();
            let key_of =
                |server: &Located| key.clone().filter(|key| key.spki.as_ref() == Ok(&server.certificate.key.spki));
            of_servers
                .into_iter()
                .filter_map(|server| {
                    let key = key_of(&server);
                    Subject::new(chain(server), key, role.clone())
                })
                .collect()
        }
    }
}

/// Returns the key file that by its name belongs to a certificate's: `lb.key` or `lb-key.pem` to `lb.pem`, `key.pem` to
/// `cert.pem`.
fn companion<'a>(path: &Path, keys: &'a BTreeMap<PathBuf, KeyFile>) -> Option<&'a KeyFile> {
    let stem = path.file_stem()?.to_str()?;
    let base = stem.strip_suffix("-cert").or_else(|| stem.strip_suffix(".cert")).unwrap_or(stem);
    let mut names: Vec<_> = ["key", "pem"].iter().map(|extension| format!("{stem}.{extension}")).collect();
    names.extend([
        format!("{base}.key"),
        format!("{base}-key.pem"),
        format!("{base}.key.pem"),
        format!("{base}_key.pem"),
    ]);
    if base == "cert" {
        names.extend(["key.pem".to_owned(), "privkey.pem".to_owned()]);
    }
    names.iter().find_map(|name| keys.get(&path.with_file_name(name)))
}

/// What standard input is called in findings.
const STDIN: &str = "standard input";
const EXTENSIONS: &[&str] =
    &["pem", "crt", "cer", "cert", "der", "key", "crl", "p7b", "p7c", "p12", "pfx", "jks", "keystore", "truststore"];
