//! The sessions with one member, to resume.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::{Mutex, MutexGuard};
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_pki_types::ServerName;

/// The sessions of one member, to resume. The store is for one member, so server names are ignored.
///
/// rustls's own cache keeps eight TLS 1.3 tickets a server whatever its size, too few for a member that many
/// connections are opened to at once.
pub(super) struct MemberSessions {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// Oldest first. Each is used once.
    tls13: VecDeque<Tls13ClientSessionValue>,
}

impl MemberSessions {
    /// Makes a store of at most `capacity` tickets; 0 keeps no session, only which key exchange the member chose.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }
}

impl ClientSessionStore for MemberSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.kept().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.kept().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        if self.capacity > 0 {
            self.kept().tls12 = Some(session);
        }
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.kept().tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.kept().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        if self.capacity == 0 {
            return;
        }
        let mut kept = self.kept();
        if kept.tls13.len() == self.capacity {
            kept.tls13.pop_front();
        }
        kept.tls13.push_back(ticket);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.kept().tls13.pop_back()
    }
}

impl fmt::Debug for MemberSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberSessions").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
