//! Calls of the system and of the C library without a safe wrapper; the only `unsafe` in the crate.
#![expect(
    unsafe_code,
    reason = "TCP_INFO, SO_MEMINFO, SO_RCVLOWAT, SIOCOUTQ, malloc_trim and descriptors of the service manager have no \
              safe wrapper"
)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Offsets in Linux's `struct tcp_info` (include/uapi/linux/tcp.h), which only ever grows at its end.
const STATE: usize = 0;
const RECEIVE_WINDOW_LIMIT: usize = 64;
const SEGMENTS_OUT: usize = 136;
const SEGMENTS_IN: usize = 140;
/// The state after the end of a connection (TCP_CLOSE in include/net/tcp_states.h).
const CLOSE: u8 = 7;

/// The kernel's counters of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// Segments received.
    pub packets_in: u32,
    /// Segments sent.
    pub packets_out: u32,
}

/// Reads `TCP_INFO`. Returns zeros where the kernel has none (an old kernel, a socket that is closed).
pub fn tcp_info(socket: &impl AsFd) -> TcpInfo {
    let Some(raw) = raw_tcp_info(socket) else { return TcpInfo::default() };
    TcpInfo { packets_in: field(&raw, SEGMENTS_IN), packets_out: field(&raw, SEGMENTS_OUT) }
}

/// Returns how many bytes the peer may send before any of them is read (`tcpi_rcv_ssthresh`). It grows while they arrive.
/// 0 where the kernel does not tell.
pub(super) fn receive_window_limit(socket: &impl AsFd) -> usize {
    raw_tcp_info(socket).map_or(0, |raw| field(&raw, RECEIVE_WINDOW_LIMIT) as usize)
}

/// Returns whether the connection is over in both directions, as after a reset.
pub(super) fn is_closed(socket: &impl AsFd) -> bool {
    raw_tcp_info(socket).is_some_and(|raw| raw[STATE] == CLOSE)
}

fn field(raw: &[u8; 256], at: usize) -> u32 {
    u32::from_ne_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]])
}

fn raw_tcp_info(socket: &impl AsFd) -> Option<[u8; 256]> {
    let mut raw = [0_u8; 256];
    let mut length = raw.len() as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the kernel writes at most `length` bytes
    // into `raw`, which is that long.
    let status = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            raw.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    (status == 0 && length as usize >= SEGMENTS_IN + 4).then_some(raw)
}

/// Returns how many bytes the socket takes before its send buffer is full, as the kernel counts them (`SO_MEMINFO` in
/// include/uapi/linux/sock_diag.h); `None` where the kernel does not tell.
pub(super) fn send_room(socket: &impl AsFd) -> Option<usize> {
    let mut raw = [0_u32; libc::SK_MEMINFO_DROPS as usize + 1];
    let mut length = size_of_val(&raw) as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the kernel writes at most `length` bytes
    // into `raw`, which is that long.
    let status = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            raw.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let is_told = status == 0 && length as usize == size_of_val(&raw);
    let field = |index: libc::c_int| raw[index as usize];
    is_told.then(|| field(libc::SK_MEMINFO_SNDBUF).saturating_sub(field(libc::SK_MEMINFO_WMEM_QUEUED)) as usize)
}

/// Makes the socket readable only once so many bytes are there, the receive buffer is full or the peer has ended
/// (`SO_RCVLOWAT` in socket(7)). A read that does not wait gives what there is.
///
/// # Errors
/// The system refuses it.
pub(super) fn set_receive_low_water_mark(socket: &impl AsFd, bytes: usize) -> io::Result<()> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the kernel reads one int, from `bytes`.
    let status = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size_of_val(&bytes) as libc::socklen_t,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns how many bytes that were written the peer has not acknowledged (`SIOCOUTQ`); 0 when the socket is closed.
pub(super) fn unsent_bytes(socket: &impl AsFd) -> u32 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; TIOCOUTQ (which is SIOCOUTQ for sockets)
    // writes one int, into `bytes`.
    let status = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if status == 0 { u32::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// Gives memory that was allocated and is free again back to the system (malloc_trim(3)). What allocates meanwhile may wait
/// for it. Does nothing with an allocator other than that of glibc.
pub fn release_free_memory() {
    // SAFETY: it touches only what is free, under the allocator's own locks.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Takes the descriptors that the service manager passes to this process, with their names (sd_listen_fds(3)): those of a
/// socket unit, and those that it keeps. There are none the second time.
///
/// # Errors
/// What the service manager says in the environment makes no sense.
pub fn take_passed_descriptors() -> io::Result<Vec<(OwnedFd, String)>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Ok(Vec::new());
    }
    // SAFETY: the service manager has opened these descriptors for this process, as `LISTEN_PID` says, and nobody else in
    // it takes them: this is the only place, and it comes here once.
    let own = |(descriptor, name)| (unsafe { OwnedFd::from_raw_fd(descriptor) }, name);
    Ok(sd_notify::listen_fds_with_names()?.map(own).collect())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn counts_segments_and_unsent_bytes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
        let info = tcp_info(&server);
        assert!(info.packets_in >= 2 && info.packets_out >= 1, "{info:?}");
        server.set_nonblocking(true).unwrap();
        while server.write(&[0; 65536]).is_ok() {}
        assert!(unsent_bytes(&server) > 0);
    }

    #[test]
    fn room_is_taken_by_one_write_and_is_none_when_the_buffer_is_full() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let room = send_room(&client).unwrap();
        assert!(room > 0);
        assert_eq!(client.write(&vec![0; room.min(1 << 18)]).unwrap(), room.min(1 << 18));
        while client.write(&[0; 65536]).is_ok() {}
        assert!(send_room(&client).unwrap() < 65536);
    }
}
