//! Messages with file descriptors over a unix socket.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One end of a socket that carries messages, some with file descriptors. It blocks.
#[derive(Debug)]
pub(super) struct Channel(UnixStream);

impl Channel {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(stream)
    }

    /// Returns another handle to the same end.
    ///
    /// # Errors
    /// The system grants no more descriptors.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Waits until the other end is closed, which its process does when it ends. Returns whether it is, after `limit` at
    /// the latest.
    pub(super) fn wait_closed(&self, limit: Duration) -> bool {
        let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
        let mut hang_up = [PollFd::new(&self.0, PollFlags::empty())];
        // Nothing else is asked for, so that it is the only event.
        matches!(poll(&mut hang_up, Some(&limit)), Ok(1))
    }

    /// Sends a message, with at most [`MOST_DESCRIPTORS`].
    ///
    /// # Errors
    /// The other end is closed, or takes nothing within `limit`.
    pub(super) fn send(
        &mut self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
        limit: Duration,
    ) -> io::Result<()> {
        let text = serde_json::to_vec(message)?;
        self.0.set_write_timeout(Some(limit))?;
        let length = u32::try_from(text.len()).map_err(|_| io::ErrorKind::InvalidData)?.to_be_bytes();
        // Descriptors go with the first byte, so that whoever reads that has them.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut with = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !with.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors for one message"));
        }
        let sent = sendmsg(&self.0, &[IoSlice::new(&length)], &mut with, SendFlags::NOSIGNAL)?;
        self.0.write_all(&length[sent..])?;
        self.0.write_all(&text)
    }

    /// Receives a message with its descriptors.
    ///
    /// # Errors
    /// The other end is closed (`UnexpectedEof`), says nothing within `limit` (`WouldBlock`), or says what is no message.
    pub(super) fn receive<M: DeserializeOwned>(&mut self, limit: Duration) -> io::Result<(M, Vec<OwnedFd>)> {
        self.0.set_read_timeout(Some(limit))?;
        let mut length = [0; 4];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut with = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut length)], &mut with, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                received => break received?,
            }
        };
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let descriptors = with.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
            _ => Vec::new(),
        });
        let descriptors = descriptors.collect();
        self.0.read_exact(&mut length[received.bytes..])?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut text = vec![0; length];
        self.0.read_exact(&mut text)?;
        Ok((serde_json::from_slice(&text)?, descriptors))
    }
}

/// Descriptors that go with one message: the kernel takes 253 (SCM_MAX_FD in include/net/scm.h).
pub(super) const MOST_DESCRIPTORS: usize = 250;
/// Bytes of a message.
const LONGEST: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn pair() -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one), Channel::new(other))
    }

    #[test]
    fn messages_come_in_order_each_with_its_descriptors() {
        let (mut one, mut other) = pair();
        let files: Vec<_> = (0..MOST_DESCRIPTORS)
            .map(|number| {
                let mut file = tempfile::tempfile().unwrap();
                write!(file, "{number}").unwrap();
                file
            })
            .collect();
        let descriptors: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        let sending = std::thread::spawn(move || {
            let mut received = Vec::new();
            for _ in 0..4 {
                received.push(other.receive::<String>(LIMIT).unwrap());
            }
            received
        });
        let large = "x".repeat(1 << 20);
        one.send(&"first", &[], LIMIT).unwrap();
        one.send(&"second", &descriptors[..3], LIMIT).unwrap();
        one.send(&large, &descriptors, LIMIT).unwrap();
        one.send(&"last", &[], LIMIT).unwrap();
        let received = sending.join().unwrap();
        let seen: Vec<_> = received.iter().map(|(text, with)| (text.as_str(), with.len())).collect();
        assert_eq!(seen, [("first", 0), ("second", 3), (&large, MOST_DESCRIPTORS), ("last", 0)]);
        for (number, descriptor) in received[2].1.iter().enumerate() {
            use std::os::unix::fs::FileExt;
            let (file, mut text) = (std::fs::File::from(descriptor.try_clone().unwrap()), [0; 8]);
            let length = file.read_at(&mut text, 0).unwrap();
            assert_eq!(std::str::from_utf8(&text[..length]).unwrap(), number.to_string());
        }
    }

    #[test]
    fn an_end_and_silence_are_told_apart() {
        let (mut one, mut other) = pair();
        let silent = other.receive::<String>(Duration::from_millis(1)).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::WouldBlock);
        assert!(!other.wait_closed(Duration::ZERO));
        one.send(&"the last", &[], LIMIT).unwrap();
        drop(one);
        assert!(other.wait_closed(LIMIT));
        assert_eq!(other.receive::<String>(LIMIT).unwrap().0, "the last");
        let ended = other.receive::<String>(LIMIT).unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let (one, mut other) = pair();
        (&one.0).write_all(&[0xff; 8]).unwrap();
        assert_eq!(other.receive::<String>(LIMIT).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (one, mut other) = pair();
        (&one.0).write_all(b"\0\0\0\x02{]").unwrap();
        assert_eq!(other.receive::<String>(LIMIT).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
