use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::resolve;
use super::task::{Watch, run};
use crate::model::{Address, MemberKey, Model, Name};
use crate::pool::LiveNode;

/// The tasks that watch members and resolve names.
#[derive(Debug, Default)]
pub struct Monitors {
    watching: Mutex<HashMap<(Name, MemberKey, Name), Watching>>,
    resolving: Mutex<HashMap<Name, (String, JoinHandle<()>)>>,
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
            let kept = before.remove(&node.name).filter(|(name, _)| name == fqdn);
            let task = kept.unwrap_or_else(|| {
                (fqdn.clone(), tokio::spawn(resolve::keep_resolving(node.name.clone(), fqdn.clone(), live)))
            });
            resolving.insert(node.name.clone(), task);
        }
        before.into_values().for_each(|(_, task)| task.abort());
    }
}

fn start(watch: Watch) -> Watching {
    let (watch, resume) = (Arc::new(watch), Arc::new(Notify::new()));
    let task = tokio::spawn(run(Arc::clone(&watch), Arc::clone(&resume)));
    Watching { watch, resume, task }
}
