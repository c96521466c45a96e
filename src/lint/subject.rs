//! What the linter judges: a chain with its key, where it was found, and what it is for.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::Trust;
use crate::cert::Certificate;
use crate::cert::bundle::KeyFile;
use crate::model::Host;

/// A chain that some server shows or is to show, or an authority's certificate, and what it is for.
#[derive(Clone, Debug)]
pub struct Subject {
    /// As presented or as the file has it. Never empty: [`Subject::new`] sees to it.
    chain: Vec<Located>,
    leaf: usize,
    /// The private key that was found with it.
    pub key: Option<KeyFile>,
    pub role: Role,
    /// Whom the chain has to lead to, where that is not the linter's own [`Trust`].
    pub trust: Option<Trust>,
    /// The file's format has no order of certificates.
    pub(super) is_unordered: bool,
}

/// A certificate and where it was found.
#[derive(Clone, Debug)]
pub struct Located {
    pub certificate: Arc<Certificate>,
    pub origin: Origin,
}

/// Where a certificate was found; positions count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    File {
        path: PathBuf,
        position: usize,
        of: usize,
    },
    /// Shown by the server at `address` (`host:port`).
    Live {
        address: String,
        position: usize,
        of: usize,
    },
}

/// What a certificate is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    pub usage: Use,
    /// The names that clients connect to; empty skips the checks that need them.
    pub front_ends: Vec<Host>,
    /// The server's own name, where it is known.
    pub node: Option<Host>,
}

/// Who shows a certificate to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Use {
    /// A server's; which is not known.
    #[default]
    Server,
    /// pronk shows it to clients (offload, re-encrypt).
    FrontEnd,
    /// An impalad shows it to clients, through pronk (passthrough).
    Passthrough,
    /// An impalad shows it to pronk (re-encrypt).
    ReEncrypt,
    /// It signs others, or others are verified against it.
    Authority,
}

impl Subject {
    /// Makes a subject; none without a certificate. An authority's is judged as such, unless a server is known to show
    /// it.
    pub fn new(chain: Vec<Located>, key: Option<KeyFile>, role: Role) -> Option<Self> {
        if chain.is_empty() {
            return None;
        }
        // A port has proved that it has the key of what it shows first.
        let is_shown = matches!(chain[0].origin, Origin::Live { .. });
        let found = || servers(&chain, &Issuers::default()).position(|is| is);
        let meant = || chain.iter().position(|it| it.certificate.is_for_server());
        let leaf = if is_shown { 0 } else { found().or_else(meant).unwrap_or(0) };
        let role = match role.usage {
            Use::Server if !is_shown && chain[leaf].certificate.is_authority() => {
                Role { usage: Use::Authority, ..Role::default() }
            }
            _ => role,
        };
        Some(Self { chain, leaf, key, role, trust: None, is_unordered: false })
    }

    /// Says whether the file's format has no order of certificates.
    pub fn unordered(self, is_unordered: bool) -> Self {
        Self { is_unordered, ..self }
    }

    pub fn chain(&self) -> &[Located] {
        &self.chain
    }

    /// Returns the server's own certificate: the first that can be one, wherever it is. A server shows the first of
    /// all.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf_located().certificate
    }

    pub(super) fn leaf_located(&self) -> &Located {
        &self.chain[self.leaf]
    }

    /// Returns whether the file, or the server, has an order: not one that collects several servers' certificates, of
    /// which none is sent as the file has it, and not a format without one.
    pub(super) fn is_ordered(&self) -> bool {
        !self.is_unordered && self.chain.len() == self.leaf_located().origin.position().1
    }

    /// Returns whether the server can prove that the certificate which it shows first is its own: it is the server's,
    /// and the key that was found is no other.
    pub(super) fn has_key_of_first(&self) -> bool {
        let leaf = self.leaf();
        let is_first = !self.is_ordered() || self.chain[0].certificate.der == leaf.der;
        let spki = self.key.as_ref().and_then(|key| key.spki.as_ref().ok());
        is_first && spki.is_none_or(|spki| *spki == leaf.key.spki)
    }

    /// Returns whether it is a server's, not an authority's.
    pub fn is_server(&self) -> bool {
        self.role.usage != Use::Authority
    }

    /// Returns whether clients may see it, and not pronk alone.
    pub fn is_shown_to_clients(&self) -> bool {
        !matches!(self.role.usage, Use::Authority | Use::ReEncrypt)
    }

    /// Returns the file or address in which it was found.
    pub fn source(&self) -> String {
        self.leaf_located().origin.source()
    }
}

/// Returns which of some certificates are servers'. An authority may carry names or lack the mark of one, which are flaws
/// of their own: one that another certificate names as its issuer, here or among `issuers`, is no server's. A second
/// copy is the same server.
pub(super) fn servers<'a>(certificates: &'a [Located], issuers: &'a Issuers) -> impl Iterator<Item = bool> + 'a {
    let here = Issuers::of(certificates);
    let mut seen = HashSet::new();
    certificates.iter().map(move |it| {
        let is_first = seen.insert(it.certificate.der.as_ref());
        is_first && it.certificate.is_for_server() && !here.have(&it.certificate) && !issuers.have(&it.certificate)
    })
}

/// The names that certificates give as their issuers', where that is not their own.
#[derive(Debug, Default)]
pub(super) struct Issuers(HashSet<Vec<u8>>);

impl Issuers {
    pub(super) fn of<'a>(certificates: impl IntoIterator<Item = &'a Located>) -> Self {
        let issued = certificates.into_iter().map(|it| &it.certificate).filter(|it| !it.is_self_issued());
        Self(issued.map(|certificate| certificate.issuer_name.near().to_vec()).collect())
    }

    pub(super) fn have(&self, certificate: &Certificate) -> bool {
        self.0.contains(certificate.subject.near())
    }
}

impl Origin {
    /// Returns the file or address without the position.
    pub fn source(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Live { address, .. } => address.clone(),
        }
    }

    /// Returns the position, from 1, and of how many.
    pub fn position(&self) -> (usize, usize) {
        match self {
            Self::File { position, of, .. } | Self::Live { position, of, .. } => (*position, *of),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source())?;
        match self.position() {
            (_, 1) => Ok(()),
            (position, of) => write!(f, ": certificate {position} of {of}"),
        }
    }
}
