//! What the methods do over many choices: shares against theory, slow ramps, priority groups. Time is made up and every
//! number has a seed, so that each run is the same.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tests::{affinity, asker, client, join, pool};
use super::{Asker, Choice};
use crate::model::{AdminState, LoadBalancing, Member, Node, Scope};
use crate::pool::member::{Measurement, measurement};
use crate::pool::{Pool, Registry, Sharing, Verdict};

const PICKS: usize = 100_000;

/// Connections that come every 20 ms and stay for a while that `stay` tells, given the member and a number from
/// 0 to 1. Members are measured before each choice where `measure` says how.
struct Load<'a> {
    pool: &'a Pool,
    stay: &'a dyn Fn(usize, f64) -> Duration,
    measure: Option<&'a dyn Fn(usize, Instant) -> Measurement>,
}

impl Load<'_> {
    /// Returns the share of each member among the choices.
    fn shares(&self, seed: u64) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(seed);
        let start = Instant::now();
        let mut open: BinaryHeap<(std::cmp::Reverse<Instant>, usize)> = BinaryHeap::new();
        let mut choices = BTreeMap::new();
        let mut counts = vec![0_usize; self.pool.members.len()];
        for number in 0..PICKS {
            let now = start + Duration::from_millis(20 * number as u64);
            while let Some((std::cmp::Reverse(end), ended)) = open.peek().copied().filter(|(end, _)| end.0 <= now) {
                assert!(end <= now);
                open.pop();
                choices.remove(&ended);
            }
            if let Some(measure) = self.measure {
                for (index, member) in self.pool.members.iter().enumerate() {
                    let got = member.node.connections.total();
                    member.live.set_measurement(Measurement { connections_got: got, ..measure(index, now) });
                }
            }
            let choice = self.pool.choose(asker(&[]), now).unwrap();
            counts[choice.index] += 1;
            open.push((std::cmp::Reverse(now + (self.stay)(choice.index, random.f64())), number));
            choices.insert(number, choice);
        }
        counts.into_iter().map(|count| count as f64 / PICKS as f64).collect()
    }
}

/// Stays that are alike for all members: two seconds on the average, some much longer.
fn alike(_: usize, random: f64) -> Duration {
    Duration::from_secs_f64(-2.0 * (1.0 - random).ln())
}

#[track_caller]
fn assert_shares(method: LoadBalancing, shares: &[f64], theory: &[f64]) {
    let sum: f64 = theory.iter().sum();
    for (share, theory) in shares.iter().zip(theory) {
        assert!((share - theory / sum).abs() <= 0.01, "{}: {shares:?}, not {theory:?}", method.as_str());
    }
}

/// Returns a pool of three with ratios 1, 2, 3 and limits 100,000, 200,000, 300,000 of members; of nodes the other way
/// round.
fn uneven(method: LoadBalancing) -> Pool {
    let change = |member: &mut Member| {
        let rank = match member.node.name.as_str() {
            "a" => 1,
            "b" => 2,
            _ => 3,
        };
        member.ratio = rank;
        member.connection_limit = Some(100_000 * rank);
        let node = Node { ratio: 4 - rank, connection_limit: Some(100_000 * (4 - rank)), ..Node::clone(&member.node) };
        member.node = Arc::new(node);
    };
    join(pool(method, &["a", "b", "c"], change), &Registry::default())
}

#[test]
fn shares_are_those_of_theory() {
    use LoadBalancing::*;
    use Scope::{Member, Node};
    let even = [1.0, 1.0, 1.0];
    let (up, down) = ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]);
    for (method, theory) in [
        (RoundRobin, even),
        (Ratio(Member), up),
        (Ratio(Node), down),
        (LeastConnections(Member), even),
        (LeastConnections(Node), even),
        (RatioLeastConnections(Member), up),
        (RatioLeastConnections(Node), down),
        (WeightedLeastConnections(Member), up),
        (WeightedLeastConnections(Node), down),
        (Observed(Member), even),
        (LeastSessions, even),
    ] {
        for seed in [1, 2] {
            let pool = uneven(method);
            let shares = Load { pool: &pool, stay: &alike, measure: None }.shares(seed);
            assert_shares(method, &shares, &theory);
        }
    }
}

#[test]
fn least_connections_gives_fast_members_more() {
    // Connections stay on `b` half as long as on `a`, and on `c` a third as long: as many are open on each.
    let stay = |index: usize, random| alike(index, random).div_f64((index + 1) as f64);
    let method = LoadBalancing::LeastConnections(Scope::Member);
    let shares = Load { pool: &uneven(method), stay: &stay, measure: None }.shares(3);
    assert_shares(method, &shares, &[1.0, 2.0, 3.0]);
}

#[test]
fn observed_gives_three_turns_to_two_where_connections_are_few() {
    // All that come to `a` stay.
    let stay = |index: usize, _| if index == 0 { Duration::from_secs(100_000) } else { Duration::ZERO };
    for scope in [Scope::Member, Scope::Node] {
        let method = LoadBalancing::Observed(scope);
        let shares = Load { pool: &uneven(method), stay: &stay, measure: None }.shares(4);
        assert_shares(method, &shares, &[2.0, 3.0, 3.0]);
    }
}

#[test]
fn predictive_gives_fewer_turns_where_connections_become_more() {
    let stay = |index: usize, _| if index == 0 { Duration::from_secs(100_000) } else { Duration::ZERO };
    for scope in [Scope::Member, Scope::Node] {
        let method = LoadBalancing::Predictive(scope);
        let steady = Load { pool: &uneven(method), stay: &|_, _| Duration::ZERO, measure: None }.shares(5);
        assert_shares(method, &steady, &[1.0, 1.0, 1.0]);
        let shares = Load { pool: &uneven(method), stay: &stay, measure: None }.shares(5);
        assert_shares(method, &shares, &[1.0, 2.0, 2.0]);
    }
}

#[test]
fn dynamic_ratio_goes_by_the_load_that_is_measured() {
    // With one query more the loads are 10, 20 and 40.
    let measure = |index: usize, now| measurement(now, [9, 19, 39][index]);
    for scope in [Scope::Member, Scope::Node] {
        let method = LoadBalancing::DynamicRatio(scope);
        let shares = Load { pool: &uneven(method), stay: &alike, measure: Some(&measure) }.shares(6);
        assert_shares(method, &shares, &[4.0, 2.0, 1.0]);
    }
}

#[test]
fn least_sessions_fills_up_whoever_has_few_records() {
    let registry = Registry::default();
    let pool = join(pool(LoadBalancing::LeastSessions, &["a", "b"], |_| {}), &registry);
    let sticky = affinity(&registry);
    let go = |last| pool.choose(Asker { client: client(last), ..asker(&sticky) }, Instant::now()).unwrap().index;
    let first: Vec<_> = (1..=4).map(go).collect();
    assert_eq!(first, [0, 1, 0, 1]);
    let records = registry.records(&Sharing::VirtualServer("vs".into()));
    assert_eq!(records.delete(|record| record.target.member.node.as_str() == "a", Instant::now()), 2);
    assert_eq!([go(11), go(12), go(13)], [0, 0, 1], "it has fewer, has fewer, has as many and was chosen last");
}

#[test]
fn least_load_evens_out_what_others_send_and_never_herds() {
    // Clients that go past pronk keep 300 queries under way on `a`. The daemons are asked every 5 s only.
    let pool = join(pool(LoadBalancing::LeastLoad, &["a", "b", "c"], |_| {}), &Registry::default());
    let start = Instant::now();
    let mut open: Vec<(Instant, Choice)> = Vec::new();
    let mut random = fastrand::Rng::with_seed(7);
    for second in 0..200 {
        let now = start + Duration::from_secs(second);
        open.retain(|(end, _)| *end > now);
        if second % 5 == 0 {
            for (index, member) in pool.members.iter().enumerate() {
                let own = u64::from(member.live.connections.current());
                let others = if index == 0 { 300 } else { 0 };
                let got = member.node.connections.total();
                member.live.set_measurement(Measurement { connections_got: got, ..measurement(now, own + others) });
            }
        }
        let mut of_second = [0; 3];
        for _ in 0..30 {
            let choice = pool.choose(asker(&[]), now).unwrap();
            of_second[choice.index] += 1;
            open.push((now + Duration::from_secs_f64(-20.0 * (1.0 - random.f64()).ln()), choice));
        }
        assert!(of_second[1].max(of_second[2]) <= 25, "second {second}: {of_second:?} herds to one");
    }
    // 600 of ours and 300 of others' make 300 for each, so ours are on the others.
    let counts = [0, 1, 2].map(|index| pool.members[index].live.connections.current());
    assert!(counts[0] <= 60, "{counts:?}");
    assert!(counts[1].abs_diff(counts[2]) <= 45, "{counts:?}");
}

#[test]
fn least_load_without_fresh_measurements_goes_by_connections() {
    let pool = join(pool(LoadBalancing::LeastLoad, &["a", "b"], |_| {}), &Registry::default());
    let start = Instant::now();
    let ask = |second| pool.choose(asker(&[]), start + Duration::from_secs(second)).unwrap();
    pool.members[0].live.set_measurement(measurement(start, 0));
    pool.members[1].live.set_measurement(measurement(start, 50));
    let mut open: Vec<_> = (0..3).map(|_| ask(1)).collect();
    assert!(open.iter().all(|choice| choice.index == 0));
    open.push(ask(16));
    assert_eq!(open[3].index, 1, "stale after 16 s");
    let (steps, _) = pool.explain(asker(&[]), start + Duration::from_secs(16));
    assert!(steps.iter().any(|step| step.contains("least-connections-node decides")), "{steps:#?}");
    for index in [0, 1] {
        pool.members[index].live.set_verdict(&"tcp".into(), Verdict::Up, start);
    }
    let reason = pool.status().reason;
    assert!(reason.contains("least-connections-node decides until every member is measured"), "{reason}");
}

#[test]
fn slow_ramp_follows_its_curve() {
    let ramping = |method| {
        let mut config = pool(method, &["a", "b", "c"], |_| {});
        config.slow_ramp_time = Duration::from_secs(100);
        join(config, &Registry::default())
    };
    for method in [LoadBalancing::RoundRobin, LoadBalancing::LeastConnections(Scope::Member)] {
        let (pool, start, tcp) = (ramping(method), Instant::now(), "tcp".into());
        pool.members[2].live.set_verdict(&tcp, Verdict::Down("refused".into()), start);
        pool.members[2].live.set_verdict(&tcp, Verdict::Up, start);
        let mut open = std::collections::VecDeque::new();
        for tenth in 0..12 {
            let mut count = 0;
            for pick in 0..10_000 {
                let now = start + Duration::from_millis(tenth * 10_000 + pick);
                let choice = pool.choose(asker(&[]), now).unwrap();
                count += usize::from(choice.index == 2);
                // So many are open that a share can be seen, and so few that it follows the curve.
                open.push_back(choice);
                if open.len() > 300 {
                    open.pop_front();
                }
            }
            let part = ((tenth as f64 + 0.5) / 10.0).min(1.0);
            let (share, theory) = (f64::from(count as u32) / 10_000.0, part / (2.0 + part));
            assert!((share - theory).abs() <= 0.015, "{}: {tenth}/10: {share} and not {theory}", method.as_str());
        }
    }
}

#[test]
fn members_ramp_up_when_enabled_or_added_and_not_at_the_start() {
    let registry = Registry::default();
    registry.pool(&"impala".into());
    let start = Instant::now();
    let config = |names: &[&str], disabled: &str| {
        let mut config = pool(LoadBalancing::RoundRobin, names, |member| {
            if member.node.name.as_str() == disabled {
                member.state = AdminState::Disabled;
            }
        });
        config.slow_ramp_time = Duration::from_secs(100);
        Arc::new(config)
    };
    let ramp = |pool: &Pool, index| pool.candidate(index, start + Duration::from_secs(50)).ramp;
    let first = Pool::join(&config(&["a", "b"], "b"), &registry, start);
    assert_eq!([ramp(&first, 0), ramp(&first, 1)], [1.0, 1.0], "all begin together");
    drop(first.choose(asker(&[]), start));
    let second = Pool::join(&config(&["a", "b", "c"], ""), &registry, start);
    assert_eq!([ramp(&second, 0), ramp(&second, 1), ramp(&second, 2)], [1.0, 0.5, 0.5]);
}

#[test]
fn priority_groups_fail_over_and_back() {
    let mut config = pool(LoadBalancing::RoundRobin, &["a", "b", "c", "d"], |member| {
        member.priority_group = if "ab".contains(member.node.name.as_str()) { 10 } else { 5 };
        member.connection_limit = Some(1000);
    });
    config.min_active_members = 2;
    let pool = join(config, &Registry::default());
    let (now, tcp) = (Instant::now(), "tcp".into());
    let serve = || {
        let choices: Vec<_> = (0..40).map(|_| pool.choose(asker(&[]), now).unwrap().index).collect();
        (0..4).filter(|index| choices.contains(index)).collect::<Vec<_>>()
    };
    assert_eq!(serve(), [0, 1], "the higher group alone");
    pool.members[0].live.set_verdict(&tcp, Verdict::Down("refused".into()), now);
    assert_eq!(serve(), [1, 2, 3], "too few of them: the next group as well");
    pool.members[0].live.set_verdict(&tcp, Verdict::Up, now);
    assert_eq!(serve(), [0, 1], "and back");
    pool.members[0].live.set_verdict(&tcp, Verdict::Unavailable("full".into()), now);
    assert_eq!(serve(), [1, 2, 3], "a full one is not active");
    let tried = pool.choose(Asker { tried: &[pool.members[1].key.clone()], ..asker(&[]) }, now).unwrap().index;
    assert!(tried >= 2, "one that failed is not active either: {tried}");
}
