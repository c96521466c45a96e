//! The successor, as its predecessor sees it: starting it, and handing over to it. It blocks.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::channel::{Channel, MOST_DESCRIPTORS};
use super::messages::{FromPredecessor, FromSuccessor, Greeting, HandedSocket, PROTOCOL, ProcessFacts, State};
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
}

/// A process that is to take over from this one.
#[derive(Debug)]
pub struct Successor {
    child: Arc<Mutex<Child>>,
    channel: Channel,
    facts: ProcessFacts,
    /// Where it accepts connections.
    served: Vec<SocketAddr>,
}

/// What goes to a successor first.
#[derive(Debug)]
pub struct Parcel {
    pub sockets: Vec<(HandedSocket, OwnedFd)>,
    pub admin_socket: Option<OwnedFd>,
    /// Processes that drain, this one first, and where their reports are read.
    pub processes: Vec<(ProcessFacts, OwnedFd)>,
    pub greeting: Greeting,
}

/// Ends a process that has not taken over yet.
#[derive(Clone, Debug)]
pub struct Abort(Arc<Mutex<Child>>);

impl Abort {
    pub fn abort(&self) {
        let mut child = self.0.lock();
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Successor {
    /// Starts the program. It waits for what [`prepare`](Self::prepare) sends.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn start(program: &Program) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot start {}: {}", program.path.display(), os_reason(&error));
        let (own, other) = UnixStream::pair().map_err(failed)?;
        let child = Command::new(&program.path)
            .args(&program.arguments)
            .env(TAKES_OVER, PROTOCOL.to_string())
            // They name this process (sd_watchdog_enabled(3), sd_listen_fds(3)), and the successor is another one.
            .env_remove("WATCHDOG_PID")
            .env_remove("LISTEN_PID")
            .stdin(Stdio::from(OwnedFd::from(other)))
            .spawn()
            .map_err(failed)?;
        let facts = ProcessFacts { pid: child.id(), version: String::new() };
        Ok(Self { child: Arc::new(Mutex::new(child)), channel: Channel::new(own), facts, served: Vec::new() })
    }

    /// Returns what ends the process.
    pub fn abort_handle(&self) -> Abort {
        Abort(Arc::clone(&self.child))
    }

    /// Returns what tells the process from others. The version is known once it serves.
    pub fn facts(&self) -> &ProcessFacts {
        &self.facts
    }

    /// Returns the destinations at which it accepts connections, once it does.
    pub fn served(&self) -> &[SocketAddr] {
        &self.served
    }

    /// Hands over what the successor needs to prepare its configuration, and waits until it has.
    ///
    /// # Errors
    /// Why it cannot take over.
    pub fn prepare(&mut self, parcel: Parcel) -> Result<(), String> {
        self.send(&FromPredecessor::Hello { protocol: PROTOCOL, process: own_facts() }, &[])?;
        self.send_each(&parcel.sockets, FromPredecessor::Sockets)?;
        if let Some(admin_socket) = &parcel.admin_socket {
            self.send(&FromPredecessor::AdminSocket, &[admin_socket.as_fd()])?;
        }
        self.send_each(&parcel.processes, FromPredecessor::Processes)?;
        self.send(&FromPredecessor::Greeting(parcel.greeting), &[])?;
        match self.receive(PREPARES_WITHIN)? {
            FromSuccessor::Prepared => Ok(()),
            FromSuccessor::Refused(reason) => Err(reason),
            FromSuccessor::Serving { .. } => Err("the new process is out of step".to_owned()),
        }
    }

    /// Hands over the state, and waits until the successor accepts connections.
    ///
    /// # Errors
    /// Why it does not.
    pub fn take_over(&mut self, state: impl Iterator<Item = State>) -> Result<(), String> {
        for part in state {
            self.send(&FromPredecessor::State(part), &[])?;
        }
        self.send(&FromPredecessor::TakeOver, &[])?;
        match self.receive(SERVES_WITHIN)? {
            FromSuccessor::Serving { version, served } => {
                self.facts.version = version;
                self.served = served;
                Ok(())
            }
            FromSuccessor::Refused(reason) => Err(reason),
            FromSuccessor::Prepared => Err("the new process is out of step".to_owned()),
        }
    }

    /// Sends things, each with its descriptor, in as many messages as that takes.
    fn send_each<T: Clone>(
        &mut self,
        all: &[(T, OwnedFd)],
        message: impl Fn(Vec<T>) -> FromPredecessor,
    ) -> Result<(), String> {
        for part in all.chunks(MOST_DESCRIPTORS) {
            let (things, descriptors): (Vec<_>, Vec<_>) =
                part.iter().map(|(thing, descriptor)| (thing.clone(), descriptor.as_fd())).unzip();
            self.send(&message(things), &descriptors)?;
        }
        Ok(())
    }

    fn send(&mut self, message: &FromPredecessor, descriptors: &[BorrowedFd<'_>]) -> Result<(), String> {
        // What it said before it ended tells more.
        self.channel.send(message, descriptors, TAKES_WITHIN).map_err(|error| self.last_words(&error))
    }

    fn last_words(&mut self, error: &io::Error) -> String {
        match self.channel.receive(TAKES_WITHIN) {
            Ok((FromSuccessor::Refused(reason), _)) => reason,
            _ => self.why_silent(error),
        }
    }

    fn receive(&mut self, limit: Duration) -> Result<FromSuccessor, String> {
        match self.channel.receive(limit) {
            Ok((message, _)) => Ok(message),
            Err(error) => Err(self.why_silent(&error)),
        }
    }

    /// Returns why the successor says nothing.
    fn why_silent(&self, error: &io::Error) -> String {
        let Abort(child) = self.abort_handle();
        let (pid, mut child) = (self.facts.pid, child.lock());
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                let _ = child.kill();
                let _ = child.wait();
                format!("the new process (pid {pid}) was not ready in time, and was ended")
            }
            _ => {
                // It has closed its end, and so it ends.
                let _ = child.kill();
                match child.wait() {
                    Ok(status) if status.code().is_some() => {
                        format!("the new process (pid {pid}) ended with {status}; its log says why")
                    }
                    Ok(status) => format!("the new process (pid {pid}) was ended ({status}); its log may say why"),
                    Err(error) => format!("the new process (pid {pid}) ended: {}", os_reason(&error)),
                }
            }
        }
    }
}

/// Returns what tells this process from others.
pub fn own_facts() -> ProcessFacts {
    ProcessFacts { pid: std::process::id(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// Reading a large configuration, and keys whose passphrases are slow to check, may take long.
const PREPARES_WITHIN: Duration = Duration::from_secs(120);
/// Meanwhile nobody accepts connections.
const SERVES_WITHIN: Duration = Duration::from_secs(20);
/// How long a message may take to be sent.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
