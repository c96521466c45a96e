//! What the kernel reports of bytes that arrive: only that there are many while nobody is going to read them, so that they
//! wake no thread in vain. The runtime registers a socket for both directions at once, and cannot leave one out.

use std::io;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::task::coop;

use super::sys;

/// What the kernel reports of the bytes that a socket receives. It always reports the peer's end, and the loss of the
/// connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Arrivals {
    /// All of them.
    #[default]
    Reported,
    /// Only that there are many, or that the receive buffer is full.
    Paused,
    /// All from now on. There may be bytes that were not reported.
    Resumed,
}

impl Arrivals {
    /// Makes the kernel report no bytes before there are many, as nobody is going to read them. Nothing changes where the
    /// kernel refuses, or does not tell how many it may receive.
    pub(super) fn pause(&mut self, tcp: &TcpStream) {
        if *self == Self::Paused {
            return;
        }
        // No more than fits into the receive buffer as it is: the kernel would enlarge it (tcp_set_rcvlowat in
        // net/ipv4/tcp.c), and hold bytes that now stay with the sender. Older kernels keep half of it for their own data.
        let buffer = SockRef::from(tcp).recv_buffer_size().unwrap_or(0);
        let many = sys::receive_window_limit(tcp).min(buffer / 2);
        if many > 1 && sys::set_receive_low_water_mark(tcp, many).is_ok() {
            *self = Self::Paused;
        }
    }

    /// Reads what came unreported. Pending once there is no more: from then on all that arrives is reported. The runtime
    /// must have been asked before, so that it knows whom to wake.
    pub(super) fn poll_unreported(
        &mut self,
        cx: &mut Context<'_>,
        tcp: &TcpStream,
        mut call: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if *self == Self::Reported {
            return Poll::Pending;
        }
        // A peer that sends as fast as this reads must not keep others from having a turn.
        let turn = ready!(coop::poll_proceed(cx));
        while *self != Self::Reported {
            match call(tcp) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.resume(tcp),
                called => {
                    turn.made_progress();
                    return Poll::Ready(called);
                }
            }
        }
        Poll::Pending
    }

    /// Makes the kernel report what arrives, after a read that found nothing. What came since that read is to be read
    /// first, as it has no event of its own before Linux 4.18.
    fn resume(&mut self, tcp: &TcpStream) {
        *self = if *self == Self::Paused {
            // A mark that was set can be set back.
            let _ = sys::set_receive_low_water_mark(tcp, 1);
            Self::Resumed
        } else {
            Self::Reported
        };
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::Duration;

    use rustix::net::{RecvFlags, recv};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::*;
    use crate::net::loopback::{self, arrived};
    use crate::net::{Socket, peer_closed, peer_lost, reset_on_close, shutdown_write};

    async fn pair() -> (Socket, TcpStream) {
        let (near, far) = loopback::pair().await;
        (Socket::new(near), far)
    }

    fn is_pending(future: impl Future) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    async fn read(near: &mut Socket, most: usize) -> Vec<u8> {
        let mut received = vec![0; most];
        let count = timeout(LIMIT, near.read(&mut received)).await.expect("nobody is woken").unwrap();
        received.truncate(count);
        received
    }

    #[tokio::test]
    async fn bytes_wake_nobody_while_paused_and_are_read_once_somebody_waits() {
        let ((mut near, far), (other, other_far)) = (pair().await, pair().await);
        near.pause_wakeups();
        far.try_write(b"result").unwrap();
        arrived(&near.tcp).await;
        // Events come in the order of what they tell.
        other_far.try_write(b"event").unwrap();
        other.tcp.readable().await.unwrap();
        assert!(is_pending(near.tcp.readable()));
        for part in [b"res", b"ult"] {
            // At once, as older kernels have no event for it.
            let mut received = [0; 3];
            assert!(!is_pending(near.read(&mut received)));
            assert_eq!(&received, part);
        }
        let (more, sent) = tokio::join!(read(&mut near, 16), async { far.try_write(b"more") });
        assert_eq!((&more[..], sent.unwrap()), (&b"more"[..], 4));
    }

    #[tokio::test]
    async fn pause_does_not_enlarge_the_receive_buffer() {
        let (near, far) = pair().await;
        let size = || SockRef::from(&*near.tcp).recv_buffer_size().unwrap();
        for _ in 0..20 {
            let (mut arrivals, before) = (Arrivals::default(), size());
            arrivals.pause(&near.tcp);
            assert_eq!((arrivals, size()), (Arrivals::Paused, before));
            // The kernel enlarges it while much is read.
            let mut sent = 0;
            while let Ok(count) = far.try_write(&[0; 1 << 16]) {
                sent += count;
            }
            let mut received = 0;
            let reading = async {
                while received < sent {
                    received += recv(&*near.tcp, &mut [0; 1 << 16], RecvFlags::empty()).map_or(0, |(count, _)| count);
                    yield_now().await;
                }
                far.writable().await.unwrap();
            };
            timeout(LIMIT, reading).await.unwrap();
        }
    }

    #[tokio::test]
    async fn end_and_loss_wake_while_paused() {
        let (mut near, far) = pair().await;
        near.pause_wakeups();
        far.try_write(b"few").unwrap();
        shutdown_write(&far).unwrap();
        timeout(LIMIT, peer_closed(&near.tcp)).await.unwrap();
        timeout(LIMIT, near.tcp.readable()).await.unwrap().unwrap();
        reset_on_close(&far);
        drop(far);
        timeout(LIMIT, peer_lost(&near)).await.unwrap();
    }

    #[tokio::test]
    async fn every_byte_and_the_end_are_read_whenever_it_is_paused() {
        let all: Vec<u8> = (0..16 << 20).map(|at: u32| (at % 251) as u8).collect();
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let ((mut near, mut far), mut sent, mut received) = (pair().await, 0, 0);
            for _ in 0..random.usize(1..60) {
                match random.u8(..4) {
                    0 => near.pause_wakeups(),
                    1 => yield_now().await,
                    2 => sent += far.try_write(&all[sent..][..random.usize(1..200_000)]).unwrap_or(0),
                    _ => {
                        let most = random.usize(1..200_000);
                        let (bytes, more) = tokio::join!(read(&mut near, most), async {
                            if received < sent {
                                return 0;
                            }
                            far.write_all(&all[sent..][..1]).await.unwrap();
                            1
                        });
                        sent += more;
                        assert_eq!(bytes, all[received..][..bytes.len()], "seed {seed}");
                        received += bytes.len();
                    }
                }
            }
            shutdown_write(&far).unwrap();
            loop {
                let bytes = read(&mut near, 1 << 20).await;
                assert_eq!(bytes, all[received..][..bytes.len()], "seed {seed}");
                received += bytes.len();
                if bytes.is_empty() {
                    break;
                }
            }
            assert_eq!(received, sent, "seed {seed}");
        }
    }

    const LIMIT: Duration = Duration::from_secs(60);
}
