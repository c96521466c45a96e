//! What was observed, for the steps that judge it later.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::inventory::Chain;
use crate::model::{MemberKey, Name};
use crate::monitor::{NoAnswer, PortAnswer};
use crate::tls::{FetchError, MemberTls};

/// What was observed so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The addresses of the names of virtual servers that resolve.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// The virtual servers at whose destination nobody listens, as pronk does not run.
    pub not_running: BTreeSet<Name>,
    pub members: BTreeMap<MemberKey, MemberSeen>,
    pub front_ends: BTreeMap<Name, FrontEndSeen>,
}

/// What a member answered.
#[derive(Debug)]
pub(super) struct MemberSeen {
    pub address: SocketAddr,
    pub port: Result<PortAnswer, NoAnswer>,
    /// What it shows whoever begins TLS.
    pub chain: Option<Result<Chain, FetchError>>,
    /// How the handshake goes that a virtual server's server-ssl profile makes, where it has one.
    pub handshakes: Vec<(Name, Result<PortAnswer, NoAnswer>)>,
    /// What each of its monitors says.
    pub monitors: Vec<(Name, Result<(), String>)>,
}

/// What a virtual server answered.
#[derive(Debug)]
pub(super) struct FrontEndSeen {
    pub address: SocketAddr,
    pub port: Result<PortAnswer, NoAnswer>,
    pub chain: Option<Result<Chain, FetchError>>,
    /// TLS that takes any certificate, for further questions.
    pub tls: Option<Arc<MemberTls>>,
}
