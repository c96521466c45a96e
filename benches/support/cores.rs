//! The proxy gets the first processor to itself and the load the others, so that they share no cache and no time slice.
//! A thread's processors are inherited by what it starts.

use std::sync::OnceLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What `start` starts runs on the proxy's processor.
pub fn on_the_proxys<T>(start: impl FnOnce() -> T) -> T {
    on(|split| &split.proxy, start)
}

/// What `start` starts runs on any processor.
pub fn on_all<T>(start: impl FnOnce() -> T) -> T {
    on(|split| &split.all, start)
}

fn on<T>(processors: impl FnOnce(&Split) -> &CpuSet, start: impl FnOnce() -> T) -> T {
    let Some(split) = split() else { return start() };
    sched_setaffinity(None, processors(split)).unwrap();
    let started = start();
    sched_setaffinity(None, &split.load).unwrap();
    started
}

/// Returns how many processors there are.
pub fn count() -> usize {
    split().map_or(1, |split| split.all.count() as usize)
}

/// This thread, and what it starts from now on, runs on the processors of the load.
pub fn load() {
    if let Some(split) = split() {
        sched_setaffinity(None, &split.load).unwrap();
    }
}

pub fn announce() {
    match split() {
        Some(split) => println!("  proxies on processor {}, load on {} other(s)", split.first, split.load.count()),
        None => println!("  proxies and load share one processor"),
    }
}

struct Split {
    first: usize,
    all: CpuSet,
    proxy: CpuSet,
    load: CpuSet,
}

fn split() -> Option<&'static Split> {
    static SPLIT: OnceLock<Option<Split>> = OnceLock::new();
    let find = || {
        let all = sched_getaffinity(None).ok().filter(|all| all.count() > 1)?;
        let mut load = all;
        let first = (0..CpuSet::MAX_CPU).find(|processor| load.is_set(*processor))?;
        let mut proxy = CpuSet::new();
        proxy.set(first);
        load.unset(first);
        Some(Split { first, all, proxy, load })
    };
    SPLIT.get_or_init(find).as_ref()
}
