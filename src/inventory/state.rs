//! What is in force and what members have shown: all that the inventory is made from.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustls_pki_types::CertificateDer;

use super::Targets;
use super::targets::MemberTarget;
use crate::lint::Use;
use crate::model::{MemberKey, Name};

/// A chain, the server's own certificate first.
pub type Chain = Vec<CertificateDer<'static>>;

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) targets: Arc<Targets>,
    pub(super) store: PathBuf,
    /// What client-ssl profiles serve, in the order of their certificates.
    pub(super) served: HashMap<Name, Vec<Chain>>,
    pub(super) shown: HashMap<MemberKey, Seen>,
    /// Members that answered in plaintext: they have no certificates.
    pub(super) plaintext: HashSet<MemberKey>,
    pub(super) stale: HashMap<Name, String>,
}

/// What a monitor saw.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) chain: Arc<Chain>,
    pub(super) at: Instant,
}

impl State {
    /// Returns the members that are to speak TLS, as far as is known, and that no monitor looks at.
    pub(super) fn unwatched(&self) -> impl Iterator<Item = &MemberKey> {
        let unwatched = self.targets.members.iter().filter(|it| !it.watched && !self.is_plain(it));
        unwatched.map(|it| &it.key)
    }

    /// Returns the virtual servers whose certificates' names cannot be checked for want of a hostname. One whose members
    /// all speak plaintext has no certificates.
    pub(super) fn nameless(&self) -> impl Iterator<Item = &Name> {
        self.targets.nameless.iter().filter(|name| {
            let mut members = self.targets.members.iter().filter(|it| it.virtual_servers.contains(name)).peekable();
            members.peek().is_none() || !members.all(|it| self.is_plain(it))
        })
    }

    /// Returns whether a member speaks plaintext to those that pass its bytes through.
    fn is_plain(&self, member: &MemberTarget) -> bool {
        self.plaintext.contains(&member.key) && member.expectations.iter().all(|it| it.role.usage == Use::Passthrough)
    }
}
