//! Where a finding is: the line of its certificate in the file, and the path of the file as programs take it.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::cert::bundle;
use crate::cert::pem::certificate_lines;
use crate::lint::{Finding, Origin};

/// The lines on which the certificates of files begin, read when they are asked for.
#[derive(Default)]
pub(super) struct CertificateLines(HashMap<PathBuf, Vec<usize>>);

impl CertificateLines {
    /// Returns the line, from 1, on which the certificate begins in its file; 1 where the file is no text.
    pub(super) fn line(&mut self, finding: &Finding) -> usize {
        let Origin::File { path, position, of } = &finding.origin else { return 1 };
        let lines = self.0.entry(path.clone()).or_insert_with(|| begins(path));
        match lines.get(position - 1) {
            Some(line) if lines.len() == *of => *line,
            _ => 1,
        }
    }
}

fn begins(path: &Path) -> Vec<usize> {
    // Not a stream, which would be read anew.
    let read = path.is_file().then(|| bundle::contents(path).ok()).flatten();
    read.map(|file| certificate_lines(&file.contents)).unwrap_or_default()
}

/// Returns a path below `folder` without it; `None` when it is elsewhere.
pub(super) fn relative(path: &Path, folder: &Path) -> Option<PathBuf> {
    resolved(path, folder).strip_prefix(folder).ok().map(Path::to_owned)
}

/// Returns a reference (RFC 3986) to a file: relative below `folder`, else absolute.
pub(super) fn uri(path: &Path, folder: &Path) -> String {
    match relative(path, folder) {
        Some(path) => encoded(&path),
        None => format!("file://{}", encoded(&resolved(path, folder))),
    }
}

/// Returns a path as absolute, without `.` and `..`.
fn resolved(path: &Path, folder: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    resolved
}

fn encoded(path: &Path) -> String {
    percent_encode(path.as_os_str().as_encoded_bytes(), OUTSIDE_PATHS).to_string()
}

/// All but what RFC 3986 calls unreserved, and the separator.
const OUTSIDE_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_folder_are_relative_and_others_absolute() {
        let folder = Path::new("/repo");
        for (path, expected) in [
            ("certs/lb.pem", "certs/lb.pem"),
            ("./certs/../lb.pem", "lb.pem"),
            ("/repo/a b#ü.pem", "a%20b%23%C3%BC.pem"),
            ("../else/lb.pem", "file:///else/lb.pem"),
            ("/etc/lb.pem", "file:///etc/lb.pem"),
        ] {
            assert_eq!(uri(Path::new(path), folder), expected);
        }
    }
}
