//! What choosing a member costs with many of them, and what persistence records weigh. Run with
//! `cargo bench --bench balance`.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pronk::model::profile::{Affinity, Persistence, PersistenceKind, SourceMask};
use pronk::model::{self, Address, LoadBalancing, Member, Name, Node};
use pronk::pool::{Asker, Measurement, Pool, Records, Registry, Sticky};

fn main() {
    let picks_of = |members: usize| if members > 5000 { 200 } else { 200_000 / members.max(20) };
    println!("microseconds for one choice, counted in and out again: median of 5 runs\n");
    println!("{:<40} {:>10} {:>10} {:>10}", "members", 10, 1000, 10_000);
    for method in LoadBalancing::ALL {
        let costs = [10, 1000, 10_000].map(|members| {
            let pool = pool(method, members, &Registry::default());
            median(|| microseconds(picks_of(members), || choose(&pool, &[])))
        });
        println!("{:<40} {:>10.2} {:>10.1} {:>10.0}", method.as_str(), costs[0], costs[1], costs[2]);
    }
    let hash = [Sticky { profile: Arc::new(profile(PersistenceKind::Hash)), records: None }];
    let costs = [10, 1000, 10_000].map(|members| {
        let pool = pool(LoadBalancing::RoundRobin, members, &Registry::default());
        median(|| microseconds(picks_of(members), || choose(&pool, &hash)))
    });
    println!("{:<40} {:>10.2} {:>10.1} {:>10.0}", "hash persistence", costs[0], costs[1], costs[2]);
    let costs = [10, 1000, 10_000].map(|members| {
        let counts: Vec<_> = (0..members).map(|_| AtomicU32::new(1)).collect();
        let least = || {
            counts.iter().min_by_key(|count| count.load(Ordering::Acquire)).map(|it| it.fetch_add(1, Ordering::AcqRel))
        };
        median(|| microseconds(picks_of(members), &least))
    });
    println!(
        "{:<40} {:>10.2} {:>10.1} {:>10.0}",
        "(bare scan of counts, for comparison)", costs[0], costs[1], costs[2]
    );
    records();
}

fn records() {
    const COUNT: u32 = 1_000_000;
    let profile = profile(PersistenceKind::SourceAddr(Affinity {
        timeout: Some(Duration::from_secs(3600)),
        match_across_services: false,
        match_across_virtuals: false,
        match_across_pools: false,
    }));
    let registry = Registry::default();
    let pool = pool(LoadBalancing::RoundRobin, 10, &registry);
    let records = Arc::new(Records::at_most(COUNT as usize));
    let sticky = [Sticky { profile: Arc::new(profile.clone()), records: Some(Arc::clone(&records)) }];
    let before = resident();
    let started = Instant::now();
    for number in 0..COUNT {
        let asker = Asker { client: client(number), persistence: &sticky, tried: &[] };
        drop(pool.choose(asker, Instant::now()));
    }
    let filled = started.elapsed();
    let weight = (resident() - before) as f64 / f64::from(COUNT);
    println!("\n{COUNT} persistence records");
    println!("memory for a record                      {weight:>10.0} bytes");
    println!("choice that makes one                    {:>10.2} us", filled.as_secs_f64() * 1e6 / f64::from(COUNT));
    let mut random = fastrand::Rng::with_seed(1);
    let now = Instant::now();
    let find = median(|| microseconds(200_000, || records.find(&profile, client(random.u32(..COUNT)), now)));
    println!("look-up of one that is there             {find:>10.3} us");
    let miss = median(|| microseconds(200_000, || records.find(&profile, client(COUNT + random.u32(..COUNT)), now)));
    println!("look-up of one that is not               {miss:>10.3} us");
    let mut next = COUNT;
    let evict = median(|| {
        microseconds(50_000, || {
            next += 1;
            let asker = Asker { client: client(next), persistence: &sticky, tried: &[] };
            pool.choose(asker, Instant::now())
        })
    });
    println!("choice that evicts another               {evict:>10.2} us  ({} evicted)", records.evicted());
    let table: HashMap<IpAddr, u64> = (0..COUNT).map(|number| (client(number), 1)).collect();
    let bare = median(|| microseconds(200_000, || table.get(&client(random.u32(..COUNT))).copied()));
    println!("(bare hash table, for comparison)        {bare:>10.3} us");
}

fn choose(pool: &Pool, persistence: &[Sticky]) -> usize {
    let client = client(fastrand::u32(..));
    let choice = pool.choose(Asker { client, persistence, tried: &[] }, Instant::now());
    choice.map_or(0, |choice| choice.index)
}

/// A pool whose members have a connection each, some a second one, and have told of their load.
fn pool(method: LoadBalancing, members: usize, registry: &Registry) -> Pool {
    let member = |number: usize| {
        let address = Address::Ip(IpAddr::from(0x7f00_0001_u32.saturating_add(number as u32).to_be_bytes()));
        let name = Name::from(format!("node{number}").as_str());
        let node = Node { connection_limit: Some(1000), ..Node::new(name, address) };
        Arc::new(Member { connection_limit: Some(1000), ..Member::new(Arc::new(node), 21050) })
    };
    let mut config = model::Pool::new(Name::from("impala"), method, (0..members).map(member).collect());
    config.slow_ramp_time = Duration::from_secs(10);
    let now = Instant::now();
    let pool = Pool::join(&Arc::new(config), registry, now);
    for (number, member) in pool.members.iter().enumerate() {
        member.live.connections.try_enter(None);
        if number % 3 == 0 {
            member.node.connections.try_enter(None);
        }
        member.live.measure(Measurement {
            taken: now,
            good_for: Duration::from_secs(3600),
            connections_got: 0,
            queries_registered: Some(number as u64 % 7),
            connections_in_use: None,
            service_threads: None,
            setup_queue: None,
            admission_queued: None,
            memory_fraction: None,
        });
    }
    pool
}

fn profile(kind: PersistenceKind) -> Persistence {
    Persistence { name: Name::from("sticky"), kind, mask: SourceMask::HOST, override_connection_limit: false }
}

fn client(number: u32) -> IpAddr {
    IpAddr::from(number.to_be_bytes())
}

fn microseconds<T>(times: usize, mut act: impl FnMut() -> T) -> f64 {
    let started = Instant::now();
    (0..times).for_each(|_| drop(black_box(act())));
    started.elapsed().as_secs_f64() * 1e6 / times as f64
}

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut runs: Vec<_> = (0..5).map(|_| run()).collect();
    runs.sort_by(f64::total_cmp);
    runs[2]
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}
