//! Clients in a queue: those who have sent everything and finished are served in their turn, and those who reset are
//! gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::course::Score;
use super::draw;
use super::exchange::{Outcome, Stage};
use super::member::State;
use super::plan::{Hold, Mode, Plan, Script, Tls};
use super::target::Routes;
use crate::support::lb::Pronk;

/// In each mode, lets clients queue behind one that holds the only place, and then be served. Without pronk, the proxy
/// is another, which does not tell how many wait.
pub async fn run(stage: &Stage, routes: &Routes, pronk: Option<Arc<Pronk>>, seed: u64) -> Score {
    // A client whose TLS passes through says nothing in a queue.
    let modes = routes.modes().filter(|(mode, _)| *mode != Mode::Through);
    let mut rounds = JoinSet::new();
    for (round, mode) in (0..).zip(modes) {
        let plans: Vec<_> = (0..QUEUED).map(|index| draw::queued(seed, round * QUEUED + index, mode)).collect();
        let address = routes.address(&plans[0]);
        rounds.spawn(one_round(stage.clone(), address, pronk.clone(), mode, plans));
    }
    let mut score = Score::default();
    rounds.join_all().await.iter().flatten().for_each(|outcome| score.note(outcome));
    score
}

async fn one_round(
    stage: Stage,
    address: SocketAddr,
    pronk: Option<Arc<Pronk>>,
    mode: (Mode, Option<Tls>),
    plans: Vec<Plan>,
) -> Vec<Outcome> {
    let came_before = pronk.as_deref().map(|pronk| Clients::of(pronk, address).total);
    let coming = plans.len() as u64 + 1;
    let holder = Arc::new(stage.pair(Arc::new(holder(mode))));
    let (on_stage, held) = (stage.clone(), Arc::clone(&holder));
    let holding = tokio::spawn(async move { on_stage.perform(&held, address).await });
    holder.client.has_received(1).await;

    let (mut served, mut given_up) = (JoinSet::new(), Vec::new());
    for plan in plans {
        let pair = stage.pair(Arc::new(plan));
        if pair.plan.client.finish.leaves() {
            // It leaves by itself, and is not waited for longer than that.
            let began = stage.client(&pair, address, &mut None).await;
            given_up.push((pair, began));
        } else {
            let stage = stage.clone();
            served.spawn(async move {
                let mut outcome = stage.perform(&pair, address).await;
                outcome.compare();
                outcome
            });
        }
    }
    match pronk {
        Some(pronk) => {
            let waiting = served.len() as u64;
            let wanted = Clients { total: came_before.unwrap_or(0) + coming, open: waiting + 1, waiting };
            wanted.are_there(&pronk, address).await;
        }
        None => sleep(Duration::from_millis(300)).await,
    }
    holder.client.tell();
    let mut outcomes = vec![holding.await.unwrap()];
    outcomes.extend(served.join_all().await);
    for (pair, began) in given_up {
        let mut outcome = stage.outcome(&pair, began);
        if pair.seat.state() != State::Waiting {
            outcome.differences.push("the member has seen a client that was reset in the queue".to_owned());
        }
        outcomes.push(outcome);
    }
    outcomes
}

/// A client that has the only place until it is told to end.
fn holder((mode, member_tls): (Mode, Option<Tls>)) -> Plan {
    let client_tls = mode.client_tls(member_tls, Tls::V13);
    let client = Script { hold: Hold::UntilTold, ..Script::sending(0) };
    let member = Script { hold: Hold::UntilTheOtherEnds, ..Script::sending(1) };
    Plan { number: 0, mode, client_tls, member_tls, client, member }
}

/// What pronk tells of the clients of a virtual server.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Clients {
    /// How many have come.
    total: u64,
    /// How many of them are not gone.
    open: u64,
    /// How many of those wait in the queue.
    waiting: u64,
}

impl Clients {
    fn of(pronk: &Pronk, address: SocketAddr) -> Self {
        let map = pronk.command(&["show", "map", "--json"]);
        let map: Value = serde_json::from_slice(&map.stdout).unwrap();
        let (map, stats) = (&map["virtual_servers"], &pronk.stats()["virtual_servers"]);
        let row = |rows: &Value, key: &str, wanted: String| {
            let found = rows.as_array().unwrap().iter().find(|row| row[key] == wanted);
            found.unwrap_or_else(|| panic!("no {wanted} in {rows}")).clone()
        };
        let connections = &row(stats, "name", format!("vs{}", address.port()))["connections"];
        let pool = &row(map, "destination", address.to_string())["pool"];
        let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{connections} {pool}"));
        Self {
            total: number(&connections["total"]),
            open: number(&connections["current"]),
            waiting: number(&pool["queued"]),
        }
    }

    /// Waits until all have come, and those who were reset are gone. A proxy that never finds out is judged by what its
    /// members see.
    async fn are_there(&self, pronk: &Pronk, address: SocketAddr) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Self::of(pronk, address) != *self && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// How many clients come while the only place is taken.
const QUEUED: u64 = 8;
