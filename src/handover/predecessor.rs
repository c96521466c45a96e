//! The predecessor, as its successor sees it. It blocks.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use parking_lot::Mutex;

use super::channel::Channel;
use super::messages::{FromPredecessor, FromSuccessor, Greeting, HandedSocket, PROTOCOL, ProcessFacts, State};
use crate::reading::os_reason;

/// The process that this one takes over from.
#[derive(Debug)]
pub struct Predecessor {
    channel: Mutex<Channel>,
    process: ProcessFacts,
    greeting: Greeting,
}

/// The descriptors that came with the greeting.
#[derive(Debug, Default)]
pub struct HandedDescriptors {
    pub sockets: Vec<(HandedSocket, OwnedFd)>,
    pub admin_socket: Option<OwnedFd>,
    /// Processes that drain, and where their reports are read.
    pub processes: Vec<(ProcessFacts, OwnedFd)>,
}

impl Predecessor {
    /// Returns the process that has started this one to take over from it, if there is one, and what it hands over first.
    ///
    /// # Errors
    /// It is of a version that this one does not understand, or has ended.
    pub fn of_this_process() -> Result<Option<(Self, HandedDescriptors)>, String> {
        let Some(protocol) = std::env::var_os(TAKES_OVER) else { return Ok(None) };
        let failed = |error: io::Error| {
            format!("{TAKES_OVER} is set, but no process hands over to this one: {}", os_reason(&error))
        };
        let socket = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
        let mut channel = Channel::new(UnixStream::from(socket));
        if protocol.to_str().and_then(|text| text.parse().ok()) != Some(PROTOCOL) {
            return Err(refused(
                &mut channel,
                format!(
                    "the process that runs hands over by version {} of the protocol, and this one takes version {PROTOCOL}; \
                 restart pronk instead",
                    protocol.to_string_lossy()
                ),
            ));
        }
        Self::greeted(channel).map(Some).map_err(failed)
    }

    fn greeted(mut channel: Channel) -> io::Result<(Self, HandedDescriptors)> {
        let mut process = ProcessFacts { pid: 0, version: String::new() };
        let mut handed = HandedDescriptors::default();
        loop {
            let (message, descriptors) = channel.receive(TELLS_WITHIN)?;
            match message {
                FromPredecessor::Hello { process: facts, .. } => process = facts,
                FromPredecessor::Sockets(names) => handed.sockets.extend(names.into_iter().zip(descriptors)),
                FromPredecessor::AdminSocket => handed.admin_socket = descriptors.into_iter().next(),
                FromPredecessor::Processes(facts) => handed.processes.extend(facts.into_iter().zip(descriptors)),
                FromPredecessor::Greeting(greeting) => {
                    return Ok((Self { channel: Mutex::new(channel), process, greeting }, handed));
                }
                FromPredecessor::State(_) | FromPredecessor::TakeOver => {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
    }

    /// Returns what tells the process from others.
    pub fn process(&self) -> &ProcessFacts {
        &self.process
    }

    /// Returns what this process prepares its configuration with.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Tells the predecessor that this process is prepared, and takes the state, part by part. From then on the predecessor
    /// accepts no connection.
    ///
    /// # Errors
    /// It does not hand over.
    pub fn take_over(&self, mut take_part: impl FnMut(State)) -> Result<(), String> {
        let mut channel = self.channel.lock();
        let mut take = || -> io::Result<()> {
            channel.send(&FromSuccessor::Prepared, &[], TELLS_WITHIN)?;
            loop {
                match channel.receive(TELLS_WITHIN)?.0 {
                    FromPredecessor::State(part) => take_part(part),
                    FromPredecessor::TakeOver => return Ok(()),
                    _ => return Err(io::ErrorKind::InvalidData.into()),
                }
            }
        };
        match take() {
            // This process has the sockets, and nobody else serves.
            Err(error) if is_gone(&error) => {
                let pid = self.process.pid;
                tracing::warn!(pid, "the process that was to hand over has ended; this one serves without its state");
                Ok(())
            }
            taken => {
                taken.map_err(|error| format!("process {} does not hand over: {}", self.process.pid, os_reason(&error)))
            }
        }
    }

    /// Tells the predecessor that this process accepts connections, and at which destinations.
    ///
    /// # Errors
    /// The predecessor has ended, or has given this process up.
    pub fn serving(&self, served: Vec<SocketAddr>) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.channel.lock().send(&FromSuccessor::Serving { version, served }, &[], TELLS_WITHIN)
    }

    /// Tells the predecessor why this process cannot take over.
    pub fn refuse(&self, reason: &str) {
        refused(&mut self.channel.lock(), reason.to_owned());
    }
}

/// Returns whether the other process has ended. One that gives this one up ends it before it closes its end.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | BrokenPipe | ConnectionReset)
}

/// Says why this process cannot take over. Returns that.
fn refused(channel: &mut Channel, reason: String) -> String {
    // If nobody listens, the log has it.
    let _ = channel.send(&FromSuccessor::Refused(reason.clone()), &[], TELLS_WITHIN);
    reason
}

/// In the environment of a process that is to take over: the version of the protocol. Its standard input is the socket.
pub(super) const TAKES_OVER: &str = "PRONK_TAKES_OVER";
const TELLS_WITHIN: Duration = Duration::from_secs(30);
