//! Reading the configuration file whole, also while it is being replaced.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::diagnostic::Diagnostic;
use super::encoding;
use crate::reading::{self, Unread};

/// The name of standard input.
const STANDARD_INPUT: &str = "-";

/// Bytes of a file that is read; one with ten thousand pools has some mebibytes.
const LARGEST: u64 = 64 << 20;

/// How often a file that changes is read, at most.
const TRIES: u32 = 40;

/// How long a file has to lie still before it is read, and how long is waited between tries. Longer than the steps in
/// which file systems tell the time, so that no change looks like the one before it.
const STILL: Duration = Duration::from_millis(50);

/// Reads a file as it lies there whole: one that somebody writes or replaces meanwhile is read again. The file `-` is
/// standard input. Blocks.
///
/// # Errors
/// It cannot be read, is no text in UTF-8, has more than 64 MiB, or keeps changing.
pub(super) fn read(path: &Path) -> Result<String, Diagnostic> {
    if path == Path::new(STANDARD_INPUT) {
        return read_by(path, || reading::stream(io::stdin().lock(), LARGEST).map(|it| Some(it.to_vec())));
    }
    // One byte more than the limit tells that it is exceeded.
    read_by(path, || read_once(path, |file, contents| file.take(LARGEST + 1).read_to_end(contents)))
}

/// Returns the name of a file for messages.
pub fn file_name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) { "standard input".to_owned() } else { path.display().to_string() }
}

fn read_by(path: &Path, mut read_once: impl FnMut() -> Result<Option<Vec<u8>>, Unread>) -> Result<String, Diagnostic> {
    let name = file_name(path);
    for tried in 1..=TRIES {
        match read_once() {
            Ok(Some(contents)) => {
                return encoding::text(contents).map_err(|wrong| {
                    let mut diagnostic = Diagnostic::error(format!("cannot read {name}: {}", wrong.what));
                    diagnostic.help = Some(wrong.help.to_owned());
                    diagnostic
                });
            }
            Ok(None) => {}
            // An editor may move the old file away before the new one is there.
            Err(Unread::Failed(error)) if error.kind() == ErrorKind::NotFound && (2..TRIES).contains(&tried) => {}
            Err(why) => return Err(Diagnostic::error(format!("cannot read {name}: {why}"))),
        }
        std::thread::sleep(STILL);
    }
    let mut changing = Diagnostic::error(format!("{name} keeps changing while it is read"));
    changing.help = Some("write to a new file, and rename it to this one when it is whole".to_owned());
    Err(changing)
}

/// Returns nothing when the file changes, or did so a moment ago.
fn read_once(
    path: &Path,
    read: impl FnOnce(&mut File, &mut Vec<u8>) -> io::Result<usize>,
) -> Result<Option<Vec<u8>>, Unread> {
    let mut file = reading::open(path)?;
    let metadata = file.metadata()?;
    let before = Stamp::of(&metadata);
    let mut contents = Vec::new();
    // What comes through a pipe is gone once it was read.
    if !metadata.is_file() {
        return reading::whole(file, LARGEST).map(|whole| Some(whole.contents.to_vec()));
    }
    if !before.is_older_than(STILL) {
        return Ok(None);
    }
    read(&mut file, &mut contents)?;
    if contents.len() as u64 > LARGEST {
        return Err(Unread::TooLarge(LARGEST));
    }
    let after = Stamp::of(&file.metadata()?);
    let there = std::fs::metadata(path).map(|metadata| Stamp::of(&metadata));
    Ok((before == after && there.is_ok_and(|there| before == there)).then_some(contents))
}

/// What differs whenever the contents do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    /// Also when somebody set the time of modification.
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// A time to come is that of another host's clock, which says nothing.
    fn is_older_than(self, age: Duration) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let since_epoch = Duration::new(seconds.try_into().unwrap_or(0), nanoseconds.try_into().unwrap_or(0));
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + since_epoch) {
            Ok(passed) => passed >= age,
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;

    fn lying_still(path: PathBuf) -> PathBuf {
        fs::write(&path, "one: 1\n").unwrap();
        while !Stamp::of(&fs::metadata(&path).unwrap()).is_older_than(STILL) {
            std::thread::sleep(Duration::from_millis(1));
        }
        path
    }

    #[test]
    fn file_that_changed_while_it_was_read_is_not_taken() {
        type Change = fn(&Path);
        let replace = |path: &Path| {
            let new = path.with_extension("new");
            fs::write(&new, "one: 1\n").unwrap();
            fs::rename(new, path).unwrap();
        };
        let changes: [(&str, Change); 7] = [
            ("appended", |path| fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"#").unwrap()),
            ("cut", |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(3).unwrap()),
            ("rewritten in place, of the same size", |path| fs::write(path, "two: 2\n").unwrap()),
            ("of the same size and age", |path| {
                let modified = fs::metadata(path).unwrap().modified().unwrap();
                let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
                file.write_all(b"two").unwrap();
                file.set_modified(modified).unwrap();
            }),
            ("replaced by another", replace),
            ("removed", |path| fs::remove_file(path).unwrap()),
            ("moved away", |path| fs::rename(path, path.with_extension("old")).unwrap()),
        ];
        let folder = tempfile::tempdir().unwrap();
        for (case, change) in changes {
            for before in [true, false] {
                let path = lying_still(folder.path().join("pronk.yaml"));
                let read = read_once(&path, |file, contents| {
                    if before {
                        change(&path);
                    }
                    let count = file.read_to_end(contents)?;
                    if !before {
                        change(&path);
                    }
                    Ok(count)
                });
                assert_eq!(read.unwrap(), None, "{case}, before it was read: {before}");
            }
        }
        let path = lying_still(folder.path().join("pronk.yaml"));
        assert_eq!(read_once(&path, File::read_to_end).unwrap().as_deref(), Some(&b"one: 1\n"[..]));
        let since = std::time::Instant::now();
        fs::write(&path, "two: 2\n").unwrap();
        let once = read_once(&path, File::read_to_end).unwrap();
        assert!(once.is_none() || since.elapsed() >= STILL, "it may be half written");
        assert_eq!(read(&path).unwrap(), "two: 2\n");
    }

    /// As a mounted ConfigMap is replaced: the file that was opened stays what it is.
    #[test]
    fn link_that_leads_elsewhere_after_it_was_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| lying_still(folder.path().join(name)));
        let link = |target: &Path| {
            let new = folder.path().join("new");
            std::os::unix::fs::symlink(target, &new).unwrap();
            fs::rename(new, folder.path().join("pronk.yaml")).unwrap();
        };
        link(&one);
        let read = read_once(&folder.path().join("pronk.yaml"), |file, contents| {
            link(&two);
            file.read_to_end(contents)
        });
        assert_eq!(read.unwrap(), None);
    }

    #[test]
    fn time_to_come_does_not_keep_a_file_from_being_read() {
        let file = tempfile::tempfile().unwrap();
        let mut stamp = Stamp::of(&file.metadata().unwrap());
        assert!(!stamp.is_older_than(Duration::from_secs(60)));
        stamp.changed.0 += 3600;
        assert!(stamp.is_older_than(STILL));
        stamp.changed.0 = -1;
        assert!(stamp.is_older_than(STILL));
    }

    #[test]
    fn file_that_keeps_changing_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pronk.yaml");
        lying_still(path.clone());
        let mut tried = 0;
        let read_while_it_changes = || {
            tried += 1;
            read_once(&path, |file, contents| {
                fs::write(&path, "two: 2\n")?;
                file.read_to_end(contents)
            })
        };
        let wrong = read_by(&path, read_while_it_changes).unwrap_err();
        assert_eq!(tried, TRIES);
        assert_eq!(wrong.message, format!("{} keeps changing while it is read", path.display()));
        assert!(wrong.help.unwrap().contains("rename"));
        assert_eq!(read(&path).unwrap(), "two: 2\n");
    }
}
