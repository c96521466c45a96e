use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::model::profile::SourceMask;
use crate::model::{Address, Member, Monitor, MonitorKind, Name, Node};
use crate::pool::{Registry, Verdict};

/// A pool named `impala` on port 21050 with members `a`, `b`, …, changed by `change`.
fn pool(mode: LoadBalancing, members: &[&str], change: impl Fn(&mut Member)) -> Arc<model::Pool> {
    let members = members.iter().enumerate().map(|(number, name)| {
        let address = Address::Ip(IpAddr::from([127, 0, 0, number as u8 + 1]));
        let state = AdminState::Enabled;
        let node = Node { name: Name::from(*name), address, hostname: None, description: None, state };
        let mut member =
            Member { node: Arc::new(node), port: 21050, connection_limit: None, ratio: 1, description: None, state };
        change(&mut member);
        Arc::new(member)
    });
    let seconds = Duration::from_secs;
    let monitor = Monitor::new(Name::from("tcp"), MonitorKind::Tcp, seconds(5), seconds(16));
    Arc::new(model::Pool {
        name: Name::from("impala"),
        description: None,
        monitors: vec![Arc::new(monitor)],
        monitors_needed: None,
        load_balancing_mode: mode,
        reselect_tries: 3,
        members: members.collect(),
    })
}

fn client(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn choose(pool: &Pool) -> Result<Choice, NoMember> {
    pool.choose(client(1), None, &[], Instant::now())
}

/// The names chosen by `count` connections that stay open.
fn names(pool: &Pool, count: usize) -> (String, Vec<Choice>) {
    let choices: Vec<_> = (0..count).map(|_| choose(pool).unwrap()).collect();
    let names = choices.iter().map(|choice| pool.members[choice.index].key.node.as_str()).collect();
    (names, choices)
}

#[test]
fn round_robin_takes_turns_across_a_reload() {
    let registry = Registry::default();
    let before = Pool::join(&pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |_| {}), &registry);
    assert_eq!(names(&before, 4).0, "abca");
    let after = Pool::join(&pool(LoadBalancing::RoundRobin, &["a", "b", "c", "d"], |_| {}), &registry);
    assert_eq!(names(&after, 5).0, "dbcad", "a reload does not send everyone to the first member");
}

#[test]
fn ratio_member_keeps_the_shares_and_spreads_them() {
    let ratios = pool(LoadBalancing::RatioMember, &["a", "b"], |member| {
        member.ratio = if member.node.name.as_str() == "a" { 3 } else { 1 };
    });
    let (names, _choices) = names(&Pool::join(&ratios, &Registry::default()), 8);
    assert_eq!(names, "aabaaaba");
}

#[test]
fn least_connections_node_counts_what_other_pools_send_there() {
    let registry = Registry::default();
    let beeswax = Arc::new(model::Pool {
        name: Name::from("beeswax"),
        ..(*pool(LoadBalancing::RoundRobin, &["a"], |_| {})).clone()
    });
    let beeswax = Pool::join(&beeswax, &registry);
    let _busy = [choose(&beeswax).unwrap(), choose(&beeswax).unwrap()];
    let by_node = Pool::join(&pool(LoadBalancing::LeastConnectionsNode, &["a", "b"], |_| {}), &registry);
    assert_eq!(names(&by_node, 2).0, "bb");
}

#[test]
fn closed_connections_free_their_place() {
    let pool = Pool::join(&pool(LoadBalancing::LeastConnectionsMember, &["a", "b"], |_| {}), &Registry::default());
    let (first, mut choices) = names(&pool, 4);
    assert_eq!(first, "abab");
    choices.retain(|choice| choice.index != 1);
    assert_eq!(names(&pool, 2).0, "bb");
}

#[test]
fn concurrent_choices_are_exact() {
    let pool =
        Pool::join(&pool(LoadBalancing::LeastConnectionsMember, &["a", "b", "c", "d"], |_| {}), &Registry::default());
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
    let pool = Pool::join(&pool, &Registry::default());
    let _four = names(&pool, 4);
    assert_eq!(choose(&pool).unwrap_err(), NoMember::Limit);
    assert_eq!(pool.member_status(0).availability, crate::pool::Availability::Unavailable);
}

#[test]
fn down_members_are_passed_over_and_the_reason_is_told() {
    let pool = Pool::join(&pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &Registry::default());
    let tcp = Name::from("tcp");
    pool.members[0].live.judge(&tcp, Verdict::Down("connection refused".into()));
    assert_eq!(names(&pool, 3).0, "bbb");
    assert_eq!(pool.choose(client(1), None, &[1], Instant::now()).unwrap_err(), NoMember::Tried);
    pool.members[1].live.judge(&tcp, Verdict::Down("connection refused".into()));
    assert_eq!(choose(&pool).unwrap_err(), NoMember::Down);
    assert_eq!(pool.member_status(0).reason, "monitor tcp: connection refused");
}

#[test]
fn draining_and_full_members_get_no_connection_not_even_a_persistent_one() {
    let registry = Registry::default();
    let records = registry.records(&Name::from("vs"));
    let profile = Persistence { name: Name::from("source_addr"), timeout: None, mask: SourceMask::HOST };
    let pool = Pool::join(&pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &registry);
    let persistent = || pool.choose(client(1), Some((&profile, &records)), &[], Instant::now());
    let _held = persistent().unwrap();
    let tcp = Name::from("tcp");
    pool.members[0].live.judge(&tcp, Verdict::Disabled("draining".into()));
    assert_eq!(persistent().unwrap().index, 1);
    pool.members[1].live.judge(&tcp, Verdict::Unavailable("full".into()));
    assert_eq!(persistent().unwrap_err(), NoMember::Limit);
    let reasons = [0, 1].map(|index| pool.member_status(index).reason);
    assert_eq!(
        reasons,
        [
            "monitor tcp: draining; it gets no new connection, those that it has go on".to_owned(),
            "monitor tcp: full".to_owned()
        ]
    );
    pool.members[1].live.judge(&tcp, Verdict::Down("refused".into()));
    assert_eq!(choose(&pool).unwrap_err(), NoMember::Down);
}

#[test]
fn persistence_goes_back_to_a_disabled_member_but_not_to_one_forced_offline() {
    let registry = Registry::default();
    let records = registry.records(&Name::from("vs"));
    let profile = Persistence { name: Name::from("source_addr"), timeout: None, mask: SourceMask::HOST };
    let choose = |pool: &Pool, last| {
        let choice = pool.choose(client(last), Some((&profile, &records)), &[], Instant::now()).unwrap();
        (pool.members[choice.index].key.node.to_string(), choice.persisted)
    };
    let with_state = |state| {
        let change = move |member: &mut Member| {
            if member.node.name.as_str() == "a" {
                member.state = state;
            }
        };
        Pool::join(&pool(LoadBalancing::RoundRobin, &["a", "b"], change), &registry)
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
