//! Connections whose time ends with the drain: what was cut never looks whole.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;

use super::aftermath::Aftermath;
use super::course::Score;
use super::exchange::{Outcome, Pair, Stage};
use super::member::State;
use super::model;
use super::plan::{Begin, Hold, Plan, ReadFrom, Script, Side, Tls};
use super::target::{Routes, Threads};

/// In each mode, has the end of a drain meet an answer that pauses, one in the middle of an answer, one in the middle of a
/// request, and one whose client has not read its answer yet.
pub async fn run(stage: &Stage, threads: Threads, seed: u64) -> Score {
    let routes = Routes::new();
    let material = Arc::clone(&stage.material);
    let mut pronk = routes.start_pronk(threads, DRAIN_TIMEOUT, |folder| material.write(folder), &stage.members);
    let mut aftermath = Aftermath::of(&pronk);
    let mut random = Rng::with_seed(seed);
    let mut under_way = JoinSet::new();
    for (mode, member_tls) in routes.modes() {
        for (client, member) in scripts(&mut random) {
            let client_tls = mode.client_tls(member_tls, random.choice(Tls::BOTH).unwrap());
            let number = under_way.len() as u64;
            let pair = Arc::new(stage.pair(Arc::new(Plan { number, mode, client_tls, member_tls, client, member })));
            let address = routes.address(&pair.plan);
            let (stage, performed) = (stage.clone(), Arc::clone(&pair));
            under_way.spawn(async move { stage.perform(&performed, address).await });
            has_begun(&pair).await;
        }
    }
    pronk.signal("TERM");
    let mut score = Score::default();
    for mut outcome in under_way.join_all().await {
        if outcome.is_right() {
            outcome.differences = differences(&outcome);
        }
        aftermath.note(&outcome, routes.address(&outcome.plan));
        score.note(&outcome);
    }
    score.wrong.extend(aftermath.log_faults(&pronk));
    let ended = tokio::task::spawn_blocking(move || pronk.ended()).await.unwrap();
    if !ended.success() {
        score.wrong.push(format!("pronk ended with {ended}"));
    }
    score
}

/// The client's and the member's script of each kind of connection.
fn scripts(random: &mut Rng) -> [(Script, Script); 4] {
    let waits = |bytes| Script { hold: Hold::UntilTheOtherEnds, ..Script::sending(bytes) };
    let request = random.u64(1..100_000);
    // As an answer that pauses: nobody knows whether more is to come.
    let answer = Script { begin: Begin::AfterReceiving(request), ..waits(random.u64(1..100_000)) };
    let pausing = (waits(request), answer);
    let in_an_answer = (waits(random.u64(1..100_000)), Script::without_end());
    let in_a_request = (Script::without_end(), waits(1));
    let reads_late = Script { read_from: ReadFrom::After(AFTER_THE_DRAIN), small_buffers: true, ..waits(1) };
    let not_read_yet = (reads_late, Script::sending(random.u64(1 << 20..24 << 20)));
    [pausing, in_an_answer, in_a_request, not_read_yet]
}

/// Waits until both sides have all that they can have, or some of what has no end.
pub async fn has_begun(pair: &Pair) {
    pair.seat.reaches(State::Playing).await;
    for side in [&pair.client, &pair.seat.performance] {
        if side.script().read_from == ReadFrom::AtOnce {
            side.has_received(side.others_script().bytes.count().unwrap_or(1)).await;
        }
    }
}

fn differences(outcome: &Outcome) -> Vec<String> {
    let Some(member) = &outcome.member else { return vec!["the member should have seen the client".to_owned()] };
    let of = |side: Side, saw| {
        let wrong = model::differences_at_drain(saw).into_iter();
        wrong.map(move |wrong| format!("the {} {wrong}", side.as_str()))
    };
    of(Side::Client, &outcome.client).chain(of(Side::Member, member)).collect()
}

/// In seconds. pronk spreads the ends over as much again.
const DRAIN_TIMEOUT: u32 = 1;

/// When a client begins to read that reads nothing before the end of the drain.
const AFTER_THE_DRAIN: Duration = Duration::from_secs(5);
