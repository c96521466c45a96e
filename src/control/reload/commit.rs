//! Committing a prepared configuration: it is applied to what runs. Nothing here waits or fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::prepare::Prepared;
use crate::control::administration::Administration;
use crate::control::assignments::Assignments;
use crate::control::built_profiles::BuiltProfiles;
use crate::control::certificate_files::{CertificateFiles, CheckedFiles};
use crate::control::desired::{Desired, Discovered, log_members};
use crate::control::handover::count_elsewhere;
use crate::control::listeners::{Listeners, Place, Sockets, listening};
use crate::control::monitor_credentials::Authorizations;
use crate::control::network_api::PreparedApi;
use crate::control::serving::Serving;
use crate::control::system_state::SystemState;
use crate::inventory::Targets;
use crate::model::profile::{Persistence, PersistenceKind};
use crate::model::{Address, Model, Name, VirtualServer, overlap};
use crate::monitor::note_resolved;
use crate::pool::{Pool, Registry, Sharing, Sticky};
use crate::proxy::{Lifecycle, Listener, LiveVirtualServer, RemovedVirtualServers, Snapshot};

/// What runs. The controller owns it; everybody else reads [`Serving`].
#[derive(Debug, Default)]
pub(in crate::control) struct Running {
    pub desired: Desired,
    /// The model in force: the file's, with discovered members.
    pub model: Model,
    pub profiles: BuiltProfiles,
    pub certificate_files: CertificateFiles,
    pub listeners: Listeners,
    pub assignments: Assignments,
    authorizations: Authorizations,
    /// The entries of the certificate store.
    store_entries: Vec<String>,
    /// Virtual servers that were removed and still have connections.
    removed: RemovedVirtualServers,
}

impl Running {
    /// Applies a prepared configuration, and returns the listeners to be stopped. Connections keep their snapshots.
    pub(crate) fn commit(&mut self, prepared: Prepared, state: &SystemState, lifecycle: &Lifecycle) -> Vec<Listener> {
        let Prepared {
            written,
            profiles,
            certificate_files,
            authorizations,
            store_entries,
            resolved,
            sockets,
            network_api,
            discovered,
        } = prepared;
        if let Some(discovered) = discovered {
            self.assignments.begin_with(discovered.clone());
            self.desired.discovered = discovered;
        }
        self.desired.written = written;
        self.profiles = profiles;
        self.certificate_files = certificate_files;
        self.authorizations = authorizations;
        self.store_entries = store_entries;
        self.serve_network_api(network_api, state);
        let model = self.desired.model();
        for (node, addresses) in resolved {
            if let Some(node) = model.nodes.get(&node)
                && let Address::Fqdn(fqdn) = &node.address
            {
                note_resolved(&node.name, fqdn, &state.registry.node(node), addresses);
            }
        }
        self.apply_model(model, sockets, state, lifecycle)
    }

    /// Serves the admin API over the network as the configuration in force says, and has the audit log where it says.
    fn serve_network_api(&self, prepared: Option<PreparedApi>, state: &SystemState) {
        let admin = self.desired.written.admin.as_ref();
        state.audit.set_file(admin.and_then(|admin| admin.audit_log.as_deref()));
        let before = state.network_api.borrow().clone();
        if prepared.is_some() || before.is_some() {
            let api = prepared.map(|api| Arc::new(api.with(&self.profiles, before.as_deref())));
            if api.is_none() {
                tracing::info!("the admin API has stopped listening");
            }
            state.network_api.send_replace(api);
        }
    }

    /// Applies what discovery found, and returns the listeners to be stopped.
    pub(crate) fn apply_discovery(
        &mut self,
        discovered: Discovered,
        state: &SystemState,
        lifecycle: &Lifecycle,
    ) -> Vec<Listener> {
        self.desired.discovered = discovered;
        let model = self.desired.model();
        if model == self.model {
            return Vec::new();
        }
        log_members(&self.model, &model);
        self.apply_model(model, Sockets::new(), state, lifecycle)
    }

    /// Applies what administrators set, and returns the listeners to be stopped. `sockets` are for virtual servers that
    /// did not listen.
    pub(crate) fn apply_administration(
        &mut self,
        administration: Administration,
        sockets: Sockets,
        state: &SystemState,
        lifecycle: &Lifecycle,
    ) -> Vec<Listener> {
        state.administration.store(Arc::new(administration.clone()));
        self.desired.administration = administration;
        let model = self.desired.model();
        if model == self.model {
            return Vec::new();
        }
        self.apply_model(model, sockets, state, lifecycle)
    }

    /// Returns whether a prepared configuration lacks a socket: of a virtual server that was enabled meanwhile.
    pub(crate) fn lacks_sockets(&self, prepared: &Prepared) -> bool {
        let model = self.desired.administration.apply(prepared.written.clone());
        listening(&model).any(|config| !prepared.sockets.contains_key(&Place::of(config)))
    }

    /// Applies certificate files that were replaced on disk.
    pub(crate) fn apply_certificate_files(&mut self, checked: CheckedFiles, state: &SystemState) {
        let CheckedFiles { profiles, files, changed } = checked;
        let unusable_before = self.certificate_files.unusable();
        self.profiles = profiles;
        self.certificate_files = files;
        if !changed.replaced.is_empty() {
            self.renew_snapshots(&changed.replaced, state);
            self.assign(&state.serving.load().pools, state);
            let api = state.network_api.borrow().clone();
            if let Some(api) = api {
                state.network_api.send_replace(Some(Arc::new(api.renewed(&self.profiles))));
            }
        }
        for name in &changed.replaced {
            tracing::info!(profile = %name, "replaced certificates or authorities are in force");
        }
        for (name, reason) in &changed.unusable {
            tracing::error!(profile = %name, %reason,
                "replaced files cannot be used; the last good ones stay in force");
        }
        if !changed.replaced.is_empty() || self.certificate_files.unusable() != unusable_before {
            self.update_inventory(state);
        }
    }

    fn apply_model(
        &mut self,
        model: Model,
        sockets: Sockets,
        state: &SystemState,
        lifecycle: &Lifecycle,
    ) -> Vec<Listener> {
        let (registry, now) = (&state.registry, Instant::now());
        let join = |(name, pool): (&Name, &Arc<_>)| (name.clone(), Arc::new(Pool::join(pool, registry, now)));
        let pools: BTreeMap<_, _> = model.pools.iter().map(join).collect();
        let before = state.serving.load_full();
        let live = |(name, config): (&Name, &Arc<VirtualServer>)| {
            let snapshot = snapshot(config, &pools, &self.profiles, registry);
            let live = match before.virtual_servers.get(name).filter(|live| !is_replaced(live, &model)) {
                Some(live) => {
                    live.apply(snapshot);
                    Arc::clone(live)
                }
                None => Arc::new(LiveVirtualServer::new(snapshot)),
            };
            (name.clone(), live)
        };
        let virtual_servers: BTreeMap<_, _> = model.virtual_servers.iter().map(live).collect();
        self.removed.add(&before.virtual_servers, &virtual_servers);
        self.removed.update_pools(&pools);
        // Before the first connection, and for what is new.
        count_elsewhere(registry, &virtual_servers, &state.draining_processes.held());
        let wanted: Vec<_> =
            listening(&model).map(|config| (config, Arc::clone(&virtual_servers[&config.name]))).collect();
        let stopping = self.listeners.apply(&wanted, sockets, lifecycle, now);

        drop(wanted);
        self.model = model;
        self.assign(&pools, state);
        // Last, as connections may have chosen a member of the configuration before until now.
        registry.retain(&self.model, now);
        state.removed.notify_one();
        state.serving.store(Arc::new(Serving { virtual_servers, pools }));
        self.update_inventory(state);
        registry.wake();
        stopping
    }

    /// Starts, keeps and ends the tasks of monitors, discovery and names that the model in force asks for.
    fn assign(&mut self, pools: &BTreeMap<Name, Arc<Pool>>, state: &SystemState) {
        let Self { model, assignments, profiles, authorizations, .. } = self;
        assignments.monitor(model, pools, profiles, authorizations, &state.certificates, &state.restarts);
        assignments.discover(model, profiles, authorizations, &state.restarts);
        assignments.resolve(model, &state.registry, &state.restarts);
        self.desired.discovered = assignments.discovered().borrow().clone();
    }

    /// Gives the virtual servers that use these profiles a new snapshot.
    fn renew_snapshots(&self, profiles: &[Name], state: &SystemState) {
        let serving = state.serving.load();
        for (name, config) in &self.model.virtual_servers {
            let client = config.client_ssl.iter().map(|profile| &profile.name);
            let server = config.server_ssl.iter().map(|profile| &profile.name);
            if !client.chain(server).any(|profile| profiles.contains(profile)) {
                continue;
            }
            if let Some(live) = serving.virtual_servers.get(name) {
                live.apply(snapshot(config, &serving.pools, &self.profiles, &state.registry));
            }
        }
    }

    /// Updates the targets of the inventory of certificates.
    fn update_inventory(&self, state: &SystemState) {
        let targets = Targets::of(&self.model, &self.store_entries);
        let store = self.model.certificate_store.clone();
        state.certificates.update(targets, store, self.profiles.served(), self.certificate_files.unusable());
    }
}

fn snapshot(
    config: &Arc<VirtualServer>,
    pools: &BTreeMap<Name, Arc<Pool>>,
    profiles: &BuiltProfiles,
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
    let client_ssl = config.client_ssl.as_ref().map(|profile| Arc::clone(&profiles.client[&profile.name]));
    let server_ssl = config.server_ssl.as_ref().map(|profile| Arc::clone(&profiles.server[&profile.name]));
    Snapshot::new(Arc::clone(config), pool, persistence, client_ssl, server_ssl)
}

/// Returns whether another virtual server takes over the destination of this one, or a part of it. Then this one gets a
/// new live state, as clients that connected to the destination must not be served by the other's configuration.
fn is_replaced(live: &LiveVirtualServer, model: &Model) -> bool {
    let before = live.snapshot.load().config.destination;
    if model.virtual_servers.get(&live.name).is_some_and(|config| config.destination == before) {
        return false;
    }
    model.virtual_servers.values().any(|other| other.name != live.name && overlap(other.destination, before))
}
