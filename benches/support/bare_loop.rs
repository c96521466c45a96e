//! The least that a relay of small messages can do: one thread, one epoll, and no system call that could be left out. Each
//! side's end is passed on to the other, as a proxy does that keeps half-closed connections; the second end goes on by the
//! close. It chooses no member, keeps no limits, writes no log, and passes no reset on.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, accept_with, connect, recv, send, shutdown,
    socket_with, sockopt,
};

/// Passes on what comes to one address to another, for as long as the process lives.
pub fn run(address: SocketAddr, member: SocketAddr) -> ! {
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    // What it accepts has the option from it.
    sockopt::set_tcp_nodelay(&listener, true).unwrap();
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN).unwrap();
    let (mut relays, mut free, mut ended) = (Vec::<Option<Relay>>::new(), Vec::new(), Vec::new());
    let (mut events, mut buffer) = (Vec::with_capacity(EVENTS), vec![0; BUFFER]);
    loop {
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Err(Errno::INTR) => continue,
            waited => waited.unwrap(),
        };
        for event in events.drain(..) {
            let (token, flags): (u64, _) = (event.data.u64(), event.flags);
            if token == LISTENER {
                let place = free.pop().unwrap_or_else(|| {
                    relays.push(None);
                    relays.len() - 1
                });
                // A connection that fails is the client's to notice, who counts.
                relays[place] = Relay::accept(&listener, member, &epoll, place).ok();
                if relays[place].is_none() {
                    free.push(place);
                }
                continue;
            }
            let place = token as usize / 2;
            // It may have ended at an event of its other side.
            let Some(relay) = &mut relays[place] else { continue };
            if relay.serve(token as usize % 2, flags, &mut buffer).is_err() || relay.is_over() {
                relays[place] = None;
                ended.push(place);
            }
        }
        // Events that came together may tell of one place twice.
        free.append(&mut ended);
    }
}

/// A connection: the client's side and the member's.
struct Relay {
    sides: [Side; 2],
}

struct Side {
    socket: OwnedFd,
    /// What the socket has not taken yet.
    pending: Vec<u8>,
    /// Whether a FIN has arrived, perhaps behind bytes.
    has_hung_up: bool,
    /// Whether all that it sends has been read.
    has_ended: bool,
    /// Whether the other side's end has been passed on to it.
    is_told: bool,
}

impl Relay {
    fn accept(listener: &TcpListener, member: SocketAddr, epoll: &OwnedFd, place: usize) -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let client = accept_with(listener, flags)?;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        match connect(&socket, &member) {
            Err(Errno::INPROGRESS) => {}
            connected => connected?,
        }
        let relay = Self { sides: [client, socket].map(Side::new) };
        for (number, side) in relay.sides.iter().enumerate() {
            // Edges of all kinds at once: nothing has to be changed later.
            let edges = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(epoll, &side.socket, EventData::new_u64((2 * place + number) as u64), edges)?;
        }
        Ok(relay)
    }

    /// Does what an event of one side allows.
    fn serve(&mut self, number: usize, flags: EventFlags, buffer: &mut [u8]) -> io::Result<()> {
        let [client, member] = &mut self.sides;
        let (side, other) = if number == 0 { (client, member) } else { (member, client) };
        if flags.intersects(EventFlags::ERR) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        side.has_hung_up |= flags.intersects(EventFlags::RDHUP);
        if flags.intersects(EventFlags::OUT) && !side.pending.is_empty() {
            other.pass(side, buffer)?;
        }
        if flags.intersects(EventFlags::IN | EventFlags::RDHUP) {
            side.pass(other, buffer)?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.sides.iter().all(|side| side.has_ended && side.pending.is_empty())
    }
}

impl Side {
    fn new(socket: OwnedFd) -> Self {
        Self { socket, pending: Vec::new(), has_hung_up: false, has_ended: false, is_told: false }
    }

    /// Passes on what this side has sent, as far as the other takes it.
    fn pass(&mut self, to: &mut Self, buffer: &mut [u8]) -> io::Result<()> {
        if !to.flush()? {
            return Ok(());
        }
        while !self.has_ended {
            let (count, _) = match recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Err(Errno::AGAIN) => return Ok(()),
                received => received?,
            };
            // Less than there is room for is all that there was.
            let is_all = count < buffer.len();
            self.has_ended = count == 0 || is_all && self.has_hung_up;
            to.send(&buffer[..count])?;
            if !to.pending.is_empty() {
                return Ok(());
            }
            if is_all {
                break;
            }
        }
        if self.has_ended && !to.is_told {
            to.is_told = true;
            // Where nothing is left to pass on, the close says it.
            if !to.has_ended || !self.pending.is_empty() {
                shutdown(&to.socket, Shutdown::Write)?;
            }
        }
        Ok(())
    }

    /// Returns whether the socket has taken all.
    fn flush(&mut self) -> io::Result<bool> {
        let pending = std::mem::take(&mut self.pending);
        self.send(&pending)?;
        Ok(self.pending.is_empty())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::AGAIN) => 0,
            sent => sent?,
        };
        self.pending.extend_from_slice(&bytes[sent..]);
        Ok(())
    }
}

const LISTENER: u64 = u64::MAX;
const EVENTS: usize = 256;
const BUFFER: usize = 16 << 10;
