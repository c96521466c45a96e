//! From files and folders to subjects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::subject::{Issuers, servers};
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
        walk(path, &mut files, &mut gathered.unreadable);
    }
    let bundles: Vec<_> = files
        .par_iter()
        .filter_map(|(path, named)| match read(path, *named, passphrase) {
            Err(MaterialError::Nothing { .. }) if !named => None,
            outcome => Some(outcome),
        })
        .collect();
    let beside = keys_beside(&files, &bundles, passphrase);
    gathered.take(bundles.into_iter().chain(beside).collect(), role);
    gathered
}

/// Reads the keys that lie beside files that are named and have certificates without a key, as a folder's do.
fn keys_beside(
    files: &[(PathBuf, bool)],
    bundles: &[Result<Bundle, MaterialError>],
    passphrase: Option<&Passphrase>,
) -> Vec<Result<Bundle, MaterialError>> {
    let known: BTreeSet<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let named: BTreeSet<&Path> = files.iter().filter(|(_, named)| *named).map(|(path, _)| path.as_path()).collect();
    let mut found = BTreeMap::new();
    for bundle in bundles.iter().flatten().filter(|it| it.key.is_none() && named.contains(it.path.as_path())) {
        let beside = companions(&bundle.path).into_iter().find(|path| path.is_file());
        // What nobody asked for is no error: it may belong to another user, or be no key.
        let key =
            beside.filter(|path| !known.contains(path.as_path())).and_then(|path| bundle::read(&path, passphrase).ok());
        found.extend(key.filter(|it| it.certificates.is_empty()).map(|key| (key.path.clone(), Ok(key))));
    }
    found.into_values().collect()
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
        let (decoded, errors): (Vec<_>, Vec<_>) =
            with_certificates.into_par_iter().map(|bundle| decode(bundle, &keys)).unzip();
        // The certificates of an authority and of its server may be in different files.
        let issuers = Issuers::of(decoded.iter().flat_map(|it| &it.located));
        for decoded in decoded {
            let roots = decoded.located.iter().map(|it| &it.certificate).filter(|it| it.is_self_issued());
            self.anchors.extend(roots.filter(|it| it.is_ca() || issuers.have(it)).map(|it| it.der.clone()));
            let is_unordered = decoded.is_unordered;
            let subjects = subjects(decoded.located, decoded.key, role, &issuers);
            self.subjects.extend(subjects.into_iter().map(|it| it.unordered(is_unordered)));
        }
        self.unreadable.extend(errors.into_iter().flatten());
    }
}

/// Finds the files of a path that is named: a folder's with all below it, or itself whatever it is.
fn walk(path: &Path, files: &mut Vec<(PathBuf, bool)>, unreadable: &mut Vec<MaterialError>) {
    if path.is_dir() {
        walk_folder(path, 1, files, unreadable);
    } else if may_take_more(path, 0, files, unreadable) {
        files.push((path.to_owned(), true));
    }
}

/// Finds the files below a folder, which is at a depth of folders.
fn walk_folder(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, bool)>, unreadable: &mut Vec<MaterialError>) {
    if !may_take_more(folder, depth, files, unreadable) {
        return;
    }
    let mut entries: Vec<_> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| (entry.path(), entry.file_type())).collect(),
        Err(source) => return unreadable.push(MaterialError::Unreadable { path: folder.to_owned(), source }),
    };
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, kind) in entries {
        let Ok(kind) = kind else { continue };
        // A link to a folder may lead in a circle. Reading a pipe that is not named would wait for its writer.
        if kind.is_dir() {
            walk_folder(&path, depth + 1, files, unreadable);
        } else if is_candidate(&path)
            && (kind.is_file() || (kind.is_symlink() && path.is_file()))
            && may_take_more(&path, depth, files, unreadable)
        {
            files.push((path, false));
        }
    }
}

/// Returns whether the bounds on files and folders allow one more, and otherwise says so, once for all that is left out.
fn may_take_more(path: &Path, depth: usize, files: &[(PathBuf, bool)], unreadable: &mut Vec<MaterialError>) -> bool {
    if depth <= DEEPEST && files.len() < MOST_FILES {
        return true;
    }
    if !unreadable.iter().any(|error| matches!(error, MaterialError::TooManyFiles { .. })) {
        unreadable.push(MaterialError::TooManyFiles { path: path.to_owned(), most: MOST_FILES, deepest: DEEPEST });
    }
    false
}

/// Returns whether a file in a folder is worth opening, by its extension.
fn is_candidate(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
}

/// What one file holds.
struct Decoded {
    located: Vec<Located>,
    key: Option<KeyFile>,
    is_unordered: bool,
}

/// Decodes the certificates of one file, and finds their key.
fn decode(bundle: Bundle, keys: &BTreeMap<PathBuf, KeyFile>) -> (Decoded, Vec<MaterialError>) {
    let Bundle { path, certificates, key, is_unordered, .. } = bundle;
    let (mut located, mut errors) = (Vec::new(), Vec::new());
    let of = certificates.len();
    for (der, position) in certificates.into_iter().zip(1..) {
        match bundle::decode_to_lint(&path, position, der) {
            Ok(certificate) => {
                let origin = Origin::File { path: path.clone(), position, of };
                located.push(Located { certificate: Arc::new(certificate), origin });
            }
            Err(error) => errors.push(error),
        }
    }
    let key = key.or_else(|| companion(&path, keys).cloned());
    (Decoded { located, key, is_unordered }, errors)
}

/// Makes subjects of one file: a server's chain, or each of several servers' certificates with the file's authorities,
/// or authorities alone.
fn subjects(located: Vec<Located>, key: Option<KeyFile>, role: &Role, issuers: &Issuers) -> Vec<Subject> {
    // An authority may have its key beside it.
    let with_key = |it: &Located| {
        let fits = key.as_ref().is_some_and(|key| key.spki.as_ref() == Ok(&it.certificate.key.spki));
        fits && !it.certificate.is_authority() && !issuers.have(&it.certificate)
    };
    let is_server: Vec<_> =
        servers(&located, issuers).zip(&located).map(|(is_server, it)| is_server || with_key(it)).collect();
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

/// Returns the key file that by its name belongs to a certificate's.
fn companion<'a>(path: &Path, keys: &'a BTreeMap<PathBuf, KeyFile>) -> Option<&'a KeyFile> {
    companions(path).iter().find_map(|name| keys.get(name))
}

/// Returns where the key of a certificate's file is kept: `lb.key` or `lb-key.pem` for `lb.pem`, `key.pem` for
/// `cert.pem`, `private/lb.key` for `issued/lb.crt`.
fn companions(path: &Path) -> Vec<PathBuf> {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return Vec::new() };
    let base = stem.strip_suffix("-cert").or_else(|| stem.strip_suffix(".cert")).unwrap_or(stem);
    let mut names: Vec<_> = ["key", "pem"].iter().map(|extension| format!("{stem}.{extension}")).collect();
    names.extend([
        format!("{base}.key"),
        format!("{base}-key.pem"),
        format!("{base}.key.pem"),
        format!("{base}_key.pem"),
    ]);
    if matches!(base, "cert" | "fullchain") {
        names.extend(["key.pem".to_owned(), "privkey.pem".to_owned()]);
    }
    let mut all: Vec<_> = names.iter().map(|name| path.with_file_name(name)).filter(|it| it != path).collect();
    // As easy-rsa has them.
    let folder = path.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "issued"));
    all.extend(folder.map(|folder| folder.with_file_name("private").join(format!("{base}.key"))));
    all
}

/// What standard input is called in findings.
const STDIN: &str = "standard input";
const EXTENSIONS: &[&str] = &[
    "pem",
    "crt",
    "cer",
    "cert",
    "der",
    "key",
    "crl",
    "p7b",
    "p7c",
    "p12",
    "pfx",
    "p8",
    "jks",
    "keystore",
    "truststore",
];
/// Files of folders that are read; a host's have some hundreds.
const MOST_FILES: usize = 50_000;
/// Folders below each other that are looked into.
const DEEPEST: usize = 32;
