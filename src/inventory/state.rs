//! What is in force and what members have shown: all that the inventory is made from.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustls_pki_types::CertificateDer;

use super::Targets;
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
    pub(super) stale: HashMap<Name, String>,
}

/// What a monitor saw.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) chain: Arc<Chain>,
    pub(super) at: Instant,
}
