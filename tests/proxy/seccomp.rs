//! A kernel that refuses a system call, as a sandbox does, or one without a protocol.

use std::collections::BTreeMap;

use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// A system call that the kernel refuses.
pub enum Call {
    Connect,
    SetMaximumSegmentSize,
    /// Making a socket of IPv6.
    SocketV6,
}

/// Starts something whose kernel answers a system call with an error.
pub fn where_the_kernel_refuses<T: Send + 'static>(
    call: Call,
    errno: Errno,
    start: impl FnOnce() -> T + Send + 'static,
) -> T {
    let filter = filter(call, errno);
    // The filter is for good: of this thread and the processes that it starts.
    let starting = std::thread::spawn(move || {
        seccompiler::apply_filter(&filter).unwrap();
        start()
    });
    starting.join().unwrap()
}

fn filter(call: Call, errno: Errno) -> BpfProgram {
    let is = |argument, value: i32| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value.try_into().unwrap()).unwrap()
    };
    let (number, conditions) = match call {
        Call::Connect => (libc::SYS_connect, Vec::new()),
        Call::SocketV6 => (libc::SYS_socket, vec![is(0, libc::AF_INET6)]),
        Call::SetMaximumSegmentSize => (libc::SYS_setsockopt, vec![is(1, libc::IPPROTO_TCP), is(2, libc::TCP_MAXSEG)]),
    };
    let rules = if conditions.is_empty() { Vec::new() } else { vec![SeccompRule::new(conditions).unwrap()] };
    let errno = SeccompAction::Errno(errno.raw_os_error().try_into().unwrap());
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(BTreeMap::from([(number, rules)]), SeccompAction::Allow, errno, architecture);
    filter.unwrap().try_into().unwrap()
}
