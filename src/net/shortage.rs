//! What pronk itself may run out of: descriptors, ports, memory. A failure for lack of it says nothing about the other
//! side.

use std::fmt;
use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use socket2::{Domain, Socket, Type};

/// A resource that connections need and that pronk has run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortage {
    /// The process has as many descriptors as its limit allows (`EMFILE`).
    Descriptors,
    /// The machine has as many descriptors as its kernel allows (`ENFILE`).
    SystemDescriptors,
    /// Every local port toward one address is in use. Another address may have some left.
    Ports,
    /// The kernel has no memory for a socket (`ENOMEM`, `ENOBUFS`), or no place in epoll (`ENOSPC`).
    Memory,
}

impl Shortage {
    /// Returns the shortage for which a system call on a socket failed, if any. The error of a connect alone does not
    /// tell whether ports were short; use [`connect`](super::connect) for that.
    pub fn of(error: &io::Error) -> Option<Self> {
        match Errno::from_io_error(error)? {
            Errno::MFILE => Some(Self::Descriptors),
            Errno::NFILE => Some(Self::SystemDescriptors),
            Errno::NOMEM | Errno::NOBUFS | Errno::NOSPC => Some(Self::Memory),
            _ => None,
        }
    }

    /// Returns the shortage for which the look-up of a name failed, if any. A resolver that can open neither its files
    /// nor a socket may report that there is no such name, so this checks whether a socket can be opened.
    pub fn of_lookup(error: &io::Error) -> Option<Self> {
        let opened = || Socket::new(Domain::IPV4, Type::DGRAM, None);
        Self::of(error).or_else(|| opened().err().as_ref().and_then(Self::of))
    }

    /// Returns the shortage for which a connect without a bind failed, if any. The kernel's error is the same for no
    /// ports and no source address (ip(7)), so `has_source` says whether there is a source address.
    pub(super) fn of_connect(error: &io::Error, has_source: impl FnOnce() -> bool) -> Option<Self> {
        match Errno::from_io_error(error)? {
            Errno::ADDRINUSE => Some(Self::Ports),
            Errno::ADDRNOTAVAIL if has_source() => Some(Self::Ports),
            _ => Self::of(error),
        }
    }

    /// Returns what an administrator can do about it.
    pub fn remedy(self) -> String {
        match self {
            Self::Descriptors => {
                let limit = getrlimit(Resource::Nofile).current;
                let limit = limit.map_or_else(String::new, |limit| format!(", which is {limit}"));
                format!(
                    "raise the limit on open files{limit}: LimitNOFILE= of the service, or `ulimit -n`; each \
                     connection takes two"
                )
            }
            Self::SystemDescriptors => {
                "raise fs.file-max, or find out which process of this machine has so many files open".into()
            }
            Self::Ports => {
                "widen net.ipv4.ip_local_port_range, or spread the connections over more members or addresses of \
                 members"
                    .into()
            }
            Self::Memory => {
                "give the machine or pronk's control group more memory; net.ipv4.tcp_mem and fs.epoll.max_user_watches \
                 are limits of their own"
                    .into()
            }
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptors => "out of file descriptors",
            Self::SystemDescriptors => "out of the machine's file descriptors",
            Self::Ports => "out of local ports",
            Self::Memory => "out of memory for sockets",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_what_was_lacking() {
        use Shortage::{Descriptors, Memory, Ports, SystemDescriptors};
        // With a source address toward the destination, and without.
        let table = [
            (Errno::MFILE, Some(Descriptors), Some(Descriptors)),
            (Errno::NFILE, Some(SystemDescriptors), Some(SystemDescriptors)),
            (Errno::NOMEM, Some(Memory), Some(Memory)),
            (Errno::NOBUFS, Some(Memory), Some(Memory)),
            (Errno::NOSPC, Some(Memory), Some(Memory)),
            (Errno::ADDRNOTAVAIL, Some(Ports), None),
            (Errno::ADDRINUSE, Some(Ports), Some(Ports)),
            (Errno::CONNREFUSED, None, None),
            (Errno::CONNABORTED, None, None),
            (Errno::CONNRESET, None, None),
            (Errno::TIMEDOUT, None, None),
            (Errno::NETUNREACH, None, None),
            (Errno::HOSTUNREACH, None, None),
            (Errno::INVAL, None, None),
            (Errno::ACCESS, None, None),
            (Errno::PERM, None, None),
        ];
        for (errno, with_source, without) in table {
            let error = io::Error::from(errno);
            assert_eq!(Shortage::of_connect(&error, || true), with_source, "{error}");
            assert_eq!(Shortage::of_connect(&error, || false), without, "{error}");
            let of_others = with_source.filter(|shortage| *shortage != Ports);
            assert_eq!(Shortage::of(&error), of_others, "{error}: only a connect lacks ports");
        }
        assert_eq!(Shortage::of(&io::Error::other("made by the process")), None);
    }

    #[test]
    fn remedy_names_the_limit_in_force() {
        let limit = getrlimit(Resource::Nofile).current.unwrap();
        let remedy = Shortage::Descriptors.remedy();
        assert!(remedy.contains(&limit.to_string()) && remedy.contains("LimitNOFILE="), "{remedy}");
    }
}
