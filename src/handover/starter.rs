//! The process between a predecessor and its successor: it starts the successor and ends at once. So the successor is a
//! child of the service manager, which learns at once when it ends, also while the predecessor drains.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::channel::Channel;
use super::messages::{FromSuccessor, PROTOCOL};
use super::predecessor::TAKES_OVER;
use crate::reading::os_reason;

/// How a process of pronk is started again: with the arguments that this one had, from the file that is in the place of
/// its own by now.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
}

impl Program {
    /// Returns how this process was started. Links in its path are not followed, as an upgrade may set them anew.
    pub fn own() -> Self {
        let mut arguments = std::env::args_os();
        let path = arguments.next().map_or_else(|| PathBuf::from("pronk"), PathBuf::from);
        Self { path, arguments: arguments.collect() }
    }

    /// Starts the program as the starter of a process that takes over by the channel `other`.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn start(&self, other: UnixStream) -> Result<Child, String> {
        Command::new(&self.path)
            .args(&self.arguments)
            .env(TAKES_OVER, PROTOCOL.to_string())
            .env(STARTS, "1")
            // They name this process (sd_watchdog_enabled(3), sd_listen_fds(3)), and the successor is another one.
            .env_remove("WATCHDOG_PID")
            .env_remove("LISTEN_PID")
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(other)))
            .spawn()
            .map_err(|error| self.cannot_start(&error))
    }

    pub(super) fn cannot_start(&self, error: &io::Error) -> String {
        format!("cannot start {}: {}", self.path.display(), os_reason(error))
    }
}

/// Starts the process that is to take over, if this one is there for that. Returns whether it is; then it has to end.
///
/// # Errors
/// Why the other one cannot be started, of which the predecessor is told as well.
pub fn start_successor() -> Result<bool, String> {
    if std::env::var_os(STARTS).is_none() {
        return Ok(false);
    }
    let failed = |error: io::Error| format!("{STARTS} is set, but no process hands over: {}", os_reason(&error));
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
    let mut channel = Channel::new(UnixStream::from(socket));
    let own = Program::own();
    match Command::new(&own.path).args(&own.arguments).env_remove(STARTS).spawn() {
        Ok(successor) => {
            channel.send(&FromSuccessor::Started { pid: successor.id() }, &[], TELLS_WITHIN).map_err(failed)?;
            Ok(true)
        }
        Err(error) => {
            let reason = own.cannot_start(&error);
            // If nobody listens, the log has it.
            let _ = channel.send(&FromSuccessor::Refused(reason.clone()), &[], TELLS_WITHIN);
            Err(reason)
        }
    }
}

/// In the environment of a starter.
const STARTS: &str = "PRONK_STARTS_SUCCESSOR";
const TELLS_WITHIN: Duration = Duration::from_secs(10);
