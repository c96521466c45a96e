//! Putting in force what was made ready. Nothing here waits or fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::assignments::Assignments;
use super::command::Shared;
use super::credentials::Authorizations;
use super::desired::{Desired, Found, log_members};
use super::files::{Looked, Replacements};
use super::listeners::{Listeners, Sockets, listening};
use super::prepare::Prepared;
use super::serving::Serving;
use super::tls::Tls;
use crate::inventory::Targets;
use crate::model::profile::{Persistence, PersistenceKind};
use crate::model::{Model, Name, VirtualServer, overlap};
use crate::pool::{Pool, Registry, Sharing, Sticky};
use crate::proxy::{Lifecycle, Listener, LiveVirtualServer, Removed, Snapshot};

/// What runs. The controller's own; everybody else reads [`Serving`].
#[derive(Debug, Default)]
pub(super) struct Running {
    pub desired: Desired,
    /// What is in force: what is desired, resolved.
    pub model: Model,
    pub tls: Tls,
    pub replacements: Replacements,
    pub listeners: Listeners,
    pub assignments: Assignments,
    headers: Authorizations,
    entries: Vec<String>,
    /// Virtual servers that are gone and still have connections.
    gone: Removed,
}

impl Running {
    /// Puts a configuration in force, and returns the listeners to be stopped. Connections keep the snapshot that they
    /// have.
    pub fn commit(&mut self, prepared: Prepared, shared: &Shared, lifecycle: &Lifecycle) -> Vec<Listener> {
        let Prepared { written, tls, replacements, headers, entries, resolved, sockets } = prepared;
        self.desired.written = written;
        self.tls = tls;
        self.replacements = replacements;
        self.headers = headers;
        self.entries = entries;
        let model = self.desired.model();
        for (node, addresses) in resolved {
            if let Some(node) = model.nodes.get(&node) {
                shared.registry.node(node).set_addresses(addresses);
            }
        }
        self.put_in_force(model, sockets, shared, lifecycle)
    }

    /// Puts in force what was found out about the cluster.
    pub fn take_found(&mut self, found: Found, shared: &Shared, lifecycle: &Lifecycle) -> Vec<Listener> {
        self.desired.found = found;
        let model = self.desired.model();
        if model == self.model {
            return Vec::new();
        }
        log_members(&self.model, &model);
        self.put_in_force(model, Sockets::new(), shared, lifecycle)
    }

    /// Puts in force the files that were replaced on disk.
    pub fn take_files(&mut self, looked: Looked, shared: &Shared) {
        let Looked { tls, replacements, changed } = looked;
        let refused_before = self.replacements.refused();
        self.tls = tls;
        self.replacements = replacements;
        if !changed.taken.is_empty() {
            self.renew_snapshots(&changed.taken, shared);
            self.assign(&shared.serving.load().pools, shared);
        }
        for name in &changed.taken {
            tracing::info!(profile = %name, "replaced certificates or authorities are in force");
        }
        for (name, reason) in &changed.refused {
            tracing::error!(profile = %name, %reason,
                "replaced files cannot be used; the last good ones stay in force");
        }
        if !changed.taken.is_empty() || self.replacements.refused() != refused_before {
            self.aim_certificates(shared);
        }
    }

    fn put_in_force(
        &mut self,
        model: Model,
        sockets: Sockets,
        shared: &Shared,
        lifecycle: &Lifecycle,
    ) -> Vec<Listener> {
        let (registry, now) = (&shared.registry, Instant::now());
        let join = |(name, pool): (&Name, &Arc<_>)| (name.clone(), Arc::new(Pool::join(pool, registry, now)));
        let pools: BTreeMap<_, _> = model.pools.iter().map(join).collect();
        let before = shared.serving.load_full();
        let live = |(name, config): (&Name, &Arc<VirtualServer>)| {
            let snapshot = snapshot(config, &pools, &self.tls, registry);
            let live = match before.virtual_servers.get(name).filter(|live| !is_succeeded(live, &model)) {
                Some(live) => {
                    live.take(snapshot);
                    Arc::clone(live)
                }
                None => Arc::new(LiveVirtualServer::new(snapshot)),
            };
            (name.clone(), live)
        };
        let virtual_servers: BTreeMap<_, _> = model.virtual_servers.iter().map(live).collect();
        self.gone.add(&before.virtual_servers, &virtual_servers);
        self.gone.follow(&pools);
        let wanted: Vec<_> =
            listening(&model).map(|config| (config, Arc::clone(&virtual_servers[&config.name]))).collect();
        let stopping = self.listeners.serve(&wanted, sockets, lifecycle, now);

        drop(wanted);
        self.model = model;
        self.assign(&pools, shared);
        // Only then, as connections may have come for a member by the configuration before.
        registry.retain(&self.model, now);
        shared.removed.notify_one();
        shared.serving.store(Arc::new(Serving { virtual_servers, pools }));
        self.aim_certificates(shared);
        registry.wake();
        stopping
    }

    /// Starts, keeps and ends the tasks that the model in force asks for.
    fn assign(&mut self, pools: &BTreeMap<Name, Arc<Pool>>, shared: &Shared) {
        let Self { model, assignments, tls, headers, .. } = self;
        assignments.watch(pools, tls, headers, &shared.certificates, &shared.restarts);
        assignments.search(model, tls, headers, &shared.restarts);
        assignments.resolve(model, &shared.registry, &shared.restarts);
        self.desired.found = assignments.found().borrow().clone();
    }

    /// Gives the virtual servers that use these profiles a new snapshot.
    fn renew_snapshots(&self, profiles: &[Name], shared: &Shared) {
        let serving = shared.serving.load();
        for (name, config) in &self.model.virtual_servers {
            let client = config.client_ssl.iter().map(|profile| &profile.name);
            let server = config.server_ssl.iter().map(|profile| &profile.name);
            if !client.chain(server).any(|profile| profiles.contains(profile)) {
                continue;
            }
            if let Some(live) = serving.virtual_servers.get(name) {
                live.take(snapshot(config, &serving.pools, &self.tls, &shared.registry));
            }
        }
    }

    /// Tells the watch over certificates what is in force.
    fn aim_certificates(&self, shared: &Shared) {
        let targets = Targets::of(&self.model, &self.entries);
        let store = self.model.certificate_store.clone();
        shared.certificates.update(targets, store, self.tls.served(), self.replacements.refused());
    }
}

fn snapshot(
    config: &Arc<VirtualServer>,
    pools: &BTreeMap<Name, Arc<Pool>>,
    tls: &Tls,
    registry: &Registry,
) -> Snapshot {
    let pool = Arc::clone(&pools[&config.pool.name]);
    let sticky = |profile: &Arc<Persistence>| Sticky {
        profile: Arc::clone(profile),
        records: match &profile.kind {
            PersistenceKind::SourceAddr(affinity) => Some(registry.records(&Sharing::of(config, affinity))),
            PersistenceKind::Hash => None,
        },
    };
    let persistence = config.persistence.iter().chain(&config.fallback_persistence).map(sticky).collect();
    let client_ssl = config.client_ssl.as_ref().map(|profile| Arc::clone(&tls.client[&profile.name]));
    let server_ssl = config.server_ssl.as_ref().map(|profile| Arc::clone(&tls.server[&profile.name]));
    Snapshot::new(Arc::clone(config), pool, persistence, client_ssl, server_ssl)
}

/// Whether another virtual server takes over the destination of this one, or a part of it. Then this one gets a new
/// live state, as whoever connected to that destination must not be served by the other's configuration.
fn is_succeeded(live: &LiveVirtualServer, model: &Model) -> bool {
    let before = live.snapshot.load().config.destination;
    if model.virtual_servers.get(&live.name).is_some_and(|config| config.destination == before) {
        return false;
    }
    model.virtual_servers.values().any(|other| other.name != live.name && overlap(other.destination, before))
}
