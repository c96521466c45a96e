//! The file of the audit log: it is only appended to, and opened anew when another is in its place.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file to which whole lines are appended.
#[derive(Debug)]
pub(super) struct AppendedFile {
    path: PathBuf,
    file: Option<File>,
    /// Whether a part of a line was written, which has no end.
    is_torn: bool,
}

impl AppendedFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, is_torn: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file that is at the path now, as after logrotate has moved it. It is made if there is none.
    ///
    /// # Errors
    /// As of any file. What was open stays open.
    pub(super) fn open(&mut self) -> io::Result<&mut File> {
        let there = std::fs::metadata(&self.path).ok().map(|it| (it.dev(), it.ino()));
        let open = self.file.as_ref().and_then(|file| file.metadata().ok()).map(|it| (it.dev(), it.ino()));
        if open.is_none() || open != there {
            let file = OpenOptions::new().append(true).create(true).mode(READABLE_BY_GROUP).open(&self.path)?;
            self.file = Some(file);
            self.is_torn = false;
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Appends a line.
    ///
    /// # Errors
    /// As of any file. The part of it that was written is ended before the next.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        let was_torn = self.is_torn;
        let file = self.open()?;
        let line = if was_torn { format!("\n{line}") } else { line.to_owned() };
        let written = file.write_all(line.as_bytes());
        self.is_torn = written.is_err();
        written
    }
}

const READABLE_BY_GROUP: u32 = 0o640;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_to_the_file_that_is_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let mut file = AppendedFile::new(path.clone());
        file.append("one\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o137, 0);
        let moved = folder.path().join("audit.log.1");
        std::fs::rename(&path, &moved).unwrap();
        file.append("two\n").unwrap();
        file.append("three\n").unwrap();
        assert_eq!(std::fs::read_to_string(moved).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "two\nthree\n");
    }

    #[test]
    fn full_disk_loses_the_line_and_tears_no_other() {
        let mut full = AppendedFile::new("/dev/full".into());
        assert_eq!(full.append("one\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(full.is_torn);
    }
}
