//! The table of open connections: what is listed and ended, in random orders and while connections come and go.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::*;
use crate::model::MemberKey;
use crate::proxy::connection::serve;
use crate::proxy::connection_record::ConnectionRecord;
use crate::proxy::open_connection::{OpenPhase, Selection, SortBy};
use crate::proxy::open_connections::{Listed, OpenConnections};
use crate::proxy::stop::Stop;
use crate::proxy::virtual_server::LiveVirtualServer;

fn live(called: &str) -> Arc<LiveVirtualServer> {
    let registry = Registry::default();
    let config = Arc::new(pool("p", [member("a", 21050)]));
    let joined = Arc::new(Pool::join(&config, &registry, Instant::now().into_std()));
    Arc::new(LiveVirtualServer::new(snapshot(virtual_server(called, &config), &joined, &registry)))
}

fn add(open: &Arc<OpenConnections>, live: &Arc<LiveVirtualServer>, client: SocketAddr) -> Listed {
    let snapshot = live.snapshot.load_full();
    Arc::clone(open).add(|id| ConnectionRecord::new(id, live, &snapshot, client, None))
}

fn key(node: &str) -> MemberKey {
    MemberKey { node: name(node), port: 21050 }
}

fn is_stopped(record: &ConnectionRecord) -> Option<Stop> {
    match record.poll_stopped(&Context::from_waker(Waker::noop())) {
        Poll::Ready(stop) => Some(stop),
        Poll::Pending => None,
    }
}

/// What is known of a connection beside its record.
struct Known {
    listed: Listed,
    client: IpAddr,
    server: usize,
    node: Option<&'static str>,
    bytes: u64,
    stopped: Option<Stop>,
}

#[test]
fn those_that_are_meant_are_listed_and_ended_and_no_others() {
    let servers = ["x", "y"].map(live);
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let open = Arc::new(OpenConnections::default());
        let mut known: BTreeMap<u64, Known> = BTreeMap::new();
        for step in 0..150 {
            let selection = Selection {
                id: (random.u8(..6) == 0).then(|| random.u64(..100)),
                client: (random.u8(..3) == 0).then(|| format!("10.0.0.0/{}", random.u8(29..=32)).parse().unwrap()),
                virtual_server: (random.u8(..3) == 0).then(|| name(["x", "y"][random.usize(..2)])),
                pool: (random.u8(..6) == 0).then(|| name(["p", "q"][random.usize(..2)])),
                node: (random.u8(..4) == 0).then(|| name(["a", "b"][random.usize(..2)])),
                member: (random.u8(..4) == 0).then(|| key(["a", "b"][random.usize(..2)])),
            };
            let is_meant = |id: u64, it: &Known| {
                let of_node = |node: &Name| it.node == Some(node.as_str());
                selection.id.is_none_or(|wanted| wanted == id)
                    && selection.client.is_none_or(|network| network.contains(&it.client))
                    && selection.virtual_server.as_ref().is_none_or(|it_is| it_is.as_str() == ["x", "y"][it.server])
                    && selection.pool.as_ref().is_none_or(|pool| pool.as_str() == "p")
                    && selection.node.as_ref().is_none_or(of_node)
                    && selection.member.as_ref().is_none_or(|member| of_node(&member.node))
            };
            match random.u8(..10) {
                0..=3 => {
                    let (client, server) = (IpAddr::from([10, 0, 0, random.u8(..8)]), random.usize(..2));
                    // As a listener for both versions tells it.
                    let seen = match client {
                        IpAddr::V4(v4) if random.bool() => IpAddr::from(v4.to_ipv6_mapped()),
                        _ => client,
                    };
                    let listed = add(&open, &servers[server], (seen, 1).into());
                    known.insert(listed.id, Known { listed, client, server, node: None, bytes: 0, stopped: None });
                }
                4 | 5 if !known.is_empty() => {
                    let at = random.usize(..known.len());
                    let it = known.values_mut().nth(at).unwrap();
                    let node = ["a", "b"][random.usize(..2)];
                    it.listed.set_member(&name("p"), &key(node), false);
                    (it.node, it.bytes) = (Some(node), it.bytes + random.u64(..1000));
                    it.listed.note_passed((it.bytes, 0), true, Instant::now());
                }
                6 if !known.is_empty() => {
                    let id = *known.keys().nth(random.usize(..known.len())).unwrap();
                    known.remove(&id);
                    assert!(open.find(id).is_none());
                }
                7 => {
                    let stop = *random.choice(&[Stop::Killed, Stop::DrainDeadline]).unwrap();
                    let mut expected = 0;
                    for it in known.iter_mut().filter(|(id, it)| is_meant(**id, it)).map(|(_, it)| it) {
                        expected += usize::from(it.stopped.is_none());
                        it.stopped.get_or_insert(stop);
                    }
                    assert_eq!(open.stop(&selection, stop, &Arc::from("why"), None), expected, "{seed}, {step}");
                }
                _ => {
                    let meant: Vec<_> = known.iter().filter(|(id, it)| is_meant(**id, it)).collect();
                    let ids: Vec<_> = meant.iter().map(|(id, _)| **id).collect();
                    let mut by_age = open.sorted(&selection, SortBy::Age);
                    by_age.sort_unstable();
                    assert_eq!(by_age, ids, "{seed}, {step}: {selection:?}");
                    let by_bytes: Vec<_> =
                        open.sorted(&selection, SortBy::Bytes).iter().map(|id| known[id].bytes).collect();
                    assert!(by_bytes.is_sorted_by(|one, other| one >= other), "{by_bytes:?}");
                    assert_eq!(open.remaining(&selection).connections, meant.len());
                }
            }
            assert_eq!(open.len(), known.len());
            for (id, it) in &known {
                assert_eq!(is_stopped(&it.listed), it.stopped, "{seed}, {step}: {id}");
            }
        }
    }
}

#[test]
fn no_connection_is_missed_that_comes_while_all_are_closed_or_listed() {
    let server = live("x");
    for _ in 0..20 {
        let open = Arc::new(OpenConnections::default());
        let (is_over, missed) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..3_u8 {
                let (open, server, is_over, missed) = (&open, &server, &is_over, &missed);
                scope.spawn(move || {
                    let mut held = Vec::new();
                    while !is_over.load(Ordering::SeqCst) {
                        held.push(add(open, server, ([10, 0, 0, thread], 1).into()));
                        if held.len() > 50 {
                            held.swap_remove(fastrand::usize(..held.len()));
                        }
                    }
                    missed.fetch_add(held.iter().filter(|it| is_stopped(it).is_none()).count(), Ordering::SeqCst);
                });
            }
            for _ in 0..20 {
                let sorted = open.sorted(&Selection::default(), SortBy::Age);
                let unique: std::collections::BTreeSet<_> = sorted.iter().collect();
                assert_eq!(unique.len(), sorted.len(), "one is listed twice");
            }
            open.close_at_once();
            is_over.store(true, Ordering::SeqCst);
        });
        assert_eq!(missed.into_inner(), 0);
        assert!(open.is_empty(), "something is left behind");
    }
}

#[tokio::test(start_paused = true)]
async fn connection_that_is_busy_again_is_not_ended_for_being_idle() {
    let open = Arc::new(OpenConnections::default());
    let record = add(&open, &live("x"), ([10, 0, 0, 1], 1).into());
    let idle_for = Duration::from_secs(60);
    let end_idle = || open.stop(&Selection::default(), Stop::DrainIdle, &Arc::from("idle"), Some(idle_for));
    record.begin(OpenPhase::Queue);
    tokio::time::advance(2 * idle_for).await;
    assert_eq!(end_idle(), 0, "one that waits for a member is not idle");
    record.begin(OpenPhase::Relay);
    record.note_passed((5, 0), true, Instant::now());
    tokio::time::advance(2 * idle_for).await;
    assert_eq!(end_idle(), 0, "nor one that waits for an answer");
    record.note_passed((5, 5), false, Instant::now());
    tokio::time::advance(idle_for / 2).await;
    assert_eq!(end_idle(), 0, "not yet");
    tokio::time::advance(idle_for / 2).await;
    assert_eq!(end_idle(), 1);
    // A request comes before the connection has seen the order.
    record.note_passed((9, 5), true, Instant::now());
    assert_eq!(is_stopped(&record), None);
    tokio::time::advance(2 * idle_for).await;
    assert_eq!(is_stopped(&record), None, "the order was taken back");
    record.note_passed((9, 9), false, Instant::now());
    tokio::time::advance(idle_for).await;
    assert_eq!((end_idle(), is_stopped(&record)), (1, Some(Stop::DrainIdle)));
    assert_eq!(open.stop(&Selection::default(), Stop::Killed, &Arc::from("now"), None), 1, "it counts more");
    assert_eq!(is_stopped(&record), Some(Stop::Killed));
}

#[tokio::test(start_paused = true)]
async fn drain_closes_connections_evenly_over_its_time() {
    let open = Arc::new(OpenConnections::default());
    let server = live("x");
    let all: Vec<_> = (0..100).map(|number| add(&open, &server, ([10, 0, 0, number], 1).into())).collect();
    let (begun, time) = (Instant::now(), Duration::from_secs(5));
    let stopped = || all.iter().filter(|record| is_stopped(record).is_some()).count();
    let watch = async {
        for second in 1..=4 {
            tokio::time::sleep_until(begun + Duration::from_millis(1000 * second - 20)).await;
            assert_eq!(stopped() as u64, 20 * second, "in second {second}");
        }
    };
    tokio::join!(open.close_over(time), watch);
    assert_eq!(stopped(), 100);
    assert!(begun.elapsed() <= time);
    assert_eq!(is_stopped(&add(&open, &server, ([10, 0, 0, 1], 1).into())), Some(Stop::Drained), "one that comes late");
}

/// An idle connection keeps its future, so every byte of it counts: it is the largest part of what one without TLS takes.
#[test]
fn future_of_a_connection_is_small() {
    fn size_of_future<A, B, F: Future>(_: impl FnOnce(A, B) -> F) -> usize {
        size_of::<F>()
    }
    let size = size_of_future(serve);
    // With what the allocator adds, it takes a KiB then. Another compiler may need another bound.
    assert!(size <= 1016, "{size} bytes");
}

/// An idle connection keeps its record, so every byte of it counts.
#[test]
fn record_of_a_connection_is_small() {
    let size = size_of::<ConnectionRecord>();
    assert!(size <= 344, "{size} bytes");
}
