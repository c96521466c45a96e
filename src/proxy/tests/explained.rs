//! An explanation foretells what becomes of the connection that comes at the same moment, whatever the rules and the
//! state.

use std::collections::VecDeque;
use std::time::Instant;

use super::*;
use crate::model::{ClientLimits, Pacing, Queueing};
use crate::pool::{Arrival, Asker, Choice, Contact, Failure, Measurement, QueuePosition, Verdict};
use crate::proxy::admission_rules::{self, ConnectionGuard, CountedLimits};
use crate::proxy::choose;
use crate::proxy::close_reasons::CloseReason;
use crate::proxy::virtual_server::LiveVirtualServer;

/// What becomes of a connection.
#[derive(Debug, PartialEq)]
enum Fate {
    Served(String),
    Waits,
    Refused(CloseReason),
}

/// What a connection holds, for as long as it is there.
struct Held {
    _place: ConnectionGuard,
    _choice: Option<Choice>,
    _waiting: Option<QueuePosition>,
}

/// Lets a connection come as the data path does.
fn come(live: &Arc<LiveVirtualServer>, client: IpAddr, now: Instant) -> (Fate, Option<Held>) {
    let snapshot = live.snapshot.load_full();
    let pool = &snapshot.pool;
    let entering = CountedLimits { virtual_server: live, now };
    let place = match admission_rules::decide(&snapshot, client, now, &entering, |_| ()) {
        Ok(place) => place,
        Err(refusal) => return (Fate::Refused(refusal.by.close(&pool.config.name).reason), None),
    };
    let asker = Asker::new(client, &snapshot.persistence);
    let held = |choice, waiting| Some(Held { _place: place, _choice: choice, _waiting: waiting });
    match pool.arrive(asker, now) {
        Arrival::Served(choice) => (Fate::Served(pool.members[choice.index].key.to_string()), held(Some(choice), None)),
        Arrival::Queued(waiting) => (Fate::Waits, held(None, Some(waiting))),
        Arrival::QueueFull => (Fate::Refused(choose::queue_full(pool).reason), None),
        Arrival::Refused(none) => (Fate::Refused(choose::no_member(none, pool).reason), None),
    }
}

fn explained(live: &LiveVirtualServer, client: IpAddr, now: Instant) -> (Fate, String) {
    let explanation = live.explain(client, now);
    let fate = match (explanation.member, explanation.refused) {
        (Some(member), None) => Fate::Served(member),
        (None, Some(reason)) => Fate::Refused(reason),
        (None, None) => Fate::Waits,
        (Some(member), Some(reason)) => panic!("served by {member} and refused for {reason}"),
    };
    (fate, explanation.steps.join("\n"))
}

/// Draws rules and states; most are absent, so that all of them matter at times.
struct Draw(fastrand::Rng);

impl Draw {
    fn one_in(&mut self, many: u32) -> bool {
        self.0.u32(..many) == 0
    }

    fn limit(&mut self, one_in: u32, most: u32) -> Option<u32> {
        self.one_in(one_in).then(|| self.0.u32(1..=most))
    }

    fn state(&mut self) -> AdminState {
        match self.0.u8(..10) {
            0 => AdminState::Disabled,
            1 => AdminState::ForcedOffline,
            _ => AdminState::Enabled,
        }
    }

    fn pool(&mut self) -> model::Pool {
        let nodes: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .map(|called| {
                let node = Node::clone(&member(called, 0).node);
                let (connection_limit, rate_limit) = (self.limit(6, 3), self.limit(8, 2));
                let state = if self.one_in(10) { self.state() } else { AdminState::Enabled };
                Arc::new(Node { connection_limit, rate_limit, state, ratio: self.0.u32(1..4), ..node })
            })
            .collect();
        let all: Vec<_> = nodes.iter().flat_map(|node| [(node, 21050), (node, 21000)]).collect();
        let count = if self.one_in(20) { 0 } else { self.0.usize(1..5) };
        let members = all.into_iter().take(count).map(|(node, port)| Member {
            connection_limit: self.limit(2, 3),
            rate_limit: self.limit(6, 2),
            ratio: self.0.u32(1..4),
            priority_group: self.0.u32(..3),
            state: self.state(),
            ..Member::new(Arc::clone(node), port)
        });
        let mut config = pool("p", members.collect::<Vec<_>>());
        config.load_balancing_mode = self.0.choice(LoadBalancing::ALL).unwrap();
        config.ignore_persisted_weight = self.one_in(4);
        config.min_active_members = self.limit(3, 2).unwrap_or(0);
        config.min_up_members = self.limit(8, 2).unwrap_or(0);
        config.slow_ramp_time = Duration::from_secs(self.0.u64(..3));
        config.pacing = Pacing { setup_limit: self.limit(4, 2), time: Duration::from_secs(5) };
        config.queue = Queueing { on_connection_limit: self.0.bool(), depth: self.limit(2, 2), time: None };
        let monitor = model::Monitor::new(name("tcp"), model::MonitorKind::Tcp, config.pacing.time, config.pacing.time);
        config.monitors.all = vec![Arc::new(monitor)];
        config
    }

    fn persistence(&mut self) -> Option<Arc<Persistence>> {
        let kind = match self.0.u8(..4) {
            0 => PersistenceKind::Hash,
            1 | 2 => SOURCE_ADDR,
            _ => return None,
        };
        Some(persistence(kind, self.one_in(3)))
    }

    fn virtual_server(&mut self, pool: &Arc<model::Pool>) -> VirtualServer {
        let networks = ["10.0.0.0/31", "10.0.0.0/8", "192.168.0.0/16"].map(|network| network.parse().unwrap());
        VirtualServer {
            persistence: self.persistence(),
            fallback_persistence: self.persistence(),
            connection_limit: self.limit(4, 6),
            rate_limit: self.limit(4, 3),
            client_limits: ClientLimits {
                connections: self.limit(4, 3),
                rate: self.limit(4, 2),
                mask: SourceMask { v4: self.0.u8(30..=32), v6: 64 },
            },
            source: if self.one_in(4) { vec![self.0.choice(networks).unwrap()] } else { Vec::new() },
            state: self.state(),
            service_down_immediate_action: match self.0.u8(..3) {
                0 => ImmediateAction::Reset,
                _ => ImmediateAction::None,
            },
            ..virtual_server("vs", pool)
        }
    }

    /// Something that happens to a member.
    fn happen(&mut self, pool: &Pool, now: Instant) {
        let Some(member) = self.0.choice(&pool.members) else { return };
        let why = String::from("why");
        match self.0.u8(..10) {
            0 => member.live.set_verdict(&name("tcp"), Verdict::Down(why), now),
            1 => member.live.set_verdict(&name("tcp"), Verdict::Disabled(why), now),
            2 => member.live.set_verdict(&name("tcp"), Verdict::Unavailable(why), now),
            3..=5 => member.live.set_verdict(&name("tcp"), Verdict::Up, now),
            6 => {
                let addresses = if self.one_in(2) { Vec::new() } else { vec![[127, 0, 0, 1].into()] };
                member.node.set_addresses(addresses);
            }
            7 => {
                let contact = if self.one_in(2) { Contact::Port } else { Contact::Process };
                let failure = Failure { reason: why, contact, began: now };
                member.live.record_failure(&failure, now);
            }
            8 => member.live.record_answer(if self.one_in(2) { Contact::Port } else { Contact::Process }, now),
            _ => member.live.set_measurement(Measurement {
                taken: now,
                good_for: Duration::from_secs(3),
                connections_got: member.node.connections.total(),
                queries_registered: Some(self.0.u64(..20)),
                connections_in_use: Some(self.0.u64(..5)),
                service_threads: self.one_in(2).then(|| self.0.u64(1..6)),
                setup_queue: None,
                admission_queued: None,
                memory_fraction: None,
            }),
        }
    }
}

#[test]
fn explanations_foretell_what_becomes_of_a_connection() {
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..1500 {
        let mut draw = Draw(fastrand::Rng::with_seed(seed));
        let registry = Registry::default();
        let mut now = Instant::now();
        let mut held = VecDeque::new();
        let config = Arc::new(draw.pool());
        let joined = Arc::new(Pool::join(&config, &registry, now));
        let live = Arc::new(LiveVirtualServer::new(snapshot(draw.virtual_server(&config), &joined, &registry)));
        for step in 0..30 {
            now += Duration::from_millis(draw.0.u64(..400));
            if draw.one_in(3) {
                draw.happen(&joined, now);
            }
            if draw.one_in(3) {
                held.pop_front();
            }
            // What an administrator changes keeps the counts.
            if draw.one_in(10) {
                live.apply(snapshot(draw.virtual_server(&config), &joined, &registry));
            }
            let client = IpAddr::from([10, 0, 0, draw.0.u8(..4)]);
            let (foretold, steps) = explained(&live, client, now);
            let counted = live.connections.current();
            let (fate, holds) = come(&live, client, now);
            let context =
                || format!("seed {seed}, step {step}: {steps}\n{:#?}\n{config:#?}", live.snapshot.load().config);
            assert_eq!(foretold, fate, "{}", context());
            let holder = u32::from(holds.is_some());
            assert_eq!(live.connections.current(), counted + holder, "a place is lost: {}", context());
            held.extend(holds);
            let kind = match fate {
                Fate::Served(_) => "served",
                Fate::Waits => "waits",
                Fate::Refused(reason) => reason.code(),
            };
            *seen.entry(kind).or_insert(0) += 1;
        }
    }
    let all = [
        "client-connection-limit",
        "client-rate-limit",
        "connection-limit",
        "no-member-below-limit",
        "no-member-below-rate",
        "no-member-enabled",
        "no-member-up",
        "no-members",
        "queue-full",
        "rate-limit",
        "served",
        "service-down-immediate",
        "source-refused",
        "too-few-members-up",
        "virtual-server-disabled",
        "waits",
    ];
    assert!(seen.keys().copied().eq(all), "something was never drawn: {seen:?}");
}

/// A change to the rules of a virtual server.
type Change = fn(&mut VirtualServer);

/// Rules that count come last: whom another rule refuses uses up nothing.
#[test]
fn refused_connections_use_up_no_place_and_no_rate() {
    let (registry, now) = (Registry::default(), Instant::now());
    let config = Arc::new(pool("p", [member("a", 21050)]));
    let joined = Arc::new(Pool::join(&config, &registry, now));
    let with = |change: Change| {
        let client_limits = ClientLimits { connections: Some(2), rate: Some(1), mask: SourceMask::HOST };
        let mut config = VirtualServer { rate_limit: Some(1), client_limits, ..virtual_server("vs", &config) };
        change(&mut config);
        snapshot(config, &joined, &registry)
    };
    let live = Arc::new(LiveVirtualServer::new(with(|_| {})));
    let refusals: [(Change, CloseReason); 6] = [
        (|config| config.source = vec!["192.168.0.0/16".parse().unwrap()], CloseReason::SourceRefused),
        (|config| config.state = AdminState::Disabled, CloseReason::VirtualServerDisabled),
        (|config| config.service_down_immediate_action = ImmediateAction::Reset, CloseReason::ServiceDownImmediate),
        (|config| config.connection_limit = Some(0), CloseReason::ConnectionLimit),
        (|config| config.rate_limit = Some(0), CloseReason::RateLimit),
        (|config| config.client_limits.connections = Some(0), CloseReason::ClientConnectionLimit),
    ];
    let client = IpAddr::from([10, 0, 0, 1]);
    joined.members[0].live.set_monitors([name("tcp")], None);
    joined.members[0].live.set_verdict(&name("tcp"), Verdict::Down("refused".into()), now);
    for (change, reason) in refusals {
        live.apply(with(change));
        assert_eq!(come(&live, client, now).0, Fate::Refused(reason));
        assert_eq!(live.connections.current(), 0, "{reason}");
        assert_eq!(live.clients.open(client, SourceMask::HOST), 0, "{reason}");
    }
    joined.members[0].live.set_verdict(&name("tcp"), Verdict::Up, now);
    live.apply(with(|_| {}));
    let (first, _held) = come(&live, client, now);
    assert_eq!(first, Fate::Served("a:21050".into()), "the rate is whole");
    assert_eq!(come(&live, client, now).0, Fate::Refused(CloseReason::ClientRateLimit), "it comes first");
    let other = IpAddr::from([10, 0, 0, 2]);
    assert_eq!(come(&live, other, now).0, Fate::Refused(CloseReason::RateLimit));
    assert_eq!(live.connections.current(), 1, "the place was given back");
}
