use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::probe;
use super::resolve;
use super::state::Standing;
use crate::model::{Address, Host, MemberKey, Model, Monitor, MonitorKind, Name};
use crate::pool::{LiveMember, LiveNode, Verdict};
use crate::watch;

/// A member to be watched by a monitor.
#[derive(Clone, Debug)]
pub struct Watch {
    pub pool: Name,
    pub member: MemberKey,
    pub monitor: Arc<Monitor>,
    pub live: Arc<LiveMember>,
    pub node: Arc<LiveNode>,
    /// The name that a TLS handshake asks for.
    pub server_name: Option<Host>,
}

/// The tasks that watch members and resolve names.
#[derive(Debug)]
pub struct Monitors {
    /// Where the certificates go that members show.
    certificates: Arc<watch::Watch>,
    probing: Mutex<HashMap<(Name, MemberKey, Name), Probing>>,
    resolving: Mutex<HashMap<Name, (String, JoinHandle<()>)>>,
}

#[derive(Debug)]
struct Probing {
    monitor: Arc<Monitor>,
    live: Arc<LiveMember>,
    server_name: Option<Host>,
    task: JoinHandle<()>,
}

impl Monitors {
    /// Watches nothing yet.
    pub fn new(certificates: Arc<watch::Watch>) -> Self {
        Self { certificates, probing: Mutex::default(), resolving: Mutex::default() }
    }

    /// Watches exactly these. A watch that goes on unchanged is not disturbed.
    pub fn watch(&self, watches: Vec<Watch>) {
        let mut probing = self.probing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *probing);
        for watch in watches {
            let key = (watch.pool.clone(), watch.member.clone(), watch.monitor.name.clone());
            let kept = before.remove(&key).and_then(|old| {
                let same = old.monitor == watch.monitor
                    && old.server_name == watch.server_name
                    && Arc::ptr_eq(&old.live, &watch.live);
                if !same {
                    old.task.abort();
                }
                same.then_some(old)
            });
            probing.insert(key, kept.unwrap_or_else(|| start(watch, Arc::clone(&self.certificates))));
        }
        before.into_values().for_each(|old| old.task.abort());
    }

    /// Resolves the names of exactly the nodes that have one, again and again.
    pub fn resolve(&self, model: &Model, live: impl Fn(&Name) -> Option<Arc<LiveNode>>) {
        let mut resolving = self.resolving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *resolving);
        for node in model.nodes.values() {
            let (Address::Fqdn(fqdn), Some(live)) = (&node.address, live(&node.name)) else { continue };
            let kept = before.remove(&node.name).filter(|(name, _)| name == fqdn);
            let task = kept.unwrap_or_else(|| {
                (fqdn.clone(), tokio::spawn(resolve::keep_resolving(node.name.clone(), fqdn.clone(), live)))
            });
            resolving.insert(node.name.clone(), task);
        }
        before.into_values().for_each(|(_, task)| task.abort());
    }
}

fn start(watch: Watch, certificates: Arc<watch::Watch>) -> Probing {
    let (monitor, live) = (Arc::clone(&watch.monitor), Arc::clone(&watch.live));
    let server_name = watch.server_name.clone();
    Probing { monitor, live, server_name, task: tokio::spawn(probe_for_ever(watch, certificates)) }
}

async fn probe_for_ever(watch: Watch, certificates: Arc<watch::Watch>) {
    let monitor = &watch.monitor;
    let mut standing = Standing::new(monitor.timeout, Instant::now());
    let mut ticks = tokio::time::interval(monitor.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let address = watch.node.addresses().first().map(|address| SocketAddr::new(*address, watch.member.port));
        let limit = monitor.interval.min(monitor.timeout);
        let outcome = match (address, monitor.kind) {
            (Some(address), MonitorKind::Tcp) => probe::tcp(address, limit).await,
            (Some(address), MonitorKind::Tls) => {
                let shown = probe::tls(address, watch.server_name.as_ref(), limit).await;
                certificates.saw(&watch.member, shown.chain);
                shown.outcome.map_err(|reason| format!("{address}: {reason}"))
            }
            (None, _) => Err("the node's name does not resolve".to_owned()),
        };
        if let Some(verdict) = standing.observe(outcome, Instant::now()) {
            match &verdict {
                Verdict::Up => tracing::info!(pool = %watch.pool, member = %watch.member, monitor = %monitor.name,
                    "member is up"),
                Verdict::Down(reason) => tracing::warn!(pool = %watch.pool, member = %watch.member,
                    monitor = %monitor.name, %reason, "member is down"),
            }
            watch.live.judge(&monitor.name, verdict);
        }
    }
}
