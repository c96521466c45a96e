//! Choices: limits, health, administrative state, persistence and the queue.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::{Asker, Busy, Choice, NoMember};
use crate::model::profile::{Affinity, Persistence, PersistenceKind, SourceMask};
use crate::model::{self, Address, AdminState, LoadBalancing, Member, Monitor, MonitorKind, Name, Node, Scope};
use crate::pool::member::{Measurement, measurement};
use crate::pool::{Pool, Registry, Sharing, Sticky, Verdict};

/// Returns a pool named `impala` on port 21050 with members `a`, `b`, …, changed by `change`.
pub(super) fn pool(mode: LoadBalancing, members: &[&str], change: impl Fn(&mut Member)) -> model::Pool {
    let members = members.iter().enumerate().map(|(number, name)| {
        let address = Address::Ip(IpAddr::from([127, 0, (number / 250) as u8, (number % 250) as u8 + 1]));
        let mut member = Member::new(Arc::new(Node::new(Name::from(*name), address)), 21050);
        change(&mut member);
        Arc::new(member)
    });
    let seconds = Duration::from_secs;
    let monitor = Monitor::new(Name::from("tcp"), MonitorKind::Tcp, seconds(5), seconds(16));
    model::Pool {
        monitors: model::MonitorRule { all: vec![Arc::new(monitor)], needed: None },
        ..model::Pool::new(Name::from("impala"), mode, members.collect())
    }
}

pub(super) fn join(pool: model::Pool, registry: &Registry) -> Pool {
    Pool::join(&Arc::new(pool), registry, Instant::now())
}

pub(super) fn client(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

pub(super) fn asker(persistence: &[Sticky]) -> Asker<'_> {
    Asker::new(client(1), persistence)
}

fn choose(pool: &Pool) -> Result<Choice, NoMember> {
    pool.choose(asker(&[]), Instant::now())
}

/// Returns the names chosen by `count` connections that stay open.
fn names(pool: &Pool, count: usize) -> (String, Vec<Choice>) {
    let choices: Vec<_> = (0..count).map(|_| choose(pool).unwrap()).collect();
    let names = choices.iter().map(|choice| pool.members[choice.index].key.node.as_str()).collect();
    (names, choices)
}

const AT_LIMIT: NoMember =
    NoMember::Busy(Busy { limit: true, rate: false, setup: false, setup_of_client: false, suspect: false });
const AFFINITY: Affinity = Affinity {
    timeout: Some(Duration::from_secs(180)),
    match_across_services: false,
    match_across_virtuals: false,
    match_across_pools: false,
};

pub(super) fn affinity(registry: &Registry) -> Vec<Sticky> {
    sticky(registry, PersistenceKind::SourceAddr(AFFINITY), false)
}

/// Returns a persistence profile with the records of the virtual server `vs`.
fn sticky(registry: &Registry, kind: PersistenceKind, override_connection_limit: bool) -> Vec<Sticky> {
    let (name, mask) = (Name::from("sticky"), SourceMask::HOST);
    let records = matches!(kind, PersistenceKind::SourceAddr(_))
        .then(|| registry.records(&Sharing::VirtualServer(Name::from("vs"))));
    let profile = Persistence { name, kind, mask, override_connection_limit };
    vec![Sticky { profile: Arc::new(profile), records }]
}

#[test]
fn round_robin_takes_turns_across_a_reload() {
    let registry = Registry::default();
    let before = join(pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |_| {}), &registry);
    assert_eq!(names(&before, 4).0, "abca");
    let after = join(pool(LoadBalancing::RoundRobin, &["a", "b", "c", "d"], |_| {}), &registry);
    assert_eq!(names(&after, 5).0, "bcdab", "a reload does not send everyone to the first member");
}

#[test]
fn ratio_member_keeps_the_shares_and_spreads_them() {
    let ratios = pool(LoadBalancing::Ratio(Scope::Member), &["a", "b"], |member| {
        member.ratio = if member.node.name.as_str() == "a" { 3 } else { 1 };
    });
    let (names, _choices) = names(&join(ratios, &Registry::default()), 8);
    assert_eq!(names, "abaaabaa");
}

#[test]
fn least_connections_node_counts_what_other_pools_send_there() {
    let registry = Registry::default();
    let beeswax = pool(LoadBalancing::RoundRobin, &["a"], |_| {});
    let beeswax = join(model::Pool { name: Name::from("beeswax"), ..beeswax }, &registry);
    let _busy = [choose(&beeswax).unwrap(), choose(&beeswax).unwrap()];
    let by_node = join(pool(LoadBalancing::LeastConnections(Scope::Node), &["a", "b"], |_| {}), &registry);
    assert_eq!(names(&by_node, 2).0, "bb");
}

#[test]
fn closed_connections_free_their_place() {
    let pool = join(pool(LoadBalancing::LeastConnections(Scope::Member), &["a", "b"], |_| {}), &Registry::default());
    let (first, mut choices) = names(&pool, 4);
    assert_eq!(first, "abab");
    choices.retain(|choice| choice.index != 1);
    assert_eq!(names(&pool, 2).0, "bb");
}

#[test]
fn concurrent_choices_are_exact() {
    let pool =
        join(pool(LoadBalancing::LeastConnections(Scope::Member), &["a", "b", "c", "d"], |_| {}), &Registry::default());
    let choices: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| names(&pool, 100).1)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut shares = BTreeMap::new();
    choices.iter().for_each(|choice| *shares.entry(choice.index).or_insert(0) += 1);
    assert_eq!(shares.into_values().collect::<Vec<_>>(), [200, 200, 200, 200]);
}

#[test]
fn connection_limit_of_a_member_is_exact() {
    let pool = pool(LoadBalancing::RoundRobin, &["a", "b"], |member| member.connection_limit = Some(2));
    let pool = join(pool, &Registry::default());
    let _four = names(&pool, 4);
    assert_eq!(choose(&pool).unwrap_err(), AT_LIMIT);
    assert_eq!(pool.member_status(0).availability, crate::pool::Availability::Unavailable);
}

#[test]
fn down_members_are_passed_over_and_the_reason_is_told() {
    let pool = join(pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &Registry::default());
    let tcp = Name::from("tcp");
    pool.members[0].live.set_verdict(&tcp, Verdict::Down("connection refused".into()), Instant::now());
    assert_eq!(names(&pool, 3).0, "bbb");
    assert_eq!(
        pool.choose(Asker { tried: &[pool.members[1].key.clone()], ..asker(&[]) }, Instant::now()).unwrap_err(),
        NoMember::Tried
    );
    pool.members[1].live.set_verdict(&tcp, Verdict::Down("connection refused".into()), Instant::now());
    assert_eq!(choose(&pool).unwrap_err(), NoMember::Down);
    assert_eq!(pool.member_status(0).reason, "monitor tcp: connection refused");
}

#[test]
fn draining_and_full_members_get_no_connection_not_even_a_persistent_one() {
    let registry = Registry::default();
    let sticky = affinity(&registry);
    let pool = join(pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &registry);
    let persistent = || pool.choose(asker(&sticky), Instant::now());
    let _held = persistent().unwrap();
    let tcp = Name::from("tcp");
    pool.members[0].live.set_verdict(&tcp, Verdict::Disabled("draining".into()), Instant::now());
    assert_eq!(persistent().unwrap().index, 1);
    pool.members[1].live.set_verdict(&tcp, Verdict::Unavailable("full".into()), Instant::now());
    assert_eq!(persistent().unwrap_err(), AT_LIMIT);
    let reasons = [0, 1].map(|index| pool.member_status(index).reason);
    assert_eq!(
        reasons,
        [
            "monitor tcp: draining; it gets no new connection, those that it has go on".to_owned(),
            "monitor tcp: full".to_owned()
        ]
    );
    pool.members[1].live.set_verdict(&tcp, Verdict::Down("refused".into()), Instant::now());
    assert_eq!(choose(&pool).unwrap_err(), NoMember::Down);
}

#[test]
fn persistence_goes_back_to_a_disabled_member_but_not_to_one_forced_offline() {
    let registry = Registry::default();
    let sticky = affinity(&registry);
    let choose = |pool: &Pool, last| {
        let choice = pool.choose(Asker { client: client(last), ..asker(&sticky) }, Instant::now()).unwrap();
        (pool.members[choice.index].key.node.to_string(), choice.persisted)
    };
    let with_state = |state| {
        let change = move |member: &mut Member| {
            if member.node.name.as_str() == "a" {
                member.state = state;
            }
        };
        join(pool(LoadBalancing::RoundRobin, &["a", "b"], change), &registry)
    };
    let enabled = with_state(AdminState::Enabled);
    assert_eq!(choose(&enabled, 1), ("a".into(), false));
    assert_eq!(choose(&enabled, 1), ("a".into(), true));
    let disabled = with_state(AdminState::Disabled);
    assert_eq!(choose(&disabled, 1), ("a".into(), true));
    assert_eq!(choose(&disabled, 2), ("b".into(), false));
    let offline = with_state(AdminState::ForcedOffline);
    assert_eq!(choose(&offline, 1), ("b".into(), false));
    assert_eq!(choose(&enabled, 1), ("b".into(), true), "the record moved with the client");
}

#[test]
fn hash_goes_past_a_full_member_unless_its_limit_is_waived() {
    for waives in [false, true] {
        let registry = Registry::default();
        let pool = join(
            pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |member| member.connection_limit = Some(1)),
            &registry,
        );
        let sticky = sticky(&registry, PersistenceKind::Hash, waives);
        let choose = || pool.choose(asker(&sticky), Instant::now());
        let first = choose().unwrap();
        let second = choose().unwrap();
        assert_eq!(second.index == first.index, waives);
        assert!(first.persisted && second.persisted);
    }
}

#[test]
fn fallback_persistence_is_asked_where_the_first_names_nobody() {
    let registry = Registry::default();
    let both = [affinity(&registry), sticky(&registry, PersistenceKind::Hash, false)].concat();
    let pool = join(pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |_| {}), &registry);
    let by_hash = &both[1..];
    let wanted = pool.choose(asker(by_hash), Instant::now()).unwrap().index;
    let choice = pool.choose(asker(&both), Instant::now()).unwrap();
    assert_eq!(choice.index, wanted, "without a record the hash decides");
    pool.members[wanted].live.set_verdict(&Name::from("tcp"), Verdict::Down("refused".into()), Instant::now());
    let moved = pool.choose(asker(&both), Instant::now()).unwrap().index;
    pool.members[wanted].live.set_verdict(&Name::from("tcp"), Verdict::Up, Instant::now());
    assert_eq!(pool.choose(asker(&both), Instant::now()).unwrap().index, moved, "the record decides");
}

#[test]
fn persistent_connections_can_be_left_out_of_the_count() {
    for ignored in [false, true] {
        let registry = Registry::default();
        let mut config = pool(LoadBalancing::LeastConnections(Scope::Member), &["a", "b"], |_| {});
        config.ignore_persisted_weight = ignored;
        let pool = join(config, &registry);
        let sticky = affinity(&registry);
        let persistent: Vec<_> = (0..4).map(|_| pool.choose(asker(&sticky), Instant::now()).unwrap()).collect();
        assert!(persistent.iter().all(|choice| choice.index == 0));
        let others = (0..3).map(|_| choose(&pool).unwrap()).collect::<Vec<_>>();
        let to_first = others.iter().filter(|choice| choice.index == 0).count();
        assert_eq!(to_first, usize::from(ignored), "the first of the four was chosen by the method");
    }
}

#[test]
fn free_service_threads_are_given_to_one_client_each() {
    let pool = join(pool(LoadBalancing::RoundRobin, &["a"], |_| {}), &Registry::default());
    let start = Instant::now();
    let report = |connections_in_use, second| {
        pool.members[0].live.set_measurement(Measurement {
            connections_in_use: Some(connections_in_use),
            service_threads: Some(4),
            ..measurement(start + Duration::from_secs(second), 0)
        });
    };
    let choose = |second| pool.choose(asker(&[]), start + Duration::from_secs(second));
    // Three are others'.
    report(3, 0);
    let ours = choose(1).unwrap();
    assert_eq!(choose(1).unwrap_err(), AT_LIMIT);
    assert_eq!(pool.member_status(0).reason, "all of its 4 service threads are in use");
    drop(ours);
    let ours = choose(1).unwrap();
    // One of the others has left; ours is among those that it counts.
    report(3, 2);
    let second = choose(2).unwrap();
    assert_eq!(choose(2).unwrap_err(), AT_LIMIT);
    assert!(choose(30).is_ok(), "what was reported long ago keeps nobody away");
    drop((ours, second));
}

#[test]
fn whoever_waits_is_served_when_a_name_resolves() {
    let registry = Registry::default();
    let mut config = pool(LoadBalancing::RoundRobin, &["a"], |member| member.connection_limit = Some(1));
    let named = Node::new(Name::from("b"), Address::Fqdn("b.example.com".into()));
    config.members.push(Arc::new(Member::new(Arc::new(named), 21050)));
    let pool = join(config, &registry);
    let _full = choose(&pool).unwrap();
    let waiting = pool.queue(client(1)).unwrap();
    let has_turn = || std::pin::pin!(waiting.turn()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(has_turn(), "the first tries at once");
    assert_eq!(choose(&pool).unwrap_err(), AT_LIMIT);
    pool.members[1].node.set_addresses(vec![[127, 0, 0, 2].into()]);
    assert!(has_turn() && choose(&pool).unwrap().index == 1);
    assert!(has_turn(), "that one has left");
    pool.members[1].node.set_addresses(vec![[127, 0, 0, 2].into()]);
    assert!(!has_turn(), "it is no news");
    registry.wake();
    assert!(has_turn(), "a reload may have changed anything");
}

#[test]
fn records_of_a_virtual_server_that_is_gone_are_discarded() {
    let registry = Registry::default();
    let sticky = affinity(&registry);
    let pool = join(pool(LoadBalancing::RoundRobin, &["a"], |_| {}), &registry);
    let open = pool.choose(asker(&sticky), Instant::now()).unwrap();
    for last in 2..100 {
        drop(pool.choose(Asker { client: client(last), ..asker(&sticky) }, Instant::now()).unwrap());
    }
    assert_eq!(pool.members[0].live.records(), 99);
    registry.retain(&model::Model::default(), Instant::now());
    assert!(registry.all_records().is_empty());
    for _ in 0..60 {
        registry.sweep_records(Instant::now());
    }
    assert_eq!(pool.members[0].live.records(), 0, "though a connection is open");
    drop(open);
}
