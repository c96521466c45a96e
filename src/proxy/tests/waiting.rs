//! Connections that wait while configurations change, in random orders: whenever fewer are served than there are
//! places, nobody waits, and nobody is overtaken.

use std::collections::{BTreeMap, HashMap};
use std::task::{Context, Waker};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::*;
use crate::model::{Model, Queueing};
use crate::pool::Choice;
use crate::proxy::choose;
use crate::proxy::close_reasons::CloseReason;
use crate::proxy::connection_record::ConnectionRecord;
use crate::proxy::removed_virtual_servers::RemovedVirtualServers;
use crate::proxy::virtual_server::LiveVirtualServer;

/// A configuration: the limits of each pool's members, and each virtual server's pool and whether it ends TLS.
#[derive(Clone, Debug, Default)]
struct Written {
    pools: BTreeMap<&'static str, BTreeMap<&'static str, u32>>,
    virtual_servers: BTreeMap<&'static str, (&'static str, bool)>,
}

/// What runs, and the clients of it.
#[derive(Default)]
struct World {
    written: Written,
    registry: Registry,
    pools: BTreeMap<Name, Arc<Pool>>,
    virtual_servers: BTreeMap<Name, Arc<LiveVirtualServer>>,
    removed: RemovedVirtualServers,
    clients: Vec<Client>,
    /// Those who wait, by their pool, in the order in which they must be served.
    queues: HashMap<&'static str, Vec<usize>>,
}

struct Client {
    virtual_server: &'static str,
    /// Makes it leave; none when it has.
    leave: Option<oneshot::Sender<()>>,
    fate: Arc<Mutex<Option<Result<(), CloseReason>>>>,
}

impl World {
    /// As a reload does.
    fn reload(&mut self, written: Written) {
        let mut model = Model::default();
        for (called, members) in &written.pools {
            let members = members.iter().map(|(node, limit)| Member {
                connection_limit: Some(*limit),
                ..member(node, if *called == "p" { 21050 } else { 21000 })
            });
            let queue = Queueing { on_connection_limit: true, depth: None, time: None };
            let pool = Arc::new(model::Pool { queue, ..pool(called, members) });
            model.nodes.extend(pool.members.iter().map(|it| (it.node.name.clone(), Arc::clone(&it.node))));
            model.pools.insert(name(called), pool);
        }
        for (called, (pool, ends_tls)) in &written.virtual_servers {
            let client_ssl = ends_tls.then(client_ssl);
            let config = VirtualServer { client_ssl, ..virtual_server(called, &model.pools[*pool]) };
            model.virtual_servers.insert(name(called), Arc::new(config));
        }
        let now = Instant::now();
        self.registry.retain(&model, now);
        let join = |pool| Arc::new(Pool::join(pool, &self.registry, now));
        let pools: BTreeMap<_, _> = model.pools.iter().map(|(name, pool)| (name.clone(), join(pool))).collect();
        let before = std::mem::take(&mut self.virtual_servers);
        for (name, config) in &model.virtual_servers {
            let snapshot = snapshot(VirtualServer::clone(config), &pools[&config.pool.name], &self.registry);
            let live = match before.get(name) {
                Some(live) => {
                    live.apply(snapshot);
                    Arc::clone(live)
                }
                None => Arc::new(LiveVirtualServer::new(snapshot)),
            };
            self.virtual_servers.insert(name.clone(), live);
        }
        self.removed.add(&before, &self.virtual_servers);
        self.removed.update_pools(&pools);
        self.registry.wake();
        for (server, (pool, _)) in &self.written.virtual_servers {
            let moved = written.virtual_servers.get(server).filter(|(newer, _)| newer != pool);
            let Some((newer, _)) = moved else { continue };
            let of_server = |client: &mut usize| self.clients[*client].virtual_server == *server;
            let moving: Vec<_> = self.queues.entry(pool).or_default().extract_if(.., of_server).collect();
            self.queues.entry(newer).or_default().extend(moving);
        }
        // One that comes back by the same name is another.
        let is_gone = |client: &&mut Client| !written.virtual_servers.contains_key(client.virtual_server);
        self.clients.iter_mut().filter(is_gone).for_each(|client| client.virtual_server = "");
        (self.written, self.pools) = (written, pools);
    }

    fn come(&mut self, server: &'static str) {
        let live = Arc::clone(&self.virtual_servers[server]);
        let (leave, mut leaves) = oneshot::channel();
        let fate = Arc::new(Mutex::new(None));
        let client = Client { virtual_server: server, leave: Some(leave), fate: Arc::clone(&fate) };
        tokio::spawn(async move {
            let mut snapshot = live.snapshot.load_full();
            let record = ConnectionRecord::new(1, &live, &snapshot, ([10, 0, 0, 1], 1).into(), None);
            let gone = async {
                // A test that ends lets go of everybody.
                let _ = (&mut leaves).await;
            };
            let client = IpAddr::from([10, 0, 0, 1]);
            let choice =
                choose::choose_member(&live, &mut snapshot, client, choose::Met::default(), gone, &record).await;
            *fate.lock() = Some(choice.as_ref().map(|_| ()).map_err(|close| close.reason));
            if choice.is_ok() {
                let _ = leaves.await;
            }
        });
        self.queues.entry(self.written.virtual_servers[server].0).or_default().push(self.clients.len());
        self.clients.push(client);
    }

    /// Waits until nothing goes on any more, and compares.
    async fn settle(&mut self, happened: &[String]) {
        // Each client may make way for the next one, and wakes it by that.
        for _ in 0..20 + 4 * self.clients.len() {
            tokio::task::yield_now().await;
        }
        let fates: Vec<_> = self.clients.iter().map(|client| *client.fate.lock()).collect();
        for (pool, queue) in &mut self.queues {
            queue.retain(|client| self.clients[*client].leave.is_some());
            let served = queue.iter().take_while(|client| fates[**client] == Some(Ok(()))).count();
            let overtaken = &queue[served..];
            assert!(
                overtaken.iter().all(|client| fates[*client].is_none()),
                "pool {pool}: not in order: {queue:?} with {fates:?} after {happened:#?}"
            );
            queue.drain(..served);
            let Some(joined) = self.pools.get(*pool) else { continue };
            let free = |member: &crate::pool::PoolMember| {
                member.config.connection_limit.unwrap_or(0).saturating_sub(member.live.connections.current())
            };
            let free: u32 = joined.members.iter().map(free).sum();
            assert!(free == 0 || queue.is_empty(), "pool {pool}: {free} places and {queue:?} wait after {happened:#?}");
            assert_eq!(joined.live.queued(), queue.len(), "pool {pool} after {happened:#?}");
        }
    }
}

/// Another configuration than `written`, which differs in one thing.
fn changed(written: &Written, random: &mut fastrand::Rng) -> Written {
    let mut written = written.clone();
    let pool = random.choice(["p", "q"]).unwrap();
    let members = written.pools.get_mut(pool).unwrap();
    match random.u8(..6) {
        0 => {
            let node = random.choice(["a", "b", "c"]).unwrap();
            if members.remove(node).is_none() || members.is_empty() {
                members.insert(node, random.u32(1..4));
            }
        }
        1 | 2 => {
            let limit = random.choice(members.values_mut()).unwrap();
            *limit = random.u32(1..5);
        }
        3 => {
            let server = random.choice(written.virtual_servers.values_mut()).unwrap();
            server.0 = pool;
        }
        4 => {
            let server = random.choice(written.virtual_servers.values_mut()).unwrap();
            server.1 = !server.1;
        }
        _ => {
            let server = random.choice(["v", "w"]).unwrap();
            if written.virtual_servers.remove(server).is_none() {
                written.virtual_servers.insert(server, (pool, false));
            }
        }
    }
    written
}

async fn random_order(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::default();
    let one = || BTreeMap::from([("a", 1)]);
    world.reload(Written {
        pools: BTreeMap::from([("p", one()), ("q", one())]),
        virtual_servers: BTreeMap::from([("u", ("p", false)), ("v", ("p", false)), ("w", ("q", false))]),
    });
    let mut happened = vec![format!("seed {seed}")];
    for _ in 0..60 {
        match random.u8(..10) {
            0..=4 => {
                let server = *random.choice(world.written.virtual_servers.keys()).unwrap();
                happened.push(format!("client {} comes to {server}", world.clients.len()));
                world.come(server);
            }
            5..=7 => {
                let open = (0..world.clients.len()).filter(|client| world.clients[*client].leave.is_some());
                if let Some(client) = random.choice(open.collect::<Vec<_>>()) {
                    happened.push(format!("client {client} leaves"));
                    let _ = world.clients[client].leave.take().unwrap().send(());
                }
            }
            _ => {
                let written = changed(&world.written, &mut random);
                happened.push(format!("{written:?}"));
                world.reload(written);
            }
        }
        world.settle(&happened).await;
    }
}

#[tokio::test]
async fn nobody_waits_beside_a_free_place_and_nobody_is_overtaken() {
    for seed in 0..120 {
        random_order(seed).await;
    }
}

/// Returns a virtual server whose pool's only member takes one connection, and its clients wait for so long at most.
fn one_place(called: &str, time: Option<Duration>, registry: &Registry) -> Snapshot {
    let full = Member { connection_limit: Some(1), ..member("a", if called == "p" { 21050 } else { 21000 }) };
    let queue = Queueing { on_connection_limit: true, depth: None, time };
    let config = Arc::new(model::Pool { queue, ..pool(called, [full]) });
    let joined = Arc::new(Pool::join(&config, registry, Instant::now()));
    snapshot(virtual_server("vs", &config), &joined, registry)
}

async fn want(live: &Arc<LiveVirtualServer>) -> Result<Choice, CloseReason> {
    let mut snapshot = live.snapshot.load_full();
    let record = ConnectionRecord::new(1, live, &snapshot, ([10, 0, 0, 1], 1).into(), None);
    let client = IpAddr::from([10, 0, 0, 1]);
    let waited =
        choose::choose_member(live, &mut snapshot, client, choose::Met::default(), std::future::pending(), &record)
            .await;
    waited.map_err(|close| close.reason)
}

#[tokio::test]
async fn those_who_change_queues_keep_their_order_and_newcomers_stand_behind() {
    let registry = Registry::default();
    let live = Arc::new(LiveVirtualServer::new(one_place("p", None, &registry)));
    let _holder = want(&live).await.unwrap();
    let mut clients: Vec<_> = (0..4).map(|_| Box::pin(want(&live))).collect();
    let mut looks = |client: usize| clients[client].as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!((0..3).all(|client| looks(client).is_pending()));
    live.apply(one_place("q", None, &registry));
    // The last is a newcomer; who looks first is up to the threads.
    let mut served = Vec::new();
    for _ in 0..4 {
        let waiting = [3, 2, 1, 0].into_iter().filter(|client| !served.contains(client)).collect::<Vec<_>>();
        // Whoever is served leaves at once.
        let ready = waiting.into_iter().find(|client| looks(*client).map(|choice| drop(choice.unwrap())).is_ready());
        served.extend(ready);
    }
    assert_eq!(served, [0, 1, 2, 3]);
}

#[tokio::test]
async fn newest_time_limit_holds_for_all_who_wait() {
    let registry = Registry::default();
    let configured = |time| one_place("p", Some(time), &registry);
    let live = Arc::new(LiveVirtualServer::new(configured(Duration::from_secs(3600))));
    let _holder = want(&live).await.unwrap();
    let begun = Instant::now();
    let reload = async {
        while live.snapshot.load().pool.live.queued() < 2 {
            tokio::task::yield_now().await;
        }
        live.apply(configured(Duration::from_millis(200)));
    };
    let (first, second, ()) = tokio::join!(want(&live), want(&live), reload);
    for waited in [first, second] {
        assert_eq!(waited.unwrap_err(), CloseReason::QueueTimeout);
    }
    assert!(begun.elapsed() >= Duration::from_millis(200));
}
