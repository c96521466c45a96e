//! The tasks that a configuration asks for: monitors of members, discovery of coordinators, resolvers of names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::built_profiles::BuiltProfiles;
use super::desired::Discovered;
use super::monitor_credentials::Authorizations;
use super::supervisor::{Restarts, SupervisedTask, TaskGroup};
use crate::inventory;
use crate::model::profile::ServerSsl;
use crate::model::{self, Address, Member, MemberKey, Model, Monitor, Name, PoolUse};
use crate::monitor::{self, Assignment, Search};
use crate::pool::{LiveNode, Pool, PoolMember, Registry};
use crate::tls::MemberTls;

/// The tasks that monitor members, resolve names and discover coordinators.
#[derive(Debug, Default)]
pub(super) struct Assignments {
    monitors: TaskGroup<(Name, MemberKey, Name), Assignment>,
    resolvers: TaskGroup<Name, Resolver>,
    searches: TaskGroup<Name, Search>,
    discovered: tokio::sync::watch::Sender<Discovered>,
}

/// A node whose name is resolved periodically.
#[derive(Debug)]
struct Resolver {
    fqdn: String,
    every: Duration,
    live: Arc<LiveNode>,
}

impl Assignments {
    /// Subscribes to what discovery and resolvers find.
    pub(super) fn discovered(&self) -> tokio::sync::watch::Receiver<Discovered> {
        self.discovered.subscribe()
    }

    /// Begins with what another process has found.
    pub(super) fn begin_with(&self, found: Discovered) {
        self.discovered.send_replace(found);
    }

    /// Monitors every member of every pool with each of the pool's monitors, as `model` has virtual servers speak to it.
    /// Unchanged tasks are not disturbed.
    pub(super) fn monitor(
        &mut self,
        model: &Model,
        pools: &BTreeMap<Name, Arc<Pool>>,
        profiles: &BuiltProfiles,
        authorizations: &Authorizations,
        certificates: &Arc<inventory::Inventory>,
        restarts: &Restarts,
    ) {
        let (uses, unused) = (model.pool_uses(), PoolUse::default());
        let of_pool = |pool: &Arc<Pool>| {
            let used = uses.get(&pool.config.name).unwrap_or(&unused);
            let with_key = |assignment: Assignment| {
                let key = (assignment.pool.clone(), assignment.member.clone(), assignment.monitor.name.clone());
                (key, Assignment { certificates: Arc::clone(certificates), ..assignment })
            };
            assignments_of(pool, used, profiles, authorizations).into_iter().map(with_key).collect::<Vec<_>>()
        };
        let wanted = pools.values().flat_map(of_pool);
        self.monitors.keep(wanted, Assignment::is_same, |(pool, member, monitor), assignment| {
            let own = Arc::clone(&assignment);
            // Its last verdict may be wrong by now.
            let on_panic = move || own.live.forget_verdict(&own.monitor.name, Instant::now());
            let name = format!("monitor {monitor} of member {member} in pool {pool}");
            SupervisedTask::start(name, restarts, on_panic, move || monitor::run(Arc::clone(&assignment)))
        });
    }

    /// Resolves the names of the nodes that have one.
    pub(super) fn resolve(&mut self, model: &Model, registry: &Registry, restarts: &Restarts) {
        let wanted = model.nodes.values().filter_map(|node| {
            let Address::Fqdn(fqdn) = &node.address else { return None };
            let resolving = Resolver { fqdn: fqdn.clone(), every: node.interval, live: registry.node(node) };
            Some((node.name.clone(), resolving))
        });
        let is_same = |one: &Resolver, other: &Resolver| {
            one.fqdn == other.fqdn && one.every == other.every && Arc::ptr_eq(&one.live, &other.live)
        };
        let found = &self.discovered;
        self.resolvers.keep(wanted, is_same, |node, resolving| {
            let (own, found) = (node.clone(), found.clone());
            let make = move || {
                let Resolver { fqdn, every, live } = &*resolving;
                let (name, found) = (fqdn.clone(), found.clone());
                let publish = move |addresses| publish(&found, |found| &mut found.addresses, &name, addresses);
                monitor::keep_resolving(own.clone(), fqdn.clone(), *every, Arc::clone(live), publish)
            };
            // The addresses that are known stay in use.
            let name = format!("resolver of node {node}");
            SupervisedTask::start(name, restarts, || (), make)
        });
        // Nodes that discovery found may be gone.
        self.discovered.send_if_modified(|found| {
            found.addresses.retain(|fqdn, _| self.resolvers.iter().any(|(_, resolving)| resolving.fqdn == *fqdn));
            false
        });
    }

    /// Asks for the coordinators of the pools with discovery.
    pub(super) fn discover(
        &mut self,
        model: &Model,
        profiles: &BuiltProfiles,
        authorizations: &Authorizations,
        restarts: &Restarts,
    ) {
        let wanted = searches(model, profiles, authorizations).into_iter().map(|search| (search.pool.clone(), search));
        let found = &self.discovered;
        self.searches.keep(wanted, Search::is_same, |pool, search| {
            let (pool, found) = (pool.clone(), found.clone());
            let name = format!("discovery of pool {pool}");
            let make = move || {
                let (name, asked, found) = (pool.clone(), search.discovery.clone(), found.clone());
                let publish = move |hosts| {
                    publish(&found, |found| &mut found.coordinators, &name, (asked.clone(), hosts));
                };
                monitor::keep_asking(Arc::clone(&search), publish)
            };
            // The members that are known stay.
            SupervisedTask::start(name, restarts, || (), make)
        });
        self.discovered.send_if_modified(|found| {
            found.coordinators.retain(|pool, _| self.searches.contains(pool));
            false
        });
    }

    /// Lets a member that a monitor with manual-resume holds down come up again. Returns how many monitors watch it.
    pub(super) fn resume(&self, pool: &Name, member: &MemberKey) -> usize {
        let of_member = self.monitors.iter().filter(|((in_pool, key, _), _)| in_pool == pool && key == member);
        of_member.map(|(_, assignment)| assignment.resume.notify_one()).count()
    }
}

/// Publishes what was found, and wakes subscribers only if it is new.
fn publish<K: Clone + Ord, T: PartialEq>(
    found: &tokio::sync::watch::Sender<Discovered>,
    which: fn(&mut Discovered) -> &mut BTreeMap<K, T>,
    name: &K,
    new: T,
) {
    found.send_if_modified(|found| {
        let known = which(found);
        if known.get(name) == Some(&new) {
            return false;
        }
        known.insert(name.clone(), new);
        true
    });
}

/// Returns the searches of the pools with discovery, each with the TLS profile and password of its monitor.
fn searches(model: &Model, profiles: &BuiltProfiles, authorizations: &Authorizations) -> Vec<Search> {
    let of_pool = |pool: &Arc<model::Pool>| {
        let discovery = pool.discovery.clone()?;
        let (monitor, web) = pool.monitors.all.iter().find_map(|monitor| Some((monitor, monitor.web_ui()?)))?;
        Some(Search {
            pool: pool.name.clone(),
            discovery,
            web_port: web.port,
            tls: web.tls.as_ref().and_then(|profile| profiles.server.get(&profile.name)).cloned(),
            authorization: authorizations.get(&monitor.name).cloned(),
        })
    };
    model.pools.values().filter_map(of_pool).collect()
}

/// Returns the assignments of a pool: each of its monitors on each of its members.
pub(super) fn assignments_of(
    pool: &Pool,
    used: &PoolUse<'_>,
    profiles: &BuiltProfiles,
    authorizations: &Authorizations,
) -> Vec<Assignment> {
    let monitors = &pool.config.monitors.all;
    let pairs = monitors.iter().flat_map(|monitor| pool.members.iter().map(move |member| (monitor, member)));
    pairs.map(|(monitor, member)| assignment_of(pool, used, monitor, member, profiles, authorizations)).collect()
}

fn assignment_of(
    pool: &Pool,
    used: &PoolUse<'_>,
    monitor: &Arc<Monitor>,
    member: &PoolMember,
    profiles: &BuiltProfiles,
    authorizations: &Authorizations,
) -> Assignment {
    // Another port has TLS sessions of its own.
    let toward = |profile: &Arc<ServerSsl>, port: u16| -> Arc<MemberTls> {
        profiles.server[&profile.name].for_member(&Member { port, ..Member::clone(&member.config) })
    };
    let port = monitor.probing.alias_port.unwrap_or(member.config.port);
    Assignment {
        pool: pool.config.name.clone(),
        member: member.key.clone(),
        monitor: Arc::clone(monitor),
        live: Arc::clone(&member.live),
        node: Arc::clone(&member.node),
        hostname: member.config.node.hostname.clone(),
        transport: used.probed_by(monitor).map(|profile| toward(&profile, port)),
        web_tls: monitor.web_ui().and_then(|web| Some(toward(web.tls.as_ref()?, web.port))),
        authorization: authorizations.get(&monitor.name).cloned(),
        server_name: inventory::targets::node_name(&member.config.node),
        certificates: Arc::default(),
        resume: Notify::default(),
    }
}
