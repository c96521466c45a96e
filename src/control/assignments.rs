//! Who watches whom: the tasks that a configuration asks for.

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
use crate::model::{self, Address, Member, MemberKey, Model, Monitor, MonitorKind, Name};
use crate::monitor::{self, Search, Watch};
use crate::pool::{LiveNode, Pool, PoolMember, Registry};
use crate::tls::MemberTls;

/// The tasks that watch members, resolve names and look for members.
#[derive(Debug, Default)]
pub(super) struct Assignments {
    watching: TaskGroup<(Name, MemberKey, Name), Watch>,
    resolving: TaskGroup<Name, Resolving>,
    searching: TaskGroup<Name, Search>,
    found: tokio::sync::watch::Sender<Discovered>,
}

/// A node whose name is resolved again and again.
#[derive(Debug)]
struct Resolving {
    fqdn: String,
    every: Duration,
    live: Arc<LiveNode>,
}

impl Assignments {
    /// Follows what is found.
    pub fn found(&self) -> tokio::sync::watch::Receiver<Discovered> {
        self.found.subscribe()
    }

    /// Watches every member of every pool under each of the pool's monitors. What goes on unchanged is not disturbed.
    pub fn watch(
        &mut self,
        pools: &BTreeMap<Name, Arc<Pool>>,
        tls: &BuiltProfiles,
        headers: &Authorizations,
        certificates: &Arc<inventory::Inventory>,
        restarts: &Restarts,
    ) {
        let of_pool = |pool: &Arc<Pool>| {
            let pairs =
                pool.config.monitors.iter().flat_map(|monitor| pool.members.iter().map(move |it| (monitor, it)));
            let watches = pairs.map(|(monitor, member)| {
                let key = (pool.config.name.clone(), member.key.clone(), monitor.name.clone());
                let certificates = Arc::clone(certificates);
                (key, Watch { certificates, ..of_member(pool, monitor, member, tls, headers) })
            });
            watches.collect::<Vec<_>>()
        };
        let wanted = pools.values().flat_map(of_pool);
        self.watching.keep(wanted, Watch::is_same, |(pool, member, monitor), watch| {
            let lost = Arc::clone(&watch);
            // What it found last need not be so any more.
            let lost = move || lost.live.forget_verdict(&lost.monitor.name, Instant::now());
            let name = format!("monitor {monitor} of member {member} in pool {pool}");
            SupervisedTask::start(name, restarts, lost, move || monitor::run(Arc::clone(&watch)))
        });
    }

    /// Resolves the names of the nodes that have one.
    pub fn resolve(&mut self, model: &Model, registry: &Registry, restarts: &Restarts) {
        let wanted = model.nodes.values().filter_map(|node| {
            let Address::Fqdn(fqdn) = &node.address else { return None };
            let resolving = Resolving { fqdn: fqdn.clone(), every: node.interval, live: registry.node(node) };
            Some((node.name.clone(), resolving))
        });
        let is_same = |one: &Resolving, other: &Resolving| {
            one.fqdn == other.fqdn && one.every == other.every && Arc::ptr_eq(&one.live, &other.live)
        };
        let found = &self.found;
        self.resolving.keep(wanted, is_same, |node, resolving| {
            let (own, found) = (node.clone(), found.clone());
            let make = move || {
                let Resolving { fqdn, every, live } = &*resolving;
                let (name, found) = (fqdn.clone(), found.clone());
                let tell = move |addresses| tell(&found, |found| &mut found.addresses, &name, addresses);
                monitor::keep_resolving(own.clone(), fqdn.clone(), *every, Arc::clone(live), tell)
            };
            // The addresses that are known stay in use.
            let name = format!("resolver of node {node}");
            SupervisedTask::start(name, restarts, || (), make)
        });
        // Nodes that discovery found may come and go.
        self.found.send_if_modified(|found| {
            found.addresses.retain(|fqdn, _| self.resolving.iter().any(|(_, resolving)| resolving.fqdn == *fqdn));
            false
        });
    }

    /// Asks for the coordinators of the pools that look for them.
    pub fn search(&mut self, model: &Model, tls: &BuiltProfiles, headers: &Authorizations, restarts: &Restarts) {
        let wanted = searches(model, tls, headers).into_iter().map(|search| (search.pool.clone(), search));
        let found = &self.found;
        self.searching.keep(wanted, Search::is_same, |pool, search| {
            let (pool, found) = (pool.clone(), found.clone());
            let name = format!("discovery of pool {pool}");
            let make = move || {
                let (name, asked, found) = (pool.clone(), search.discovery.clone(), found.clone());
                let tell = move |hosts| {
                    tell(&found, |found| &mut found.coordinators, &name, (asked.clone(), hosts));
                };
                monitor::keep_asking(Arc::clone(&search), tell)
            };
            // The members that are known stay.
            SupervisedTask::start(name, restarts, || (), make)
        });
        self.found.send_if_modified(|found| {
            found.coordinators.retain(|pool, _| self.searching.contains(pool));
            false
        });
    }

    /// Lets a member that a monitor holds down (`manual-resume`) come up again; returns how many monitors watch it.
    pub fn resume(&self, pool: &Name, member: &MemberKey) -> usize {
        let of_member = self.watching.iter().filter(|((in_pool, key, _), _)| in_pool == pool && key == member);
        of_member.map(|(_, watch)| watch.resume.notify_one()).count()
    }
}

/// Puts down what was found, and wakes those who follow only if it differs.
fn tell<K: Clone + Ord, T: PartialEq>(
    found: &tokio::sync::watch::Sender<Discovered>,
    which: fn(&mut Discovered) -> &mut BTreeMap<K, T>,
    name: &K,
    news: T,
) {
    found.send_if_modified(|found| {
        let known = which(found);
        if known.get(name) == Some(&news) {
            return false;
        }
        known.insert(name.clone(), news);
        true
    });
}

/// Every pool that looks for members, and what lets it.
fn searches(model: &Model, tls: &BuiltProfiles, headers: &Authorizations) -> Vec<Search> {
    let of_pool = |pool: &Arc<model::Pool>| {
        let discovery = pool.discovery.clone()?;
        let (monitor, web) = pool.monitors.iter().find_map(|monitor| match &monitor.kind {
            MonitorKind::Impala(check) => Some((monitor, check.web.as_ref()?)),
            _ => None,
        })?;
        Some(Search {
            pool: pool.name.clone(),
            discovery,
            web_port: web.port,
            tls: web.tls.as_ref().and_then(|profile| tls.server.get(&profile.name)).cloned(),
            authorization: headers.get(&monitor.name).cloned(),
        })
    };
    model.pools.values().filter_map(of_pool).collect()
}

fn of_member(
    pool: &Pool,
    monitor: &Arc<Monitor>,
    member: &PoolMember,
    tls: &BuiltProfiles,
    headers: &Authorizations,
) -> Watch {
    // A port of its own has sessions of its own.
    let toward = |profile: &Option<Arc<ServerSsl>>, port: Option<u16>| -> Option<Arc<MemberTls>> {
        let live = tls.server.get(&profile.as_ref()?.name)?;
        let port = port.unwrap_or(member.config.port);
        Some(live.for_member(&Member { port, ..Member::clone(&member.config) }))
    };
    let (of_port, of_web) = match &monitor.kind {
        MonitorKind::Http(check) => (toward(&check.tls, monitor.alias_port), None),
        MonitorKind::Impala(check) => {
            let web = check.web.as_ref().and_then(|web| toward(&web.tls, Some(web.port)));
            (toward(&check.tls, monitor.alias_port), web)
        }
        _ => (None, None),
    };
    Watch {
        pool: pool.config.name.clone(),
        member: member.key.clone(),
        monitor: Arc::clone(monitor),
        live: Arc::clone(&member.live),
        node: Arc::clone(&member.node),
        hostname: member.config.node.hostname.clone(),
        tls: of_port,
        web_tls: of_web,
        authorization: headers.get(&monitor.name).cloned(),
        server_name: inventory::targets::node_name(&member.config.node),
        certificates: Arc::default(),
        resume: Notify::default(),
    }
}
