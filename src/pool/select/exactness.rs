//! The table of choices under random orders of everything that can happen: each choice is the one that looking at every
//! member would lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::plain::Plain;
use super::tests::client;
use super::{Asker, Choice};
use crate::model::profile::{Affinity, Persistence, PersistenceKind, SourceMask};
use crate::model::{
    self, Address, AdminState, LoadBalancing, Member, MemberKey, Monitor, MonitorKind, MonitorRule, Name, Node, Pacing,
    Queueing,
};
use crate::pool::member::Measurement;
use crate::pool::{Contact, Elsewhere, Failure, MemberGuard, Pool, Registry, SetupGuard, Sharing, Sticky, Verdict};

/// Draws configurations and events; most rules are absent, so that all of them matter at times.
struct Draw(fastrand::Rng);

impl Draw {
    fn one_in(&mut self, many: u32) -> bool {
        self.0.u32(..many) == 0
    }

    fn limit(&mut self, one_in: u32, most: u32) -> Option<u32> {
        self.one_in(one_in).then(|| self.0.u32(1..=most))
    }

    /// Draws the state of one of many, of which one is in another than the usual.
    fn state(&mut self, many: u8) -> AdminState {
        match self.0.u8(..many) {
            0 => AdminState::Disabled,
            1 => AdminState::ForcedOffline,
            _ => AdminState::Enabled,
        }
    }

    fn nodes(&mut self) -> Vec<Arc<Node>> {
        let node = |(number, name): (u8, &str)| {
            let address = Address::Ip(IpAddr::from([127, 0, 0, number + 1]));
            let (connection_limit, rate_limit) = (self.limit(6, 9), self.limit(8, 4));
            let ratio = self.0.u32(1..4);
            Arc::new(Node { connection_limit, rate_limit, ratio, ..Node::new(Name::from(name), address) })
        };
        (0..).zip(["a", "b", "c", "d", "e", "f", "g"]).map(node).collect()
    }

    fn pool(&mut self, name: &str, nodes: &[Arc<Node>]) -> Arc<model::Pool> {
        let mut members = Vec::new();
        let (present, enabled) = (self.0.u8(..5), if self.one_in(8) { 3 } else { 12 });
        for node in nodes {
            for port in [21050, 21000] {
                if self.0.u8(..4) < present {
                    members.push(Arc::new(Member {
                        connection_limit: self.limit(3, 5),
                        rate_limit: self.limit(6, 3),
                        ratio: self.0.u32(1..4),
                        priority_group: self.0.u32(..3),
                        state: self.state(enabled),
                        ..Member::new(Arc::clone(node), port)
                    }));
                }
            }
        }
        self.0.shuffle(&mut members);
        let method =
            if self.one_in(6) { LoadBalancing::LeastSessions } else { self.0.choice(LoadBalancing::ALL).unwrap() };
        let mut pool = model::Pool::new(Name::from(name), method, members);
        let seconds = Duration::from_secs;
        let monitor = Monitor::new(Name::from("tcp"), MonitorKind::Tcp, seconds(5), seconds(6));
        pool.monitors = MonitorRule { all: vec![Arc::new(monitor)], needed: None };
        pool.ignore_persisted_weight = self.one_in(4);
        pool.min_active_members = self.limit(3, 6).unwrap_or(0);
        pool.min_up_members = self.limit(8, 5).unwrap_or(0);
        pool.slow_ramp_time = seconds(self.0.u64(..3) * 2);
        pool.pacing = Pacing { setup_limit: self.limit(3, 2), time: seconds(3) };
        pool.queue = Queueing { on_connection_limit: self.0.bool(), depth: None, time: None };
        Arc::new(pool)
    }

    fn persistence(&mut self, registry: &Registry) -> Vec<Sticky> {
        let sticky = |draw: &mut Self| {
            let kind = match draw.0.u8(..3) {
                0 => PersistenceKind::Hash,
                _ => PersistenceKind::SourceAddr(Affinity {
                    timeout: Some(Duration::from_secs(2)),
                    match_across_services: draw.0.bool(),
                    match_across_virtuals: false,
                    match_across_pools: false,
                }),
            };
            let records = matches!(kind, PersistenceKind::SourceAddr(_))
                .then(|| registry.records(&Sharing::VirtualServer(Name::from("vs"))));
            let (name, mask) = (Name::from("sticky"), SourceMask::HOST);
            let profile = Persistence { name, kind, mask, override_connection_limit: draw.one_in(3) };
            Sticky { profile: Arc::new(profile), records }
        };
        (0..self.0.usize(..3)).map(|_| sticky(self)).collect()
    }

    /// Something that happens to a member or its node.
    fn happen(&mut self, pool: &Pool, now: Instant) {
        let Some(member) = self.0.choice(&pool.members) else { return };
        let (tcp, why) = (Name::from("tcp"), String::from("why"));
        let contact = if self.0.bool() { Contact::Port } else { Contact::Process };
        let elsewhere = Elsewhere { connections: self.0.u32(..4), persisted: self.0.u32(..2) };
        match self.0.u8(..18) {
            0 => member.live.set_verdict(&tcp, Verdict::Down(why), now),
            1 => member.live.set_verdict(&tcp, Verdict::Disabled(why), now),
            2 => member.live.set_verdict(&tcp, Verdict::Unavailable(why), now),
            3..6 => member.live.set_verdict(&tcp, Verdict::Up, now),
            6 => member.live.forget_verdict(&tcp, now),
            7 => member.live.begin_with([(tcp, Verdict::Up)]),
            8 if self.0.bool() => member.node.set_addresses(Vec::new()),
            8 => drop(member.node.resolved(vec![[127, 0, 0, 9].into()])),
            9 => {
                let began = now.checked_sub(Duration::from_millis(self.0.u64(..3000))).unwrap_or(now);
                member.live.record_failure(&Failure { reason: why, contact, began }, now);
            }
            10 => member.live.record_connected(contact, now),
            11 => member.live.record_answer(contact, now),
            12 => member.live.record_refused(now),
            13 => drop(member.live.set_elsewhere(elsewhere)),
            14 => drop(member.node.set_elsewhere(elsewhere)),
            _ => member.live.set_measurement(Measurement {
                taken: now,
                good_for: Duration::from_secs(self.0.u64(1..6)),
                connections_got: member.node.connections.total(),
                queries_registered: (!self.one_in(5)).then(|| self.0.u64(..20)),
                connections_in_use: self.0.bool().then(|| self.0.u64(..5)),
                service_threads: self.one_in(3).then(|| self.0.u64(1..6)),
                setup_queue: None,
                admission_queued: None,
                memory_fraction: None,
            }),
        }
    }
}

/// A connection that has chosen a member.
struct Open {
    guard: MemberGuard,
    /// Until the member has answered.
    setup: Option<SetupGuard>,
}

#[test]
fn every_choice_is_the_one_that_looking_at_every_member_leads_to() {
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    let mut methods = BTreeSet::new();
    for seed in 0..2000 {
        let mut draw = Draw(fastrand::Rng::with_seed(seed));
        let (registry, mut plain) = (Registry::default(), Plain::default());
        let mut now = Instant::now();
        let mut nodes = draw.nodes();
        let mut pools: Vec<_> =
            ["p", "q"].map(|name| Pool::join(&draw.pool(name, &nodes), &registry, now)).into_iter().collect();
        let (mut before, mut open): (Option<Pool>, Vec<Open>) = (None, Vec::new());
        let persistence = draw.persistence(&registry);
        for step in 0..120 {
            match draw.0.u8(..20) {
                0..4 => now += Duration::from_millis(draw.0.u64(..300)),
                4 if draw.one_in(3) => now += Duration::from_millis(draw.0.u64(..8000)),
                5..8 => {
                    let at = usize::from(draw.0.bool());
                    draw.happen(&pools[at], now);
                }
                8..11 if !open.is_empty() => drop(open.swap_remove(draw.0.usize(..open.len()))),
                11 if !open.is_empty() => {
                    let at = draw.0.usize(..open.len());
                    open[at].setup = None;
                    open[at].guard.member.record_answer(Contact::Process, now);
                }
                12 => {
                    registry.all_records().iter().for_each(|(_, records)| {
                        (0..60).for_each(|_| records.sweep(now));
                        let gone = client(draw.0.u8(..5));
                        records.delete(|record| record.client == gone, now);
                    });
                }
                13 if draw.one_in(4) => {
                    // A reload: other rules, members that come and go. Some still choose by the configuration before.
                    if draw.one_in(3) {
                        nodes = draw.nodes();
                    }
                    let at = usize::from(draw.0.bool());
                    let joined = Pool::join(&draw.pool(["p", "q"][at], &nodes), &registry, now);
                    let is_there = |key: &MemberKey| joined.members.iter().any(|member| member.key == *key);
                    if draw.0.bool() {
                        let name = joined.config.name.clone();
                        let drains = |key: &MemberKey| {
                            open.iter().any(|it| it.guard.pool.name == name && it.guard.member.key() == key)
                        };
                        joined.live.retain_members(is_there, now);
                        plain.forget(&name, |key| !is_there(key) && !drains(key));
                        before = None;
                        pools[at] = joined;
                    } else {
                        before = Some(std::mem::replace(&mut pools[at], joined));
                    }
                }
                _ => {
                    let at = draw.0.usize(..5);
                    let pool = before.as_ref().filter(|_| at == 4).unwrap_or_else(|| &pools[at % 2]);
                    let met: Vec<_> = pool.members.iter().map(|member| member.key.clone()).collect();
                    let tried: Vec<_> = met.iter().filter(|_| draw.one_in(12)).cloned().collect();
                    let avoided = met.iter().find(|_| draw.one_in(40));
                    let came = client(draw.0.u8(..5));
                    let persistence = if draw.one_in(3) { &[] } else { &persistence[..] };
                    let asker = Asker { avoided, tried: &tried, ..Asker::new(came, persistence) };
                    let plan = plain.plan(pool, asker, now);
                    let choice = pool.choose(asker, now);
                    let made = choice.as_ref().map(|it| (it.index, it.persisted)).map_err(|why| *why);
                    let planned = plan.chosen.map(|index| (index, plan.persisted));
                    let method = pool.config.load_balancing_mode.as_str();
                    assert_eq!(made, planned, "seed {seed}, step {step}, {method}: {:#?}", pool.config);
                    plain.made(pool, &plan);
                    let outcome = planned.map_or_else(|why| format!("{why:?}"), |(_, by)| format!("persisted: {by}"));
                    *outcomes.entry(outcome.split([' ', '{', '(']).next().unwrap().to_owned()).or_default() += 1;
                    methods.insert(method);
                    open.extend(choice.ok().map(|Choice { guard, setup, .. }| Open { guard, setup: Some(setup) }));
                }
            }
        }
    }
    let seen: Vec<_> = outcomes.keys().map(String::as_str).collect();
    assert!(
        seen.iter().copied().eq(["Busy", "Disabled", "Down", "Empty", "TooFew", "Tried", "persisted:"]),
        "something was never drawn: {outcomes:?}"
    );
    assert_eq!(methods.len(), LoadBalancing::ALL.len());
}

/// Connections come and go on several threads while members go down and come up; when all is quiet, every row is what
/// looking at its member anew leads to.
#[test]
fn no_change_is_missed_that_comes_on_another_thread() {
    for seed in 0..20 {
        let mut draw = Draw(fastrand::Rng::with_seed(seed));
        let (registry, now) = (Registry::default(), Instant::now());
        let nodes = draw.nodes();
        let pools = ["p", "q"].map(|name| Pool::join(&draw.pool(name, &nodes), &registry, now));
        let begin = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (pools, begin) = (&pools, &begin);
                scope.spawn(move || {
                    let mut draw = Draw(fastrand::Rng::with_seed(seed * 4 + thread));
                    let mut open = Vec::new();
                    begin.wait();
                    for _ in 0..300 {
                        let pool = &pools[usize::from(draw.0.bool())];
                        match draw.0.u8(..6) {
                            0 => draw.happen(pool, now),
                            1..3 if !open.is_empty() => drop(open.swap_remove(draw.0.usize(..open.len()))),
                            _ => open.extend(pool.choose(Asker::new(client(thread as u8), &[]), now)),
                        }
                    }
                });
            }
        });
        for pool in pools {
            let asker = Asker::new(client(9), &[]);
            let views = |all: bool| {
                let mut table = pool.live.standings.lock();
                pool.look(&mut table, asker, now, all, |_, _| ());
                table.rows().iter().map(|row| row.view).collect::<Vec<_>>()
            };
            let known = views(false);
            assert_eq!(known, views(true), "seed {seed}: {:#?}", pool.config);
        }
    }
}
