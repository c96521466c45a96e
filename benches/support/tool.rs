//! The tools that count what a program does while they run it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Callgrind,
    Strace,
    Dhat,
}

/// How often what was done, by name where a tool tells names apart.
pub type Count = BTreeMap<String, u64>;

impl Tool {
    pub const ALL: [Self; 3] = [Self::Callgrind, Self::Strace, Self::Dhat];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callgrind => "callgrind",
            Self::Strace => "strace",
            Self::Dhat => "dhat",
        }
    }

    /// Returns what it counts.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Callgrind => "instructions in user mode",
            Self::Strace => "system calls",
            Self::Dhat => "blocks from the heap",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Callgrind | Self::Dhat => "valgrind",
            Self::Strace => "strace",
        }
    }

    /// Returns whether it works, and says so if not.
    pub fn is_here(self) -> bool {
        // To be traced may be forbidden.
        let arguments: &[_] = if self == Self::Strace { &["-o", "/dev/null", "true"] } else { &["--version"] };
        let output = Command::new(self.program()).args(arguments).output();
        let is_here = output.is_ok_and(|output| output.status.success());
        if !is_here {
            let (program, what) = (self.program(), self.describe());
            println!("{program} is not here or does not work, so {what} are not counted: apt-get install {program}");
        }
        is_here
    }

    /// Returns the beginning of a command that runs the rest of it, and at its end writes to a file what it has counted.
    pub fn command(self, out: &Path) -> Command {
        let option = |name: &str| {
            let mut option = OsString::from(name);
            option.push(out);
            option
        };
        let mut command = Command::new(self.program());
        match self {
            Self::Callgrind => command.args(["-q", "--tool=callgrind"]).arg(option("--callgrind-out-file=")),
            // The program is the child of who starts it, not the tracer's.
            Self::Strace => command.args(["-D", "-f", "-c", "-o"]).arg(out),
            Self::Dhat => command.args(["--tool=dhat", "--dhat-out-file=/dev/null"]).arg(option("--log-file=")),
        };
        command
    }

    /// Returns what was counted for a program that has ended.
    pub fn read(self, out: &Path) -> Count {
        // The tracer ends after the program.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(out).unwrap_or_default();
            if let Some(count) = self.parse(&text) {
                return count;
            }
            assert!(Instant::now() < deadline, "{} has not counted: {text}", self.as_str());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn parse(self, text: &str) -> Option<Count> {
        let one =
            |number: &str| Some(Count::from([(self.describe().to_owned(), number.replace(',', "").parse().ok()?)]));
        match self {
            Self::Callgrind => one(text.lines().find_map(|line| line.strip_prefix("totals:"))?.trim()),
            // ==1== Total:     1,234 bytes in 56 blocks
            Self::Dhat => {
                let (_, blocks) = text.lines().find(|line| line.contains(" Total: "))?.split_once(" in ")?;
                one(blocks.strip_suffix(" blocks")?)
            }
            // % time, seconds, usecs/call, calls, errors (or nothing), name. The sum comes last.
            Self::Strace => {
                let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
                let numbers = |row: Vec<&str>| Some(((*row.last()?).to_owned(), row.get(3)?.parse().ok()?));
                let mut count: Count = rows.filter_map(numbers).collect();
                count.remove("total").map(|_| count)
            }
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
