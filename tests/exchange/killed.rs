//! A member that is killed: its process is gone, and its kernel ends all of its connections at once.

use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::aftermath::Aftermath;
use super::course::Score;
use super::drain::has_begun;
use super::exchange::{Stage, within_limit};
use super::member::Members;
use super::plan::{Finish, Hold, Plan, Script, Tls};
use super::target::{Routes, Threads};

/// In each mode, kills the member of a connection that is idle, of one in the middle of an answer, of one in the middle
/// of a request, and of one whose client does not look, as those in the pool of an application do.
pub async fn run(stage: &Stage, seed: u64) -> Score {
    // What runs there is gone at once, and its sockets are closed as they are, which is what a kernel does.
    let process = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let material = Arc::clone(&stage.material);
    let members = process.spawn(async move { Members::start(&material).await }).await.unwrap();
    let stage = stage.with_members(members);
    let routes = Routes::new();
    let pronk = routes.start_pronk(Threads::default(), 1, |folder| stage.material.write(folder), &stage.members);
    let mut aftermath = Aftermath::of(&pronk);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut under_way, mut pairs) = (JoinSet::new(), Vec::new());
    for (mode, member_tls) in routes.modes() {
        let waits = |bytes| Script { hold: Hold::UntilTheOtherEnds, ..Script::sending(bytes) };
        let endless = Script::without_end;
        let does_not_look = Script { hold: Hold::UntilTold, ..Script::sending(10) };
        let kinds = [
            (waits(random.u64(1..100_000)), waits(100)),
            (waits(1), endless()),
            (endless(), waits(1)),
            (does_not_look, waits(100)),
        ];
        for (client, member) in kinds {
            let member = member.ending_with(Finish::Kill);
            let client_tls = mode.client_tls(member_tls, random.choice(Tls::BOTH).unwrap());
            let number = under_way.len() as u64;
            let pair = Arc::new(stage.pair(Arc::new(Plan { number, mode, client_tls, member_tls, client, member })));
            let address = routes.address(&pair.plan);
            let (stage, played) = (stage.clone(), Arc::clone(&pair));
            under_way.spawn(async move {
                let mut client_address = None;
                let ended = within_limit(&played, stage.client(&played, address, &mut client_address)).await;
                let mut outcome = stage.outcome(&played, ended);
                outcome.client_address = client_address;
                // What it sent last may not have left it.
                let member = outcome.member.as_mut();
                member.into_iter().for_each(|it| (it.left, it.undelivered) = (true, true));
                outcome.compare();
                outcome
            });
            has_begun(&pair).await;
            pairs.push(pair);
        }
    }
    process.shutdown_background();
    let mut score = Score::default();
    score.wrong.extend(aftermath.taken_places(&pronk));
    pairs.iter().for_each(|pair| pair.client.tell());
    for outcome in under_way.join_all().await {
        aftermath.note(&outcome, routes.address(&outcome.plan));
        score.note(&outcome);
    }
    score.wrong.extend(aftermath.leftovers(&pronk));
    score.wrong.extend(aftermath.log_faults(&pronk));
    score
}
