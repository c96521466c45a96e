//! The certificate of a first configuration.

use std::path::Path;

use crate::cert::bundle;
use crate::cert::entry::CERT;
use crate::cli::cert;

/// What becomes of the certificate that pronk shows to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CertificateOption {
    /// Make one that signs itself, for a first try.
    SelfSigned,
    /// Make a request for an authority to sign.
    Csr,
}

/// Returns whether the certificate of an entry is for a host name; also where it cannot be read, which is told later.
pub(super) fn is_for(store: &Path, entry: &str, front_end: &str) -> bool {
    let path = store.join(entry).join(CERT);
    let leaf = bundle::read_certificates(&path).and_then(|it| bundle::decode(&path, it));
    leaf.ok().and_then(|it| it.into_iter().next()).is_none_or(|leaf| leaf.names.cover_host(front_end))
}

/// Returns whether an entry of the store has a certificate.
pub(super) fn is_there(store: &Path, entry: &str) -> bool {
    store.join(entry).join(CERT).exists()
}

impl CertificateOption {
    /// Makes it in the store, and prints what it is. A request is written beside the store, as `ENTRY.csr`.
    ///
    /// # Errors
    /// The store cannot be written, or has the entry.
    pub(super) fn make(self, store: &Path, entry: &str, front_end: &str) -> anyhow::Result<()> {
        match self {
            Self::SelfSigned => cert::create_self_signed(store, entry, front_end),
            Self::Csr => cert::request(store, entry, front_end, &store.with_file_name(format!("{entry}.csr"))),
        }
    }
}
