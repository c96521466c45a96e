use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::discover::{FoundHost, Search, keep_asking};
use super::resolve;
use super::task::{Watch, run};
use crate::model::{Address, MemberKey, Model, Name};
use crate::pool::LiveNode;

/// The tasks that watch members and resolve names.
#[derive(Debug, Default)]
pub struct Monitors {
    watching: Mutex<HashMap<(Name, MemberKey, Name), Watching>>,
    resolving: Mutex<HashMap<Name, Resolving>>,
    searching: Mutex<HashMap<Name, (Search, JoinHandle<()>)>>,
    found: watch::Sender<Found>,
}

#[derive(Debug)]
struct Resolving {
    fqdn: String,
    every: Duration,
    task: JoinHandle<()>,
}

/// What was found out about the cluster while running.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Coordinators, by the pool that looks for them.
    pub coordinators: BTreeMap<Name, Vec<FoundHost>>,
    /// What nodes' names resolve to.
    pub addresses: BTreeMap<Name, Vec<IpAddr>>,
}

#[derive(Debug)]
struct Watching {
    watch: Arc<Watch>,
    resume: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Monitors {
    /// Watches exactly these. A watch that goes on unchanged is not disturbed.
    pub fn watch(&self, watches: Vec<Watch>) {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *watching);
        for watch in watches {
            let key = (watch.pool.clone(), watch.member.clone(), watch.monitor.name.clone());
            let kept = before.remove(&key).and_then(|old| {
                let same = old.watch.is_same(&watch);
                if !same {
                    old.task.abort();
                }
                same.then_some(old)
            });
            watching.insert(key, kept.unwrap_or_else(|| start(watch)));
        }
        before.into_values().for_each(|old| old.task.abort());
    }

    /// Lets a member that a monitor holds down (`manual-resume`) come up again; tells how many monitors watch it.
    pub fn resume(&self, pool: &Name, member: &MemberKey) -> usize {
        let watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let of_member = watching.iter().filter(|((in_pool, key, _), _)| in_pool == pool && key == member);
        of_member.map(|(_, watching)| watching.resume.notify_one()).count()
    }

    /// Resolves the names of exactly the nodes that have one, again and again.
    pub fn resolve(&self, model: &Model, live: impl Fn(&Name) -> Option<Arc<LiveNode>>) {
        let mut resolving = self.resolving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *resolving);
        for node in model.nodes.values() {
            let (Address::Fqdn(fqdn), Some(live)) = (&node.address, live(&node.name)) else { continue };
            let kept = before.remove(&node.name).and_then(|old| {
                if old.fqdn != *fqdn || old.every != node.interval {
                    old.task.abort();
                    return None;
                }
                Some(old.task)
            });
            let task = kept.unwrap_or_else(|| {
                let (name, found) = (node.name.clone(), self.found.clone());
                let tell = move |addresses| tell(&found, |found| &mut found.addresses, &name, addresses);
                tokio::spawn(resolve::keep_resolving(node.name.clone(), fqdn.clone(), node.interval, live, tell))
            });
            resolving.insert(node.name.clone(), Resolving { fqdn: fqdn.clone(), every: node.interval, task });
        }
        before.into_values().for_each(|old| old.task.abort());
    }

    /// Asks for the coordinators of exactly these pools, again and again.
    pub fn discover(&self, searches: Vec<Search>) {
        let mut searching = self.searching.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *searching);
        for search in searches {
            let pool = search.pool.clone();
            let kept = before.remove(&pool).and_then(|(old, task)| {
                if !old.is_same(&search) {
                    task.abort();
                    return None;
                }
                Some(task)
            });
            let task = kept.unwrap_or_else(|| {
                let (name, found) = (pool.clone(), self.found.clone());
                let tell = move |hosts| tell(&found, |found| &mut found.coordinators, &name, hosts);
                tokio::spawn(keep_asking(search.clone(), tell))
            });
            searching.insert(pool, (search, task));
        }
        before.into_values().for_each(|(_, task)| task.abort());
    }

    /// Follows what is found.
    pub fn found(&self) -> watch::Receiver<Found> {
        self.found.subscribe()
    }
}

/// Puts down what was found, and wakes those who follow only if it differs.
fn tell<T: PartialEq>(
    found: &watch::Sender<Found>,
    which: fn(&mut Found) -> &mut BTreeMap<Name, T>,
    name: &Name,
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

fn start(watch: Watch) -> Watching {
    let (watch, resume) = (Arc::new(watch), Arc::new(Notify::new()));
    let task = tokio::spawn(run(Arc::clone(&watch), Arc::clone(&resume)));
    Watching { watch, resume, task }
}
