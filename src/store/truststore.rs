//! A file of trusted certificates, such as the one that Impala's `ssl_client_ca_certificate` names: adding to it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::lock::exclusive;
use crate::cert::pem::{encode, is_pem};
use crate::cert::{Certificate, MaterialError, Parts, bundle};

/// The certificates of a file, and its text as it is.
#[derive(Debug)]
pub struct Truststore {
    /// Where links lead.
    path: PathBuf,
    contents: Vec<u8>,
    certificates: Vec<Certificate>,
    _lock: File,
}

impl Truststore {
    /// Reads a file in PEM, to be changed; one that is not there yet is empty. Other writers wait until this is
    /// dropped.
    ///
    /// # Errors
    /// It cannot be read, is not PEM throughout, or another pronk does not let go of it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // A link is followed, so that it stays one.
        let path = path.canonicalize().or_else(|_| std::path::absolute(path)).map_err(|source| failed(path, source))?;
        let folder = path.parent().unwrap_or(&path);
        let lock = File::open(folder).map_err(|source| StoreError::io("open", folder, source))?;
        let lock = exclusive(lock, folder)?;
        let contents = match bundle::contents(&path) {
            Ok(read) => read.contents.to_vec(),
            Err(MaterialError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let certificates = if contents.trim_ascii().is_empty() { Vec::new() } else { certificates(&path, &contents)? };
        Ok(Self { path, contents, certificates, _lock: lock })
    }

    pub fn has(&self, certificate: &Certificate) -> bool {
        self.certificates.iter().any(|had| had.der == certificate.der)
    }

    /// Appends a certificate below a comment with its subject. What was there stays byte for byte.
    pub fn add(&mut self, certificate: Certificate) {
        if self.contents.last().is_some_and(|last| *last != b'\n') {
            self.contents.push(b'\n');
        }
        // A line break in a subject would end the comment.
        let title = certificate.title().escape_debug().to_string();
        let section = format!("# {title}\n{}", encode([&certificate.der]));
        self.contents.extend_from_slice(section.as_bytes());
        self.certificates.push(certificate);
    }

    /// Puts the file with what was added in the place of the one before, with its owner and permissions.
    ///
    /// # Errors
    /// It cannot be written; the file is as it was then.
    pub fn save(&self) -> Result<(), StoreError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let fresh = self.path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
        let outcome = self.write(&fresh).and_then(|()| std::fs::rename(&fresh, &self.path));
        if outcome.is_err() {
            // It may not have been made.
            let _ = std::fs::remove_file(&fresh);
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        outcome
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|source| StoreError::io("write", &self.path, source))
    }

    fn write(&self, fresh: &Path) -> io::Result<()> {
        let before = std::fs::metadata(&self.path).ok();
        // One of the same name is a leftover of a process that was killed.
        let _ = std::fs::remove_file(fresh);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(fresh)?;
        file.write_all(&self.contents)?;
        if let Some(before) = before {
            let now = file.metadata()?;
            if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
                fchown(&file, Some(before.uid()), Some(before.gid()))?;
            }
            file.set_permissions(Permissions::from_mode(before.mode() & 0o7777))?;
        }
        file.sync_all()
    }
}

/// Returns the certificates of a file, decoded; at least one.
///
/// # Errors
/// It cannot be read or has none.
pub fn certificates_in(path: &Path) -> Result<Vec<Certificate>, StoreError> {
    certificates_of(path, &bundle::contents(path)?.contents)
}

/// Like [`certificates_in`], of a file that is to be appended to.
fn certificates(path: &Path, contents: &[u8]) -> Result<Vec<Certificate>, StoreError> {
    let shown = path.display();
    if !is_pem(contents) {
        return Err(StoreError::Refused(format!(
            "{shown} is not PEM, so nothing can be appended to it; convert it first: keytool -list -rfc -keystore {shown}, or openssl x509 -inform DER -in {shown}"
        )));
    }
    certificates_of(path, contents)
}

fn certificates_of(path: &Path, contents: &[u8]) -> Result<Vec<Certificate>, StoreError> {
    Ok(bundle::decode(path, Parts::of(path, contents, None)?.certificates()?)?)
}

fn failed(path: &Path, source: io::Error) -> StoreError {
    StoreError::io("read", path, source)
}
