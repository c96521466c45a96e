//! Where log lines are written: standard error, or the log file.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};

use super::line_writer::LineOutput;
use super::reopen::{LogFile, Reopening};

/// Standard error, or the log file.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    log_file: Option<LogFile>,
    /// Whether others can write between the parts of a long write: to a pipe, a socket or a terminal.
    is_stream: bool,
    /// Where the file ended after the last write. Its offset may be another process's as well.
    end: Option<u64>,
}

impl Output {
    /// Standard error, without the locks and buffers of others that write there.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub(super) fn stderr() -> io::Result<Self> {
        Ok(Self::new(File::from(io::stderr().as_fd().try_clone_to_owned()?), None))
    }

    /// Returns the log file, which is created if it does not exist.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn file(path: PathBuf) -> io::Result<Self> {
        let (file, log_file) = LogFile::open(path)?;
        Ok(Self::new(file, Some(log_file)))
    }

    fn new(file: File, log_file: Option<LogFile>) -> Self {
        Self { is_stream: !is_regular(&file), file, log_file, end: None }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.log_file.as_ref().map(LogFile::path)
    }

    /// Opens the log file again if it was moved, for which it is looked at once if that was `requested`.
    ///
    /// # Errors
    /// It cannot be opened, and lines are still written to the old file. Each cause is returned once.
    pub(super) fn reopen_if_moved(&mut self, requested: bool, now: Instant) -> io::Result<Reopening> {
        match &mut self.log_file {
            Some(log_file) => {
                let reopening = log_file.reopen_if_moved(&mut self.file, requested, now)?;
                if reopening == Reopening::Another {
                    (self.is_stream, self.end) = (!is_regular(&self.file), None);
                }
                Ok(reopening)
            }
            None => Ok(Reopening::NotNeeded),
        }
    }
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

impl LineOutput for Output {
    /// Returns whether the file does not end with what was written last: another process has truncated it or written to it.
    fn is_interrupted(&mut self) -> bool {
        match (self.end, self.file.metadata()) {
            (Some(end), Ok(metadata)) => metadata.len() != end,
            _ => false,
        }
    }
}

impl Write for Output {
    /// Waits for room where the descriptor does not, as when another process has made its standard error non-blocking.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = if self.is_stream { first_lines(bytes) } else { bytes };
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(&self.file, PollFlags::OUT)], None)?;
                }
                outcome => {
                    if outcome.is_ok() && !self.is_stream {
                        self.end = self.file.stream_position().ok();
                    }
                    return outcome;
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns as many lines as a pipe takes in one piece (PIPE_BUF in pipe(7)), or one that is longer: the process before an
/// upgrade and the one after it write to the same pipe.
fn first_lines(lines: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| *byte == b'\n';
    let in_one_piece = lines[..lines.len().min(PIPE_BUF)].iter().rposition(is_end);
    let end = in_one_piece.or_else(|| lines.iter().position(is_end));
    end.map_or(lines, |end| &lines[..=end])
}

const PIPE_BUF: usize = 4096;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::time::Instant;

    use super::*;
    use crate::log::reopen::CHECK_EVERY;

    /// What happens to the file, whether a reopening was asked for, and what is found.
    type Case = (&'static str, fn(&Path), bool, &'static str);

    #[test]
    fn another_file_is_found_and_each_refusal_is_told_once() {
        let stay = |_: &Path| {};
        let cases: &[Case] = &[
            ("nothing", stay, false, "same"),
            ("asked", stay, true, "asked, and the same"),
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
            assert!(matches!(output.reopen_if_moved(false, now), Ok(Reopening::NotNeeded)), "{case}: looked too soon");
            now += CHECK_EVERY;
            let found = match output.reopen_if_moved(*asked, now) {
                Ok(Reopening::NotNeeded) => "same",
                Ok(Reopening::Same) => "asked, and the same",
                Ok(Reopening::Another) => "another",
                Err(_) => "refused",
            };
            assert_eq!(found, *expected, "{case}");
            output.write_all(case.as_bytes()).unwrap();
            let stands = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(stands.ends_with(case), !case.contains("gone") && *case != "another cause", "{case}: {stands}");
        }
    }

    #[test]
    fn pipe_gets_whole_lines_that_it_takes_in_one_piece() {
        let short = "short line\n".repeat(1000);
        let long = "x".repeat(PIPE_BUF) + "\n";
        for text in
            [short.clone(), long.clone(), format!("{short}{long}{short}"), format!("{long}{long}"), "no end".into()]
        {
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let first = first_lines(rest);
                let ends = first.iter().filter(|byte| **byte == b'\n').count();
                assert!(first.ends_with(b"\n") || first == rest);
                assert!(first.len() <= PIPE_BUF || ends <= 1, "{}", first.len());
                rest = &rest[first.len()..];
            }
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
        assert!(!output.is_interrupted());
        // By a descriptor of its own, and by one that shares the offset, as after an upgrade.
        let other = fs::OpenOptions::new().append(true).open(&path).unwrap();
        for mut other in [other, output.file.try_clone().unwrap()] {
            other.write_all(b"of another").unwrap();
            assert!(output.is_interrupted());
            output.write_all(b"def").unwrap();
            assert!(!output.is_interrupted());
        }
        output.write_all(b"def").unwrap();
        assert!(!output.is_interrupted());
        fs::write(&path, "").unwrap();
        assert!(output.is_interrupted());
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
