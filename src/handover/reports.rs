//! What a process that drains reports to its successor: how many connections it has left, in all and of which members,
//! virtual servers and clients.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::task::consume_budget;

use super::held::Held;

/// What is left in a process that drains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub connections: u64,
    /// Until its connections are closed.
    pub seconds_left: u64,
}

/// What was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    pub report: Report,
    /// Of what its connections are, whenever all parts of that have come.
    pub held: Option<Held>,
}

/// A packet as it goes over the wire.
#[derive(Debug, Serialize, Deserialize)]
struct Packet {
    #[serde(flatten)]
    report: Report,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
}

/// A part of what a process has at one moment.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    /// Which moment.
    round: u64,
    number: usize,
    of: usize,
    held: Held,
}

/// Returns the two ends of a socket for reports. Each report is a packet of its own, so that whoever reads the next one
/// may be another process. The sender is of the current runtime.
///
/// # Errors
/// The system refuses it.
pub fn reports() -> io::Result<(ReportSender, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (socket, receiver) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    // With less room it only takes longer.
    let _ = set_socket_send_buffer_size(&socket, SEND_BUFFER);
    let socket = UnixStream::from_std(std::os::unix::net::UnixStream::from(socket))?;
    Ok((ReportSender { socket, sent: Mutex::default() }, receiver))
}

/// Sends reports.
#[derive(Debug)]
pub struct ReportSender {
    socket: UnixStream,
    sent: Mutex<Sent>,
}

/// What was sent of the connections.
#[derive(Debug, Default)]
struct Sent {
    held: Held,
    at: Option<Instant>,
    round: u64,
    /// The rest of what has begun, for which the socket had no room yet.
    waiting: VecDeque<Vec<u8>>,
    /// What follows. Where nobody reads, the latest one is enough.
    next: Option<(Report, Held)>,
}

impl ReportSender {
    /// Sends a report, as far as somebody reads fast enough. [`Self::rest`] sends what is left. What the process has goes
    /// along when it has changed, and now and then, for a reader that is new.
    pub fn send(&self, report: Report, held: Held) {
        let mut sent = self.sent.lock();
        sent.next = Some((report, held));
        // What the socket does not take is for `rest`.
        let _ = self.advance(&mut sent);
    }

    /// Sends what is left of the reports before, as fast as somebody reads. It may be left at any moment.
    pub async fn rest(&self) {
        // It fails only if the runtime ends.
        let _ = self.socket.async_io(Interest::WRITABLE, || self.advance(&mut self.sent.lock())).await;
    }

    /// Sends all that the socket takes.
    ///
    /// # Errors
    /// `WouldBlock` if it has no room for what is left.
    fn advance(&self, sent: &mut Sent) -> io::Result<()> {
        loop {
            while let Some(packet) = sent.waiting.front() {
                match send(&self.socket, packet, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                    Ok(_) => drop(sent.waiting.pop_front()),
                    // Nobody is left who reads.
                    Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN | Errno::CONNREFUSED) => {
                        *sent = Sent { round: sent.round, ..Sent::default() };
                        return Ok(());
                    }
                    // The socket has no room, or the system is short of memory.
                    Err(_) => return Err(io::ErrorKind::WouldBlock.into()),
                }
            }
            match sent.next.take() {
                Some((report, held)) => sent.begin(report, held),
                None => return Ok(()),
            }
        }
    }
}

impl Sent {
    /// Begins to send a report: with what the process has, unless that is known.
    fn begin(&mut self, report: Report, held: Held) {
        if self.held == held && self.at.is_some_and(|at| at.elapsed() < AGAIN) {
            self.waiting.extend(packet(report, None));
            return;
        }
        let parts = held.parts(PART);
        let (round, of) = (self.round + 1, parts.len());
        let part = |(number, held)| Some(Part { round, number, of, held });
        self.waiting = parts.into_iter().enumerate().map(part).filter_map(|part| packet(report, part)).collect();
        (self.round, self.held, self.at) = (round, held, Some(Instant::now()));
    }
}

fn packet(report: Report, part: Option<Part>) -> Option<Vec<u8>> {
    serde_json::to_vec(&Packet { report, part }).ok().filter(|text| text.len() <= LONGEST)
}

/// Receives reports until their process has ended. A read of the socket returns one packet, as tokio's type for streams
/// reads no more than is asked for.
#[derive(Debug)]
pub struct ReportReceiver {
    socket: UnixStream,
    assembly: Mutex<Assembly>,
}

/// The parts of a round that have come.
#[derive(Debug, Default)]
struct Assembly {
    round: u64,
    /// How many have come in order; none once one is missing, as another process may have read it.
    come: Option<usize>,
    held: Held,
}

impl Assembly {
    /// Takes a part. Returns everything when it is the last one.
    fn take(&mut self, part: Part) -> Option<Held> {
        if part.number == 0 {
            *self = Self { round: part.round, come: Some(0), held: Held::default() };
        }
        let is_next = part.round == self.round && self.come == Some(part.number);
        if !is_next || part.number >= part.of || part.of > MOST_PARTS {
            *self = Self::default();
            return None;
        }
        self.held.add(part.held);
        let come = part.number + 1;
        self.come = (come < part.of).then_some(come);
        (come == part.of).then(|| std::mem::take(&mut self.held))
    }
}

impl ReportReceiver {
    /// Receives from the end that [`reports`] returned, on the current runtime.
    ///
    /// # Errors
    /// The runtime refuses the descriptor.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let socket = UnixStream::from_std(std::os::unix::net::UnixStream::from(descriptor))?;
        Ok(Self { socket, assembly: Mutex::default() })
    }

    /// Waits for the next report; none when the process has ended.
    pub async fn next(&self) -> Option<Received> {
        let mut packet = [0; LONGEST];
        loop {
            // However much there is to read, others have their turn.
            consume_budget().await;
            self.socket.readable().await.ok()?;
            match self.socket.try_read(&mut packet) {
                Ok(0) => return None,
                Ok(length) => {
                    if let Ok(Packet { report, part }) = serde_json::from_slice(&packet[..length]) {
                        return Some(Received { report, held: part.and_then(|part| self.assembly.lock().take(part)) });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }
}

impl AsFd for ReportReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Bytes of a packet, which any version reads.
const LONGEST: usize = 4096;
/// Bytes of what is in a part, less what is around it.
const PART: usize = 3500;
/// How often what a process has is sent although it has not changed.
const AGAIN: Duration = Duration::from_secs(2);
/// Parts of a round: as many bytes as the largest message of a handover.
const MOST_PARTS: usize = 16_384;
/// Bytes that wait for a reader in the socket; the system may allow less.
const SEND_BUFFER: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handover::HeldByMember;

    fn held(members: u16) -> Held {
        let member =
            |port| HeldByMember { pool: "pool".into(), node: "node".into(), port, connections: 3, persisted: 1 };
        Held { members: (0..members).map(member).collect(), virtual_servers: Vec::new() }
    }

    fn report(connections: u64) -> Report {
        Report { connections, seconds_left: 60 }
    }

    #[tokio::test]
    async fn reports_arrive_whole_and_their_end_is_noticed() {
        let (sender, receiver) = reports().unwrap();
        // Another process goes on where this one leaves.
        let other = receiver.try_clone().unwrap();
        let receiver = ReportReceiver::new(receiver).unwrap();
        for connections in 0..3 {
            sender.send(report(connections), held(1));
        }
        let first = receiver.next().await;
        assert_eq!(first, Some(Received { report: report(0), held: Some(held(1)) }));
        drop(receiver);
        let other = ReportReceiver::new(other).unwrap();
        assert_eq!(other.next().await, Some(Received { report: report(1), held: None }), "it has not changed");
        drop(sender);
        assert_eq!(other.next().await.map(|it| it.report.connections), Some(2));
        assert_eq!(other.next().await, None);
    }

    /// As many as no socket takes at once, while a reader comes and goes.
    #[tokio::test]
    async fn what_a_process_has_arrives_whole_or_not_at_all() {
        let (sender, receiver) = reports().unwrap();
        let other = ReportReceiver::new(receiver.try_clone().unwrap()).unwrap();
        let receiver = ReportReceiver::new(receiver).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        let (mut whole, mut largest) = (0, 0);
        for round in 0..300_u64 {
            let size = if random.u8(..3) == 0 { 5000 } else { random.u16(1..200) };
            sender.send(report(round), held(size));
            for _ in 0..random.usize(..60) {
                let reader = if random.u8(..100) == 0 { &other } else { &receiver };
                let next = tokio::time::timeout(Duration::from_millis(1), reader.next()).await;
                let Ok(Some(received)) = next else { break };
                if let Some(has) = received.held {
                    assert_eq!(has, held(has.members.len() as u16));
                    (whole, largest) = (whole + 1, largest.max(has.members.len()));
                }
            }
        }
        assert!(whole > 20 && largest == 5000, "{whole}, {largest}");
    }

    /// Several times what a socket takes. What is reported last comes last, whatever was under way.
    #[tokio::test]
    async fn large_report_arrives_whole_without_another_one() {
        let (sender, receiver) = reports().unwrap();
        let receiver = ReportReceiver::new(receiver).unwrap();
        let large = held(60_000);
        assert!(large.parts(PART).len() > 1000);
        sender.send(report(60_000), large.clone());
        sender.send(report(1), held(1));
        sender.send(report(0), Held::default());
        let reading = async {
            let mut all = Vec::new();
            while all.last() != Some(&Held::default()) {
                all.extend(receiver.next().await.unwrap().held);
            }
            all
        };
        let both = Box::pin(async { tokio::join!(reading, sender.rest()) });
        let (all, ()) = tokio::time::timeout(Duration::from_secs(60), both).await.unwrap();
        assert!(all == [large, Held::default()], "{}", all.len());
    }

    #[tokio::test]
    async fn parts_without_an_end_are_not_kept() {
        let mut assembly = Assembly::default();
        let part = |number, of| Part { round: 1, number, of, held: held(1) };
        for number in 0..100_000 {
            assert_eq!(assembly.take(part(number, usize::MAX)), None);
            assert!(assembly.held.members.len() <= MOST_PARTS);
        }
        for (number, of) in [(usize::MAX, usize::MAX), (usize::MAX, 1), (0, 0), (3, 2)] {
            assert_eq!(assembly.take(part(number, of)), None, "{number} of {of}");
            assert_eq!(assembly.take(part(usize::MAX, 0)), None);
        }
        assert_eq!((assembly.take(part(0, 2)), assembly.take(part(1, 2))), (None, Some(held_twice())));
        assert_eq!(assembly.take(part(2, 3)), None, "the round is over");
    }

    fn held_twice() -> Held {
        let mut twice = held(1);
        twice.add(held(1));
        twice
    }

    #[tokio::test]
    async fn flood_of_reports_leaves_others_their_turn() {
        let (sender, receiver) = reports().unwrap();
        let receiver = ReportReceiver::new(receiver).unwrap();
        // Fewer than a socket takes, and more than a task may read in one turn.
        for connections in 0..300 {
            sender.send(report(connections), held(1));
        }
        receiver.next().await.unwrap();
        let other = tokio::spawn(async {});
        let reading = async {
            for _ in 0..200 {
                receiver.next().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap();
        assert!(other.is_finished());
    }

    /// They know how many connections there are in all, and nothing else.
    #[tokio::test]
    async fn versions_that_report_less_understand_each_other() {
        let (sender, receiver) = reports().unwrap();
        send(&sender.socket, br#"{"connections":3,"seconds_left":60}"#, SendFlags::empty()).unwrap();
        let receiver = ReportReceiver::new(receiver).unwrap();
        assert_eq!(receiver.next().await, Some(Received { report: report(3), held: None }));
        let part = Part { round: 1, number: 0, of: 1, held: held(2) };
        let newer = packet(report(3), Some(part)).unwrap();
        assert_eq!(serde_json::from_slice::<Report>(&newer).unwrap(), report(3));
    }

    #[tokio::test]
    async fn nobody_who_reads_holds_nobody_up() {
        let (sender, receiver) = reports().unwrap();
        for connections in 0..100_000 {
            sender.send(report(connections), held(connections as u16 % 3));
        }
        assert!(sender.sent.lock().waiting.len() <= 1);
        drop(receiver);
        sender.rest().await;
        sender.send(report(1), held(1));
        assert!(sender.sent.lock().waiting.is_empty(), "there is nobody to wait for");
    }
}
