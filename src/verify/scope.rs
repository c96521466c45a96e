//! What is to be verified, and what is known beforehand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;

use crate::cert::Passphrase;
use crate::config::Loaded;
use crate::control::Preview;
use crate::lint::Levels;
use crate::model::profile::ServerSsl;
use crate::model::{Address, ImpalaProtocol, Member, MonitorKind, Name, Node, Pool, VirtualServer};
use crate::tls::{LiveServerSsl, MemberTls};

/// What is to be verified, and with what.
#[derive(Debug)]
pub struct Scope {
    pub loaded: Loaded,
    pub preview: Preview,
    pub levels: Levels,
    /// The virtual servers to verify.
    pub virtual_servers: Vec<Arc<VirtualServer>>,
    /// The authorities that clients trust, where they are given.
    pub authorities: Vec<CertificateDer<'static>>,
    pub login: Option<Login>,
    pub keytab: Option<PathBuf>,
    /// The pronk that answers at the admin socket, or why none does.
    pub running: Result<RunningPronk, String>,
    /// Seconds since 1970.
    pub now: i64,
}

/// A user who logs in with a password, as with LDAP.
#[derive(Debug)]
pub struct Login {
    pub user: String,
    pub password: Passphrase,
}

/// What a running pronk says of itself.
#[derive(Debug, Default)]
pub struct RunningPronk {
    pub pid: u32,
    /// Of its virtual servers, as `address:port`.
    pub destinations: Vec<String>,
    /// Whether each virtual server serves this machine, by its name.
    pub explanations: BTreeMap<String, Explanation>,
    /// What a reload of its file would change.
    pub not_taken: Vec<String>,
}

/// What a running pronk says of a client on this machine.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The last step of `pronk explain`.
    pub says: String,
    /// The close reason, if it refuses the client at once.
    pub refused: Option<String>,
}

impl Scope {
    /// Returns the pools of the virtual servers, each once.
    pub(super) fn pools(&self) -> BTreeMap<&Name, &Arc<Pool>> {
        self.virtual_servers.iter().map(|it| (&it.pool.name, &it.pool)).collect()
    }

    /// Returns TLS that takes any certificate, with `server_name` as SNI; none if the system gives no means.
    pub(super) fn anybody(&self, server_name: Option<String>, address: SocketAddr) -> Option<Arc<MemberTls>> {
        let built_in = self.loaded.model.profiles.server_ssl.get(UNVERIFIED)?;
        let profile = ServerSsl { server_name, cache_size: 0, ..ServerSsl::clone(built_in) };
        let node = Node::new(Name::from("verify"), Address::Ip(address.ip()));
        let live = LiveServerSsl::build(&profile, &self.loaded.model.certificate_store, None).ok()?;
        Some(live.for_member(&Member::new(Arc::new(node), address.port())))
    }
}

/// Returns what a member of a pool speaks at its port, where a monitor or the port tells.
pub(super) fn protocol(pool: &Pool, port: u16) -> ImpalaProtocol {
    let told = pool.monitors.all.iter().find_map(|monitor| match &monitor.kind {
        MonitorKind::Impala(check) if check.protocol != ImpalaProtocol::Auto => Some(check.protocol),
        _ => None,
    });
    told.or_else(|| ImpalaProtocol::of_usual_port(port)).unwrap_or(ImpalaProtocol::Auto)
}

/// The profile that is built in for ports whose certificates are not verified.
const UNVERIFIED: &str = "serverssl-insecure-compatible";
/// How long a port may take for one answer.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
