//! What a process that drains reports to its successor: how many connections it has left.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

/// What is left in a process that drains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub connections: u64,
    /// Until its connections are closed.
    pub seconds_left: u64,
}

/// Returns the two ends of a socket for reports. Each report is a packet of its own, so that whoever reads the next one
/// may be another process.
///
/// # Errors
/// The system refuses it.
pub fn reports() -> io::Result<(ReportSender, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (sender, receiver) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok((ReportSender(sender), receiver))
}

/// Sends reports.
#[derive(Debug)]
pub struct ReportSender(OwnedFd);

impl ReportSender {
    /// Sends a report, unless nobody reads them fast enough or at all.
    pub fn send(&self, report: &Report) {
        if let Ok(text) = serde_json::to_vec(report) {
            // It is only for display, and the next one follows.
            let _ = send(&self.0, &text, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        }
    }
}

/// Receives reports until their process has ended. A read of the socket returns one packet, as tokio's type for streams
/// reads no more than is asked for.
#[derive(Debug)]
pub struct ReportReceiver(UnixStream);

impl ReportReceiver {
    /// Receives from the end that [`reports`] returned, on the current runtime.
    ///
    /// # Errors
    /// The runtime refuses the descriptor.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        UnixStream::from_std(std::os::unix::net::UnixStream::from(descriptor)).map(Self)
    }

    /// Waits for the next report; none when the process has ended.
    pub async fn next(&self) -> Option<Report> {
        let mut packet = [0; LONGEST];
        loop {
            self.0.readable().await.ok()?;
            match self.0.try_read(&mut packet) {
                Ok(0) => return None,
                Ok(length) => {
                    if let Ok(report) = serde_json::from_slice(&packet[..length]) {
                        return Some(report);
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
        self.0.as_fd()
    }
}

/// Bytes of a report.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reports_arrive_whole_and_their_end_is_noticed() {
        let (sender, receiver) = reports().unwrap();
        // Another process goes on where this one leaves.
        let other = receiver.try_clone().unwrap();
        let receiver = ReportReceiver::new(receiver).unwrap();
        for connections in 0..3 {
            sender.send(&Report { connections, seconds_left: 60 });
        }
        assert_eq!(receiver.next().await, Some(Report { connections: 0, seconds_left: 60 }));
        drop(receiver);
        let other = ReportReceiver::new(other).unwrap();
        assert_eq!(other.next().await.map(|report| report.connections), Some(1));
        drop(sender);
        assert_eq!(other.next().await.map(|report| report.connections), Some(2));
        assert_eq!(other.next().await, None);
    }

    #[tokio::test]
    async fn nobody_who_reads_holds_nobody_up() {
        let (sender, _receiver) = reports().unwrap();
        for _ in 0..100_000 {
            sender.send(&Report::default());
        }
    }
}
