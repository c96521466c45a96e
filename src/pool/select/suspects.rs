//! Suspect members: when others are tried first, and what it costs clients when members hang. Time is made up and every
//! number has a seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::tests::{affinity, asker, client, join, pool};
use super::{Arrival, Asker, Busy, NoMember};
use crate::model::{LoadBalancing, Member, MemberKey, Pacing, Scope};
use crate::pool::{Contact, Failure, Pool, Registry, Sticky, Verdict};

fn failed(pool: &Pool, index: usize, began: Instant, now: Instant) {
    let failure = Failure { reason: "it did not answer".into(), contact: Contact::Process, began };
    pool.members[index].live.record_failure(&failure, now);
}

fn suspect(pool: &Pool, index: usize, now: Instant) {
    failed(pool, index, now, now);
}

fn told(pool: &Pool, now: Instant) -> String {
    pool.explain(asker(&[]), now).0.join("\n")
}

#[test]
fn others_are_tried_first_and_a_suspect_one_before_nobody() {
    let pool = join(pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &Registry::default());
    let now = Instant::now();
    let choose = |tried: &[MemberKey]| pool.choose(Asker { tried, ..asker(&[]) }, now).map(|choice| choice.index);
    suspect(&pool, 0, now);
    assert_eq!([(); 4].map(|()| choose(&[]).unwrap()), [1; 4]);
    assert!(told(&pool, now).contains("a:21050 cannot: it is suspect, and others are tried first (it did not answer)"));
    assert_eq!(
        pool.member_status(0).reason,
        "suspect, so others are tried first (it did not answer); no monitor has \
         reported; the member is used"
    );
    assert_eq!(choose(&[pool.members[1].key.clone()]), Ok(0), "the other failed this connection");
    assert_eq!(choose(&pool.members.iter().map(|member| member.key.clone()).collect::<Vec<_>>()), Err(NoMember::Tried));
    pool.members[1].live.set_verdict(&"tcp".into(), Verdict::Down("refused".into()), now);
    assert_eq!(choose(&[]), Ok(0));
    let steps = told(&pool, now);
    assert!(
        steps.contains("a:21050 is suspect (it did not answer), and can be chosen only because no other can"),
        "{steps}"
    );
    assert!(pool.has_choice(now));
    pool.members[0].live.record_answer(Contact::Port, now);
    assert!(pool.members[0].live.suspicion().is_some(), "the kernel answers for a process that is stopped");
    pool.members[0].live.record_answer(Contact::Process, now);
    assert!(pool.members[0].live.suspicion().is_none());
}

#[test]
fn suspect_member_is_not_active_in_its_priority_group() {
    let mut config = pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |member| {
        member.priority_group = if member.node.name.as_str() == "c" { 5 } else { 10 };
    });
    config.min_active_members = 2;
    let pool = join(config, &Registry::default());
    let now = Instant::now();
    let serve = || {
        let mut chosen = [(); 6].map(|()| pool.choose(asker(&[]), now).unwrap().index);
        chosen.sort_unstable();
        chosen
    };
    assert_eq!(serve(), [0, 0, 0, 1, 1, 1]);
    suspect(&pool, 0, now);
    assert_eq!(serve(), [1, 1, 1, 2, 2, 2]);
    suspect(&pool, 1, now);
    assert_eq!(serve(), [2; 6], "a standby that works is better than those that may hang");
    suspect(&pool, 2, now);
    assert_eq!(serve(), [0, 0, 0, 1, 1, 1], "among suspects the groups count");
}

#[test]
fn persistent_client_of_a_suspect_member_goes_elsewhere_as_from_one_that_is_down() {
    for suspected in [true, false] {
        let registry = Registry::default();
        let sticky = affinity(&registry);
        let pool = join(pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &registry);
        let now = Instant::now();
        let choose = |sticky: &[Sticky]| {
            let choice = pool.choose(asker(sticky), now).unwrap();
            (choice.index, choice.persisted)
        };
        assert_eq!([choose(&sticky), choose(&sticky)], [(0, false), (0, true)]);
        if suspected {
            suspect(&pool, 0, now);
        } else {
            pool.members[0].live.set_verdict(&"tcp".into(), Verdict::Down("refused".into()), now);
        }
        assert_eq!([choose(&sticky), choose(&sticky)], [(1, false), (1, true)]);
        pool.members[0].live.record_answer(Contact::Process, now);
        pool.members[0].live.set_verdict(&"tcp".into(), Verdict::Up, now);
        assert_eq!(choose(&sticky), (1, true), "the record has moved with the client");
    }
}

#[test]
fn record_leads_to_a_suspect_member_where_no_other_can_be_chosen() {
    let registry = Registry::default();
    let sticky = affinity(&registry);
    let pool = join(pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {}), &registry);
    let now = Instant::now();
    let choose = || pool.choose(asker(&sticky), now).map(|choice| (choice.index, choice.persisted));
    assert_eq!(choose(), Ok((0, false)));
    (0..2).for_each(|index| suspect(&pool, index, now));
    assert_eq!(choose(), Ok((0, true)));
}

/// A time that has passed would have the connection ask again without end.
#[test]
fn who_waits_beside_a_suspect_member_that_is_down_or_tried_asks_again_later() {
    let mut config = pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |member| {
        member.connection_limit = (member.node.name.as_str() == "c").then_some(1);
    });
    config.queue.on_connection_limit = true;
    let pool = join(config, &Registry::default());
    let start = Instant::now();
    suspect(&pool, 0, start);
    pool.members[0].live.set_verdict(&"tcp".into(), Verdict::Down("refused".into()), start);
    let now = start + Duration::from_secs(600);
    suspect(&pool, 1, now);
    let _place = pool.choose(asker(&[]), now).unwrap();
    for tried in [Vec::new(), vec![pool.members[1].key.clone()]] {
        let NoMember::Busy(busy) = pool.choose(Asker { tried: &tried, ..asker(&[]) }, now).unwrap_err() else {
            panic!()
        };
        assert!(busy.limit);
        assert!(pool.retry_at(busy, now).is_none_or(|at| at > now), "{tried:?}");
    }
}

#[test]
fn connection_waits_for_a_good_member_where_it_may_and_else_takes_the_suspect_one() {
    let full = |queues: bool, depth| {
        let mut config = pool(LoadBalancing::RoundRobin, &["a", "b"], |member| {
            member.connection_limit = (member.node.name.as_str() == "b").then_some(1);
        });
        (config.queue.on_connection_limit, config.queue.depth) = (queues, Some(depth));
        join(config, &Registry::default())
    };
    let now = Instant::now();
    for (queues, depth, waits) in [(true, 5, true), (true, 0, false), (false, 5, false)] {
        let pool = full(queues, depth);
        suspect(&pool, 0, now);
        let Arrival::Served(place) = pool.arrive(asker(&[]), now) else { panic!() };
        assert_eq!(place.index, 1);
        let arrival = pool.arrive(asker(&[]), now);
        match (waits, &arrival) {
            (false, Arrival::Served(choice)) => assert_eq!(choice.index, 0),
            (true, Arrival::Queued(_)) => {
                let busy = Busy { limit: true, suspect: true, ..Busy::default() };
                assert_eq!(pool.choose(asker(&[]), now).unwrap_err(), NoMember::Busy(busy));
                let retry = pool.retry_at(busy, now).unwrap();
                assert_eq!(retry, now + Duration::from_secs(16), "the timeout of its monitor");
                assert_eq!(pool.choose(asker(&[]), retry).unwrap().index, 0, "it may be tried");
            }
            _ => panic!("{queues}, {depth}: {arrival:?}"),
        }
    }
    // While members are spared, a turn is worth waiting for.
    let mut config = pool(LoadBalancing::RoundRobin, &["a", "b", "c"], |_| {});
    config.pacing = Pacing { setup_limit: Some(1), time: Duration::from_secs(30) };
    let pool = join(config, &Registry::default());
    pool.members[2].live.set_verdict(&"tcp".into(), Verdict::Down("refused".into()), now);
    suspect(&pool, 0, now);
    let _set_up = pool.choose(asker(&[]), now).unwrap();
    assert!(matches!(pool.arrive(asker(&[]), now), Arrival::Queued(_)));
}

#[test]
fn one_connection_at_a_time_tries_a_member_that_nobody_asks() {
    let mut config = pool(LoadBalancing::RoundRobin, &["a", "b"], |_| {});
    config.monitors.all.clear();
    let pool = join(config, &Registry::default());
    let start = Instant::now();
    let at = |second| start + Duration::from_secs(second);
    let choose = |second| {
        let mut chosen = [(); 3].map(|()| pool.choose(asker(&[]), at(second)).unwrap().index);
        chosen.sort_unstable();
        chosen
    };
    suspect(&pool, 0, start);
    assert_eq!(choose(4), [1, 1, 1]);
    assert_eq!(choose(5), [0, 1, 1], "one tries");
    failed(&pool, 0, at(5), at(10));
    assert_eq!(choose(19), [1, 1, 1], "the pause is twice as long");
    let tried = [MemberKey { node: "z".into(), port: 1 }];
    let again = Asker { tried: &tried, ..asker(&[]) };
    assert_eq!(pool.choose(again, at(20)).unwrap().index, 1, "one that a member has failed already does not");
    assert_eq!(choose(20), [0, 1, 1]);
    pool.members[0].live.record_connected(Contact::Process, at(20));
    let both = choose(21);
    assert!(both.contains(&0) && both.contains(&1), "{both:?}");
}

/// How long a connection to a member that hangs takes to fail.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that is being made.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attempt {
    ends: Reverse<Instant>,
    session: usize,
    began: Instant,
    member: usize,
}

/// Sessions come every 40 ms for a minute, from several clients; a third of the members hang from a random moment on,
/// and come back. Returns for each session when it came and how long it waited.
fn sessions(method: LoadBalancing, is_sticky: bool, probed: bool, seed: u64) -> (Instant, Vec<(Instant, Duration)>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let registry = Registry::default();
    let mut config = pool(method, &["a", "b", "c", "d", "e", "f"], |member: &mut Member| {
        member.priority_group = 1 + u32::from(member.node.name.as_str() > "c");
    });
    config.min_active_members = if seed.is_multiple_of(2) { 4 } else { 0 };
    if !probed {
        config.monitors.all.clear();
    }
    let pool = join(config, &registry);
    let sticky = if is_sticky { affinity(&registry) } else { Vec::new() };
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let hangs = at(10_000 + random.u64(..3000));
    let back = hangs + Duration::from_secs(30);
    let hanging = [random.usize(..3), 3 + random.usize(..3)];
    let is_hanging = |member: usize, when: Instant| hanging.contains(&member) && (hangs..back).contains(&when);
    let mut tried: Vec<Vec<MemberKey>> = Vec::new();
    let mut came = Vec::new();
    let mut done = Vec::new();
    let mut open: BinaryHeap<(Reverse<Instant>, usize)> = BinaryHeap::new();
    let mut held = std::collections::HashMap::new();
    let mut attempts: BinaryHeap<Attempt> = BinaryHeap::new();
    let mut try_one = |session: usize, tried: &[MemberKey], now: Instant, attempts: &mut BinaryHeap<Attempt>| {
        let asker = Asker { tried, ..Asker::new(client(session as u8 % 7), &sticky) };
        let choice = pool.choose(asker, now).unwrap();
        let member = choice.index;
        let takes = if is_hanging(member, now) { CONNECT_TIMEOUT } else { Duration::from_millis(1) };
        attempts.push(Attempt { ends: Reverse(now + takes), session, began: now, member });
        held.insert(session, choice);
        while let Some((_, session)) = open.peek().copied().filter(|(end, _)| end.0 <= now) {
            open.pop();
            held.remove(&session);
        }
        open.push((Reverse(now + takes + Duration::from_millis(500)), session));
    };
    for tick in 0..1500 {
        let now = at(40 * tick);
        while let Some(attempt) = attempts.peek().filter(|attempt| attempt.ends.0 <= now) {
            let (ends, session, began, member) = (attempt.ends.0, attempt.session, attempt.began, attempt.member);
            attempts.pop();
            if is_hanging(member, began) {
                failed(&pool, member, began, ends);
                tried[session].push(pool.members[member].key.clone());
                try_one(session, &tried[session], ends, &mut attempts);
            } else {
                pool.members[member].live.record_connected(Contact::Process, now);
                done.push((came[session], ends - came[session]));
            }
        }
        // A probe is answered by members that do not hang.
        if probed && tick % 25 == 0 {
            for (_, member) in pool.members.iter().enumerate().filter(|(index, _)| !is_hanging(*index, now)) {
                member.live.record_answer(Contact::Process, now);
            }
        }
        came.push(now);
        tried.push(Vec::new());
        try_one(came.len() - 1, &[], now, &mut attempts);
    }
    (hangs, done)
}

#[test]
fn members_that_hang_keep_each_session_waiting_once_and_only_those_that_came_before_it_was_known() {
    let slow = CONNECT_TIMEOUT + Duration::from_millis(50);
    for seed in 0..12 {
        for method in [LoadBalancing::RoundRobin, LoadBalancing::LeastConnections(Scope::Member)] {
            for (is_sticky, probed) in [(false, true), (true, true), (false, false), (true, false)] {
                let (hangs, sessions) = sessions(method, is_sticky, probed, seed);
                let context = format!("seed {seed}, {}, {is_sticky}, {probed}", method.as_str());
                assert!(sessions.len() > 1300, "{context}: {}", sessions.len());
                let slowest = sessions.iter().map(|(_, waited)| *waited).max().unwrap();
                // Two hang: whoever came first may meet both, one after the other, before either is known.
                let known = hangs + CONNECT_TIMEOUT + Duration::from_millis(40);
                assert!(slowest <= slow * 2, "{context}: {slowest:?}");
                let late: Vec<_> =
                    sessions.iter().filter(|(came, waited)| *came > known && *waited >= CONNECT_TIMEOUT).collect();
                // With probes nobody tries before the monitors have had their time.
                let tries = if probed { 4 } else { 8 };
                assert!(late.len() <= tries, "{context}: {late:?}");
                assert!(late.iter().all(|(_, waited)| *waited <= slow), "{context}: {late:?}");
            }
        }
    }
}
