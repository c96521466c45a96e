//! Taking a configuration into force, at start and again on request: all of it or nothing.
//!
//! Everything that can fail (reading, TLS, new sockets) is done first and changes nothing that runs. The commit that
//! follows cannot fail. Connections keep the snapshot that they began with.

mod assignments;
mod desired;
mod files;
mod lint;
mod tls;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

use crate::cert::store;
use crate::config::{self, Diagnostic, Diagnostics, Loaded, Severity};
use crate::model::profile::{Persistence, PersistenceKind};
use crate::model::{Address, AdminState, MemberKey, Model, Name, VirtualServer};
use crate::monitor::{Monitors, resolve_once};
use crate::net;
use crate::pool::{Pool, Registry, Sharing, Sticky};
use crate::proxy::{Lifecycle, Listener, LiveVirtualServer, Snapshot};
use crate::tls::LiveServerSsl;
use crate::watch::{self, Targets};
use files::Replacements;

pub use assignments::{Authorizations, authorizations};
pub use lint::lint_levels;
pub use tls::Tls;

/// Keeps what runs in step with the configuration file.
#[derive(Debug)]
pub struct Reloader {
    path: PathBuf,
    lifecycle: Lifecycle,
    registry: Registry,
    monitors: Monitors,
    running: Mutex<Running>,
    serving: ArcSwap<Serving>,
    certificates: Arc<watch::Watch>,
    /// How often files are looked at for replacements.
    refresh: tokio::sync::watch::Sender<Option<Duration>>,
    /// Tells that members may have been removed.
    removed: Notify,
}

/// What runs, for those who look.
#[derive(Debug, Default)]
pub struct Serving {
    pub virtual_servers: BTreeMap<Name, Arc<LiveVirtualServer>>,
    pub pools: BTreeMap<Name, Arc<Pool>>,
}

/// What a reload did or would do.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// A line for each change; empty when nothing changes.
    pub changes: Vec<String>,
    /// Warnings and notes about the file.
    pub notes: Diagnostics,
}

#[derive(Debug, Default)]
struct Running {
    /// What is in force: what is written, with what was found.
    model: Model,
    /// What the file says.
    written: Model,
    tls: Tls,
    replacements: Replacements,
    /// What lets monitors in.
    headers: Authorizations,
    listeners: HashMap<SocketAddr, Listener>,
}

impl Reloader {
    /// Nothing runs until the first [`reload`](Self::reload).
    pub fn new(path: PathBuf, lifecycle: Lifecycle) -> Self {
        let certificates = Arc::new(watch::Watch::default());
        Self {
            path,
            lifecycle,
            registry: Registry::default(),
            monitors: Monitors::default(),
            running: Mutex::default(),
            serving: ArcSwap::default(),
            certificates,
            refresh: tokio::sync::watch::Sender::new(None),
            removed: Notify::new(),
        }
    }

    /// What is known of the certificates in use.
    pub fn certificates(&self) -> &Arc<watch::Watch> {
        &self.certificates
    }

    /// What outlives configurations.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What runs now.
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// Reads the file and takes it into force; with `dry_run` only tells what would change.
    ///
    /// # Errors
    /// Everything that is wrong with the file, its certificates or its destinations. Nothing has changed then.
    pub async fn reload(&self, dry_run: bool) -> Result<Report, Diagnostics> {
        let mut running = self.running.lock().await;
        let loaded = config::load(&self.path)?;
        lint_levels(&loaded)?;
        // Looked at before they are read, so that what is replaced meanwhile is noticed afterwards.
        let replacements = Replacements::none(&loaded.model);
        let headers = authorizations(&loaded)?;
        assignments::check_ping(&loaded)?;
        let tls = Tls::build(&loaded, &running.tls)?;
        let differences = config::diff(&running.written, &loaded.model);
        let replaced = running.tls.replaced_by(&tls, &differences);
        let changes = differences.iter().map(ToString::to_string).chain(replaced).collect();
        let report = Report { changes, notes: loaded.notes.clone() };
        if dry_run {
            return Ok(report);
        }
        let sockets = bind_new(&loaded, &running.listeners)?;
        let model = self.with_found(&loaded.model);
        let resolved = resolve_new(&model).await;
        running.written = loaded.model;
        running.replacements = replacements;
        running.headers = headers;
        self.commit(&mut running, model, tls, sockets, resolved).await;
        Ok(report)
    }

    /// Takes the file into force while running, and logs what came of it.
    ///
    /// # Errors
    /// As [`reload`](Self::reload).
    pub async fn reload_and_log(&self) -> Result<Report, Diagnostics> {
        let outcome = self.reload(false).await;
        match &outcome {
            Ok(report) => {
                report.log_notes();
                tracing::info!(changes = report.changes.len(), "configuration reloaded");
                report.changes.iter().for_each(|change| tracing::info!(%change, "changed"));
            }
            Err(wrong) => tracing::error!(error = %wrong.render(false), "reload refused; nothing changed"),
        }
        outcome
    }

    /// Lets a member that a monitor holds down (`manual-resume`) come up again.
    ///
    /// # Errors
    /// That there is no such member, or that no monitor watches it.
    pub fn resume(&self, pool: &Name, member: &MemberKey) -> Result<(), String> {
        let serving = self.serving();
        let known = serving.pools.get(pool).ok_or_else(|| format!("there is no pool {pool}"))?;
        if known.config.member(member).is_none() {
            return Err(format!("pool {pool} has no member {member}"));
        }
        match self.monitors.resume(pool, member) {
            0 => Err(format!("no monitor watches member {member} of pool {pool}")),
            _ => Ok(()),
        }
    }

    /// Ends the connections of removed members when their drain time is over; never ends.
    pub async fn end_removed(&self) {
        loop {
            match self.registry.act_on_removed(Instant::now()) {
                Some(next) => {
                    // Whichever comes first, all are looked at again.
                    let _ = tokio::time::timeout_at(next.into(), self.removed.notified()).await;
                }
                None => self.removed.notified().await,
            }
        }
    }

    /// Stops listening everywhere; connections go on.
    pub async fn stop_listening(&self) {
        let listeners = std::mem::take(&mut self.running.lock().await.listeners);
        for listener in listeners.into_values() {
            listener.stop().await;
        }
    }

    async fn commit(
        &self,
        running: &mut Running,
        model: Model,
        tls: Tls,
        sockets: Vec<(SocketAddr, TcpListener)>,
        resolved: Vec<(Name, Vec<std::net::IpAddr>)>,
    ) {
        self.registry.retain(&model, Instant::now());
        self.removed.notify_one();
        let now = Instant::now();
        let join = |pool| Arc::new(Pool::join(pool, &self.registry, now));
        let pools: BTreeMap<_, _> = model.pools.iter().map(|(name, pool)| (name.clone(), join(pool))).collect();
        for (node, addresses) in resolved {
            self.registry.node(&model.nodes[&node]).set_addresses(addresses);
        }
        let before = self.serving.load_full();
        let virtual_servers = model.virtual_servers.iter().map(|(name, config)| {
            let snapshot = self.snapshot(config, &pools, &tls);
            let live = match before.virtual_servers.get(name) {
                Some(live) => {
                    live.snapshot.store(Arc::new(snapshot));
                    Arc::clone(live)
                }
                None => Arc::new(LiveVirtualServer::new(snapshot)),
            };
            (name.clone(), live)
        });
        let virtual_servers: BTreeMap<_, _> = virtual_servers.collect();

        let mut listeners = std::mem::take(&mut running.listeners);
        let mut sockets: HashMap<_, _> = sockets.into_iter().collect();
        for (name, config) in
            model.virtual_servers.iter().filter(|(_, config)| config.state != AdminState::ForcedOffline)
        {
            let live = Arc::clone(&virtual_servers[name]);
            let destination = config.destination;
            let listener = match (listeners.remove(&destination), sockets.remove(&destination)) {
                (Some(listener), _) => {
                    listener.serve(live);
                    if let Err(error) = listener.adjust(&config.protocol) {
                        tracing::warn!(virtual_server = %name, %error, "cannot change the listening socket's options");
                    }
                    listener
                }
                (None, Some(socket)) => {
                    let address = socket.local_addr().unwrap_or(destination);
                    tracing::info!(virtual_server = %name, %address, mode = config.mode().as_str(), "listening");
                    Listener::start(socket, live, &self.lifecycle)
                }
                // `bind_new` made a socket for every destination that had none.
                (None, None) => continue,
            };
            running.listeners.insert(destination, listener);
        }
        self.monitors.watch(assignments::all(&pools, &tls, &running.headers, &self.certificates));
        self.monitors.discover(desired::searches(&model, &tls, &running.headers));
        self.monitors.resolve(&model, |name| model.nodes.get(name).map(|node| self.registry.node(node)));
        self.serving.store(Arc::new(Serving { virtual_servers, pools }));
        running.model = model;
        running.tls = tls;
        self.refresh.send_replace(running.model.certificate_refresh);
        self.tell_certificates(running);
        for gone in listeners.into_values() {
            gone.stop().await;
        }
    }

    fn snapshot(&self, config: &Arc<VirtualServer>, pools: &BTreeMap<Name, Arc<Pool>>, tls: &Tls) -> Snapshot {
        let pool = Arc::clone(&pools[&config.pool.name]);
        let members = |profile: &Arc<LiveServerSsl>| {
            pool.members.iter().map(|member| profile.for_member(&member.config)).collect()
        };
        let sticky = |profile: &Arc<Persistence>| Sticky {
            profile: Arc::clone(profile),
            records: match &profile.kind {
                PersistenceKind::SourceAddr(affinity) => Some(self.registry.records(&Sharing::of(config, affinity))),
                PersistenceKind::Hash => None,
            },
        };
        Snapshot {
            persistence: config.persistence.iter().chain(&config.fallback_persistence).map(sticky).collect(),
            client_ssl: config.client_ssl.as_ref().map(|profile| Arc::clone(&tls.client[&profile.name])),
            member_tls: config.server_ssl.as_ref().map(|profile| members(&tls.server[&profile.name])),
            config: Arc::clone(config),
            pool,
        }
    }

    /// Tells the watch over certificates what is in force.
    fn tell_certificates(&self, running: &Running) {
        let store = running.model.certificate_store.clone();
        let targets = Targets::of(&running.model, &store::entries(&store));
        self.certificates.aim(targets, store, running.tls.served(), running.replacements.refused());
    }
}

impl Report {
    /// Logs the warnings and notes.
    pub fn log_notes(&self) {
        for note in self.notes.iter() {
            let place = note.place.as_ref().map(|place| format!("{}:{}:{}", place.file, place.line, place.column));
            match note.severity {
                Severity::Note => tracing::info!(place, help = note.help.as_deref(), "{}", note.message),
                _ => tracing::warn!(place, help = note.help.as_deref(), "{}", note.message),
            }
        }
    }
}

/// Listens on every destination that is not listened on yet.
fn bind_new(
    loaded: &Loaded,
    listeners: &HashMap<SocketAddr, Listener>,
) -> Result<Vec<(SocketAddr, TcpListener)>, Diagnostics> {
    let mut wrong = Diagnostics::default();
    let mut sockets = Vec::new();
    let enabled = loaded.model.virtual_servers.values().filter(|config| config.state != AdminState::ForcedOffline);
    for config in enabled.filter(|config| !listeners.contains_key(&config.destination)) {
        match net::bind(config.destination, &config.protocol) {
            Ok(socket) => sockets.push((config.destination, socket)),
            Err(error) => wrong.push(cannot_listen(loaded, config, &error)),
        }
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(sockets) }
}

fn cannot_listen(loaded: &Loaded, config: &VirtualServer, error: &std::io::Error) -> Diagnostic {
    let help = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program listens there; `ss -ltnp` tells which",
        std::io::ErrorKind::AddrNotAvailable => "the address is not one of this machine's",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "see the system's message",
    };
    let path = ["virtual-servers", config.name.as_str(), "destination"];
    loaded.diagnose(&path, format!("cannot listen on {}: {error}", config.destination), Some(help.into()))
}

/// Resolves names before the first connection needs them, all at once and for a while at most; those that fail are tried
/// again while running.
async fn resolve_new(model: &Model) -> Vec<(Name, Vec<std::net::IpAddr>)> {
    let mut looking = JoinSet::new();
    for node in model.nodes.values() {
        if let Address::Fqdn(fqdn) = &node.address {
            let (name, fqdn) = (node.name.clone(), fqdn.clone());
            looking.spawn(async move { Some((name, resolve_once(&fqdn).await.ok()?)) });
        }
    }
    let mut resolved = Vec::new();
    let all = async {
        while let Some(looked) = looking.join_next().await {
            resolved.extend(looked.ok().flatten());
        }
    };
    // Whoever is late is waited for by the task that keeps names resolved.
    let _ = tokio::time::timeout(RESOLVE_AT_MOST, all).await;
    resolved
}

const RESOLVE_AT_MOST: Duration = Duration::from_secs(5);
