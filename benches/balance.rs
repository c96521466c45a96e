//! What choosing a member costs with many of them, what persistence records weigh, and how long work on all of them holds
//! others up. Run with `cargo bench --bench balance`.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use pronk::model::profile::{Affinity, Persistence, PersistenceKind, SourceMask};
use pronk::model::{self, Address, LoadBalancing, Member, Name, Node};
use pronk::pool::{Asker, Measurement, Pool, Records, Registry, Sticky};

fn main() {
    // First, as memory that was freed would serve the records again.
    records();
    // So many that they take far longer than a tick of the clock that counts CPU time.
    let picks_of = |members: usize| if members > 5000 { 5000 } else { 2_000_000 / members.max(20) };
    println!("\nmicroseconds of CPU time for one choice, counted in and out again: median of 5 runs\n");
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
        let asker = Asker::new(client(number), &sticky);
        drop(pool.choose(asker, Instant::now()));
    }
    let filled = started.elapsed();
    let weight = (resident() - before) as f64 / f64::from(COUNT);
    println!("{COUNT} persistence records");
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
            let asker = Asker::new(client(next), &sticky);
            pool.choose(asker, Instant::now())
        })
    });
    println!("choice that evicts another               {evict:>10.2} us  ({} evicted)", records.evicted());
    let table: HashMap<IpAddr, u64> = (0..COUNT).map(|number| (client(number), 1)).collect();
    let bare = median(|| microseconds(200_000, || table.get(&client(random.u32(..COUNT))).copied()));
    println!("(bare hash table, for comparison)        {bare:>10.3} us");
    drop((pool, records));
    pauses(COUNT, &profile);
}

/// How long look-ups have to wait while another thread is busy with all records.
fn pauses(count: u32, profile: &Persistence) {
    println!(
        "\nlongest look-up while another thread did this, and how long that took: ms, the least disturbed of 5 runs\n"
    );
    let pool = pool(LoadBalancing::RoundRobin, 1, &Registry::default());
    let empty = || Arc::new(Records::at_most(count as usize));
    let fill = |records: &Arc<Records>| {
        let sticky = [Sticky { profile: Arc::new(profile.clone()), records: Some(Arc::clone(records)) }];
        drop(pool.choose(Asker::new(client(0), &sticky), Instant::now()));
        let target = records.find(profile, client(0), Instant::now()).unwrap();
        (1..count).for_each(|number| drop(records.hold(profile, client(number), &target, Instant::now())));
    };
    let full = || {
        let records = empty();
        fill(&records);
        records
    };
    let row = |what: &str, records: &dyn Fn() -> Arc<Records>, act: &dyn Fn(&Arc<Records>)| {
        let runs: Vec<_> = (0..5).map(|_| longest_look_up(&records(), profile, count, act)).collect();
        let [longest, other] = [0, 1].map(|at| runs.iter().map(|run| run[at]).fold(f64::INFINITY, f64::min));
        println!("{what:<40} {longest:>10.3} {other:>10.0}");
    };
    let records = full();
    let same = || Arc::clone(&records);
    row("nothing", &same, &|_| std::thread::sleep(Duration::from_millis(500)));
    row("listed all", &same, &|records| drop(black_box(records.list(|_| true, Instant::now()))));
    row("swept, none had expired", &same, &|records| (0..60).for_each(|_| records.sweep(Instant::now())));
    drop(records);
    let later = Instant::now() + Duration::from_secs(1_000_000);
    row("swept, all had expired", &full, &|records| (0..60).for_each(|_| records.sweep(later)));
    row("deleted all", &full, &|records| assert!(records.delete(|_| true, Instant::now()) > 0));
    row("filled the table", &empty, &fill);
}

/// The longest of the look-ups that go on while `act` does, and how long that took, in milliseconds.
fn longest_look_up(records: &Arc<Records>, profile: &Persistence, count: u32, act: &dyn Fn(&Arc<Records>)) -> [f64; 2] {
    let (begun, done) = (Barrier::new(2), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let look = scope.spawn(|| {
            let (mut random, now) = (fastrand::Rng::with_seed(1), Instant::now());
            let mut longest = Duration::ZERO;
            begun.wait();
            while !done.load(Ordering::Relaxed) {
                let client = client(random.u32(..count));
                let started = Instant::now();
                drop(black_box(records.find(profile, client, now)));
                longest = longest.max(started.elapsed());
            }
            longest
        });
        begun.wait();
        let started = Instant::now();
        act(records);
        let other = started.elapsed();
        done.store(true, Ordering::Relaxed);
        [look.join().unwrap(), other].map(|time| time.as_secs_f64() * 1e3)
    })
}

fn choose(pool: &Pool, persistence: &[Sticky]) -> usize {
    let client = client(fastrand::u32(..));
    let choice = pool.choose(Asker::new(client, persistence), Instant::now());
    choice.map_or(0, |choice| choice.index)
}

/// A pool whose members have a connection each, some a second one, and have reported their load.
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
        member.live.set_measurement(Measurement {
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

/// Microseconds of CPU time that `act` takes, so that others who are busy on the machine matter little.
fn microseconds<T>(times: usize, mut act: impl FnMut() -> T) -> f64 {
    let started = cpu_nanoseconds();
    (0..times).for_each(|_| drop(black_box(act())));
    (cpu_nanoseconds() - started) / 1e3 / times as f64
}

/// CPU time of this thread.
fn cpu_nanoseconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    statistics.split_whitespace().next().unwrap().parse().unwrap()
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
