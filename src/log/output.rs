use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

/// How often a log file is compared with its path, at most.
const LOOK: Duration = Duration::from_secs(1);

/// Where lines go.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    /// A file that is opened by its path again when another stands there.
    followed: Option<Followed>,
}

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    identity: (u64, u64),
    next_look: Instant,
    /// Why it could not be opened, as long as that lasts.
    refused: Option<Option<i32>>,
}

/// What came of looking for another file.
#[derive(Debug)]
pub(super) enum Found {
    Same,
    /// Lines go to another file.
    Another,
    /// It cannot be opened, and lines go on to the old one. Each cause is told once.
    Refused(io::Error),
}

impl Output {
    /// Standard error, past the locks and buffers of others that write there.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn stderr() -> io::Result<Self> {
        Ok(Self { file: File::from(io::stderr().as_fd().try_clone_to_owned()?), followed: None })
    }

    /// A file, made if need be.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn file(path: PathBuf) -> io::Result<Self> {
        let (file, identity) = open(&path)?;
        let next_look = Instant::now() + LOOK;
        Ok(Self { file, followed: Some(Followed { path, identity, next_look, refused: None }) })
    }

    pub fn path(&self) -> Option<&Path> {
        Some(&self.followed.as_ref()?.path)
    }

    /// Opens the log file anew when that was asked for, or when another stands at its path or none: logrotate moves or
    /// removes files.
    pub fn follow(&mut self, asked: bool, now: Instant) -> Found {
        let Some(followed) = &mut self.followed else { return Found::Same };
        if !asked && now < followed.next_look {
            return Found::Same;
        }
        followed.next_look = now + LOOK;
        let stands = std::fs::metadata(&followed.path).is_ok_and(|found| identity(&found) == followed.identity);
        if stands && !asked {
            followed.refused = None;
            return Found::Same;
        }
        match open(&followed.path) {
            Ok((file, identity)) => {
                followed.identity = identity;
                followed.refused = None;
                self.file = file;
                Found::Another
            }
            Err(error) => {
                let known = followed.refused.replace(error.raw_os_error());
                if known == Some(error.raw_os_error()) { Found::Same } else { Found::Refused(error) }
            }
        }
    }

    /// Returns whether the file is shorter than what was written to it: somebody cut it.
    pub fn is_cut(&mut self) -> bool {
        match (self.file.stream_position(), self.file.metadata()) {
            (Ok(position), Ok(metadata)) => metadata.len() < position,
            // A pipe or a terminal.
            _ => false,
        }
    }
}

impl Write for Output {
    /// Waits for room where the descriptor does not, as when another process has made its standard error non-blocking.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], None)?;
                }
                outcome => return outcome,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    let mut options = OpenOptions::new();
    // A named pipe that nobody reads is an error, not a wait.
    options.append(true).create(true).mode(0o640).custom_flags(libc::O_NONBLOCK);
    let file = options.open(path)?;
    let identity = identity(&file.metadata()?);
    Ok((file, identity))
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What happens to the file, whether a reopening was asked for, and what is found.
    type Case = (&'static str, fn(&Path), bool, &'static str);

    #[test]
    fn another_file_is_found_and_each_refusal_is_told_once() {
        let stay = |_: &Path| {};
        let cases: &[Case] = &[
            ("nothing", stay, false, "same"),
            ("asked", stay, true, "another"),
            ("moved", |path| fs::rename(path, path.with_extension("1")).unwrap(), false, "another"),
            ("removed", |path| fs::remove_file(path).unwrap(), false, "another"),
            (
                "another put there",
                |path| {
                    fs::write(path.with_extension("new"), "").unwrap();
                    fs::rename(path.with_extension("new"), path).unwrap();
                },
                false,
                "another",
            ),
            ("cut", |path| fs::write(path, "").unwrap(), false, "same"),
            (
                "folder gone",
                |path| fs::rename(path.parent().unwrap(), path.parent().unwrap().with_extension("gone")).unwrap(),
                false,
                "refused",
            ),
            ("still gone", stay, false, "same"),
            ("still gone and asked", stay, true, "same"),
            ("another cause", |path| fs::write(path.parent().unwrap(), "a file").unwrap(), false, "refused"),
            (
                "back",
                |path| {
                    fs::remove_file(path.parent().unwrap()).unwrap();
                    fs::rename(path.parent().unwrap().with_extension("gone"), path.parent().unwrap()).unwrap();
                },
                false,
                "same",
            ),
            ("gone again", |path| fs::remove_dir_all(path.parent().unwrap()).unwrap(), false, "refused"),
            ("made anew", |path| fs::create_dir(path.parent().unwrap()).unwrap(), false, "another"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/pronk.log");
        fs::create_dir(path.parent().unwrap()).unwrap();
        let mut output = Output::file(path.clone()).unwrap();
        let mut now = Instant::now();
        for (case, happens, asked, expected) in cases {
            happens(&path);
            assert!(matches!(output.follow(false, now), Found::Same), "{case}: looked too soon");
            now += LOOK;
            let found = match output.follow(*asked, now) {
                Found::Same => "same",
                Found::Another => "another",
                Found::Refused(_) => "refused",
            };
            assert_eq!(found, *expected, "{case}");
            output.write_all(case.as_bytes()).unwrap();
            let stands = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(stands.ends_with(case), !case.contains("gone") && *case != "another cause", "{case}: {stands}");
        }
    }

    #[test]
    fn log_file_is_for_its_owner_and_group_and_no_pipe_without_a_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pronk.log");
        let mut output = Output::file(path.clone()).unwrap();
        let mode = fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}: nobody else may read or write, and nobody may execute");
        output.write_all(b"abc").unwrap();
        assert!(!output.is_cut());
        fs::write(&path, "").unwrap();
        assert!(output.is_cut());
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(Output::file(pipe).unwrap_err().raw_os_error(), Some(libc::ENXIO));
    }
}
