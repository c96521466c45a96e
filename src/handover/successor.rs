//! The successor, as its predecessor sees it: starting it, and handing over to it. It blocks.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};

use super::channel::{Channel, MOST_DESCRIPTORS};
use super::messages::{FromPredecessor, FromSuccessor, Greeting, HandedSocket, PROTOCOL, ProcessFacts, State};
use super::starter::Program;
use crate::reading::os_reason;

/// A process that is to take over from this one.
#[derive(Debug)]
pub struct Successor {
    channel: Channel,
    facts: ProcessFacts,
    abort: Abort,
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

/// Ends the process of an upgrade, whatever it has come to.
#[derive(Clone, Debug, Default)]
pub struct Abort(Arc<Mutex<Target>>);

#[derive(Debug, Default)]
struct Target {
    is_aborted: bool,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    pid: u32,
    channel: Channel,
}

impl Abort {
    /// Ends the process by SIGKILL, without waiting for its end. One that is started later is ended at once.
    pub fn abort(&self) {
        let mut target = self.0.lock();
        target.is_aborted = true;
        if let Some(process) = target.process.take() {
            process.kill();
        }
    }

    /// Says which process it is.
    ///
    /// # Errors
    /// The upgrade was aborted before, and the process is ended.
    fn aim(&self, process: Process) -> Result<(), String> {
        let mut target = self.0.lock();
        if target.is_aborted {
            process.kill();
            return Err("the upgrade was stopped".to_owned());
        }
        target.process = Some(process);
        Ok(())
    }

    /// Forgets the process, as it is to be waited for: after that its number may be another one's.
    fn forget(&self) {
        self.0.lock().process = None;
    }
}

impl Process {
    fn kill(&self) {
        // Once it has ended, its number may be another process's.
        if !self.channel.wait_closed(Duration::ZERO)
            && let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw)
        {
            // It may end by itself at this moment.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Successor {
    /// Starts the program, which `abort` ends from then on. It waits for what [`greet`](Self::greet) sends.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn start(program: &Program, abort: &Abort) -> Result<Self, String> {
        let failed = |error: io::Error| program.cannot_start(&error);
        let (own, other) = UnixStream::pair().map_err(failed)?;
        let mut channel = Channel::new(own);
        let mut starter = program.start(other)?;
        let started = Self::started(&mut channel, &mut starter, abort, program);
        // Nothing is left for it to do.
        let _ = (starter.kill(), starter.wait());
        let facts = ProcessFacts { pid: started?, version: String::new() };
        Ok(Self { channel, facts, abort: abort.clone(), served: Vec::new() })
    }

    /// Waits until the starter has started the successor, and returns its number.
    fn started(channel: &mut Channel, starter: &mut Child, abort: &Abort, program: &Program) -> Result<u32, String> {
        let aim = |pid, channel: &Channel| {
            let channel = channel.try_clone().map_err(|error| os_reason(&error))?;
            abort.aim(Process { pid, channel })
        };
        aim(starter.id(), channel)?;
        let said = channel.receive(STARTS_WITHIN);
        abort.forget();
        match said {
            Ok((FromSuccessor::Started { pid }, _)) => aim(pid, channel).map(|()| pid),
            Ok((FromSuccessor::Refused(reason), _)) => Err(reason),
            Ok(_) => Err(OUT_OF_STEP.to_owned()),
            Err(error) => Err(why_not_started(starter, &error, program)),
        }
    }

    /// Returns what tells the process from others. The version is known once it serves.
    pub fn facts(&self) -> &ProcessFacts {
        &self.facts
    }

    /// Returns the destinations at which it accepts connections, once it does.
    pub fn served(&self) -> &[SocketAddr] {
        &self.served
    }

    /// Hands over what the successor needs to prepare its configuration.
    ///
    /// # Errors
    /// Why it cannot take over.
    pub fn greet(&mut self, parcel: Parcel) -> Result<(), String> {
        self.send(&FromPredecessor::Hello { protocol: PROTOCOL, process: own_facts() }, &[])?;
        self.send_each(&parcel.sockets, FromPredecessor::Sockets)?;
        if let Some(admin_socket) = &parcel.admin_socket {
            self.send(&FromPredecessor::AdminSocket, &[admin_socket.as_fd()])?;
        }
        self.send_each(&parcel.processes, FromPredecessor::Processes)?;
        self.send(&FromPredecessor::Greeting(parcel.greeting), &[])
    }

    /// Hands over as much of the state as there is already, and waits until the successor is prepared.
    ///
    /// # Errors
    /// Why it cannot take over.
    pub fn prepare(&mut self, state: impl Iterator<Item = State>) -> Result<(), String> {
        for part in state {
            // The successor takes it once it is prepared.
            self.send_within(PREPARES_WITHIN, &FromPredecessor::State(part), &[])?;
        }
        match self.receive(PREPARES_WITHIN)? {
            FromSuccessor::Prepared => Ok(()),
            FromSuccessor::Refused(reason) => Err(reason),
            FromSuccessor::Started { .. } | FromSuccessor::Serving { .. } => Err(OUT_OF_STEP.to_owned()),
        }
    }

    /// Hands over the rest of the state, and waits until the successor accepts connections.
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
            FromSuccessor::Started { .. } | FromSuccessor::Prepared => Err(OUT_OF_STEP.to_owned()),
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
        self.send_within(TAKES_WITHIN, message, descriptors)
    }

    fn send_within(
        &mut self,
        limit: Duration,
        message: &FromPredecessor,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), String> {
        // What it said before it ended tells more.
        self.channel.send(message, descriptors, limit).map_err(|error| self.last_words(&error))
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

    /// Ends the successor, and returns why it says nothing.
    fn why_silent(&self, error: &io::Error) -> String {
        let pid = self.facts.pid;
        if is_late(error) {
            self.abort.abort();
            let rest = if self.channel.wait_closed(ENDS_WITHIN) { "was ended" } else { "is being ended" };
            format!("the new process (pid {pid}) was not ready in time, and {rest}")
        } else {
            format!("the new process (pid {pid}) ended before it was ready; its log says why")
        }
    }
}

/// Returns why a starter says nothing. It is what fails where the program is another one.
fn why_not_started(starter: &mut Child, error: &io::Error, program: &Program) -> String {
    let pid = starter.id();
    if is_late(error) {
        return format!("the new process (pid {pid}) did not start in time, and was ended");
    }
    // It has closed its end, and so it ends.
    match end_of(starter) {
        Ok(status) if status.success() => {
            let path = program.path.display();
            format!("the new process (pid {pid}) ended ({status}) without taking over; is {path} a pronk?")
        }
        Ok(status) if status.code().is_some() => {
            format!("the new process (pid {pid}) ended with {status}; its log says why")
        }
        Ok(status) => format!("the new process (pid {pid}) was ended ({status}); its log may say why"),
        Err(error) => format!("the new process (pid {pid}) ended: {}", os_reason(&error)),
    }
}

/// Waits until a starter ends, and ends it if that takes long.
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this thread may block"))]
fn end_of(starter: &mut Child) -> io::Result<ExitStatus> {
    let since = Instant::now();
    while since.elapsed() < ENDS_WITHIN {
        if let Some(status) = starter.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    starter.kill()?;
    starter.wait()
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Returns what tells this process from others.
pub fn own_facts() -> ProcessFacts {
    ProcessFacts { pid: std::process::id(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

const OUT_OF_STEP: &str = "the new process is out of step";
/// It has to be read from a disk.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// After SIGKILL, or after it has closed the channel. One that waits for a dead disk takes longer.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// Reading a large configuration, and keys whose passphrases are slow to check, may take long.
const PREPARES_WITHIN: Duration = Duration::from_secs(120);
/// Meanwhile nobody accepts connections.
const SERVES_WITHIN: Duration = Duration::from_secs(20);
/// How long a message may take to be sent.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);
