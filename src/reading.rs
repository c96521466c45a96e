//! Reading a file whole, up to a limit: regular files, pipes and devices alike.
//!
//! A named pipe without a writer would hold its reader up for ever, and a device such as `/dev/zero` has no end. So
//! files are opened without waiting, a pipe is given up that stays silent, and a limit ends the rest.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

/// A file's contents, wiped when dropped, as they may be a key.
pub struct Whole {
    pub contents: Zeroizing<Vec<u8>>,
    /// The permission bits.
    pub mode: u32,
}

/// Why a file was not read whole.
#[derive(Debug)]
pub enum Unread {
    Failed(io::Error),
    /// It has more than so many bytes.
    TooLarge(u64),
    /// It is a pipe into which nobody wrote.
    Silent,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => f.write_str(&os_reason(error)),
            Self::TooLarge(limit) => write!(f, "it is larger than {} MiB", limit >> 20),
            Self::Silent => f.write_str("nobody wrote to the pipe"),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Returns the reason in the operating system's words, as part of a sentence, without its number and what the standard
/// library says before it.
pub fn os_reason(error: &io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text);
    let reason = reason.strip_prefix("failed to lookup address information: ").unwrap_or(reason);
    let mut letters = reason.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Opens a file for reading; a pipe without a writer is opened too.
///
/// # Errors
/// As of any file.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(path)
}

/// Returns whether a file is a pipe, of which what was read is gone.
pub fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| it.file_type().is_fifo())
}

/// Reads a file to its end, if that comes within `limit` bytes. The file should have been opened without waiting.
///
/// # Errors
/// It cannot be read, is too large, or is a pipe into which nobody writes.
pub fn whole(mut file: File, limit: u64) -> Result<Whole, Unread> {
    let metadata = file.metadata().map_err(Unread::Failed)?;
    let mode = metadata.permissions().mode() & 0o7777;
    // Sized beforehand, so that reading leaves no copy behind in a buffer that was outgrown.
    let expected = if metadata.is_file() { metadata.len().min(limit) } else { COMMON.min(limit) };
    let mut contents = Zeroizing::new(Vec::with_capacity(expected as usize + 1));
    let mut awaits_writer = metadata.file_type().is_fifo();
    loop {
        let rest = (limit + 1).saturating_sub(contents.len() as u64);
        match file.by_ref().take(rest).read_to_end(&mut contents) {
            Ok(_) if contents.len() as u64 > limit => return Err(Unread::TooLarge(limit)),
            // The end of a pipe that nobody has open for writing, perhaps not yet.
            Ok(_) if contents.is_empty() && awaits_writer => {
                awaits_writer = false;
                is_readable(&file, WRITER)?;
            }
            Ok(_) if contents.is_empty() && metadata.file_type().is_fifo() => return Err(Unread::Silent),
            Ok(_) => return Ok(Whole { contents, mode }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !is_readable(&file, PATIENCE)? {
                    return Err(Unread::Silent);
                }
                awaits_writer = false;
            }
            Err(error) => return Err(Unread::Failed(error)),
        }
    }
}

/// Reads to the end of a stream that is open already, such as standard input, and waits for it as long as it takes.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn stream(source: impl Read, limit: u64) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut contents = Zeroizing::new(Vec::with_capacity(COMMON.min(limit) as usize + 1));
    source.take(limit + 1).read_to_end(&mut contents).map_err(Unread::Failed)?;
    if contents.len() as u64 > limit { Err(Unread::TooLarge(limit)) } else { Ok(contents) }
}

/// Returns the encoding of text of two or four bytes a letter, with a byte order mark or without.
pub fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    let begin = &bytes[..bytes.len().min(64)];
    // The letter is at this place of so many bytes.
    let is_wide = |at: usize, width: usize| {
        let is_letter = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        let fits = |(index, byte): (usize, &u8)| if index % width == at { is_letter(byte) } else { *byte == 0 };
        begin.len() >= 2 * width && begin.iter().enumerate().all(fits)
    };
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ if is_wide(0, 4) || is_wide(3, 4) => Some("UTF-32"),
        _ => (is_wide(0, 2) || is_wide(1, 2)).then_some("UTF-16"),
    }
}

/// Waits until there is something to read, or the end; returns whether it came in time.
fn is_readable(file: &File, patience: Duration) -> Result<bool, Unread> {
    let end = Instant::now() + patience;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Unread::Failed(error.into())),
        }
    }
}

/// How long a pipe may be silent; who decrypts something into it may have to be asked for a passphrase.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a pipe may be without a writer.
const WRITER: Duration = Duration::from_secs(3);
/// Bytes that a file with a key hardly exceeds.
const COMMON: u64 = 32 << 10;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn endless_files_are_left_at_the_limit() {
        for limit in [0, 1, 4096, 100_000] {
            let outcome = whole(open(Path::new("/dev/zero")).unwrap(), limit);
            assert!(matches!(outcome, Err(Unread::TooLarge(at)) if at == limit), "{limit}");
        }
        assert!(matches!(stream(io::repeat(7), 10), Err(Unread::TooLarge(10))));
    }

    #[test]
    fn file_of_exactly_the_limit_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [1; 100]).unwrap();
        assert_eq!(whole(open(file.path()).unwrap(), 100).ok().unwrap().contents.len(), 100);
        assert!(matches!(whole(open(file.path()).unwrap(), 99), Err(Unread::TooLarge(99))));
    }

    #[test]
    fn pipe_is_read_to_its_end_however_slowly_it_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
                for _ in 0..3 {
                    pipe.write_all(&[b'x'; 70_000]).unwrap();
                    std::thread::yield_now();
                }
            }
        });
        assert_eq!(whole(open(&path).unwrap(), 1 << 20).ok().unwrap().contents.len(), 210_000);
        writer.join().unwrap();
    }

    #[test]
    fn pipe_without_a_writer_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let begun = Instant::now();
        assert!(matches!(whole(open(&path).unwrap(), 100), Err(Unread::Silent)));
        assert!(begun.elapsed() < PATIENCE);
    }
}
