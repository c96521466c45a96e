//! Random exchanges between clients and members, and whether each side sees the end that the other has made.

#[path = "../support/mod.rs"]
mod support;

mod aftermath;
mod course;
mod drain;
mod draw;
mod exchange;
mod killed;
mod material;
mod member;
mod model;
mod pattern;
mod plan;
mod queue;
mod side;
mod sight;
mod target;
mod wire;

use std::env;
use std::path::Path;
use std::sync::Arc;

use aftermath::Aftermath;
use course::Score;
use exchange::{Outcome, Stage};
use plan::Plan;
use target::{Haproxy, Routes, Threads};

/// What kernels and TLS do by themselves: without a proxy the model holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_holds_without_a_proxy() {
    let mut run = Run::new(400);
    run.count = run.count.min(2000);
    let stage = Stage::new().await;
    let mut score = Score::default();
    course::run(&stage, run.plans(true), |plan| stage.members.address(plan.member_tls), |it| run.note(&mut score, &it))
        .await;
    run.tell("without a proxy", &score);
    run.assert_right(&score);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_passed_on_as_it_was() {
    let run = Run::new(500);
    let stage = Stage::new().await;
    let material = Arc::clone(&stage.material);
    let files = |folder: &Path| material.write(folder);
    {
        let routes = Routes::new();
        if let Some(haproxy) = Haproxy::start(&routes, files, &stage.members) {
            let mut score = Score::default();
            course::run(&stage, run.plans(false), |plan| routes.address(plan), |it| run.note(&mut score, &it)).await;
            run.tell(&haproxy.version, &score);
        }
    }
    let mut score = Score::default();
    for threads in Threads::ALL {
        let (stage, routes) = (stage.with_new_clients(), Routes::new());
        let pronk = routes.start_pronk(threads, 1, files, &stage.members);
        let mut aftermath = Aftermath::of(&pronk);
        let mut plans = run.plans(false).filter(|plan| Threads::of(plan.number) == threads).peekable();
        while plans.peek().is_some() {
            let some = plans.by_ref().take(BETWEEN_COUNTS);
            course::run(
                &stage,
                some,
                |plan| routes.address(plan),
                |it| {
                    aftermath.note(&it, routes.address(&it.plan));
                    run.note(&mut score, &it);
                },
            )
            .await;
            score.wrong.extend(aftermath.leftovers(&pronk));
            println!("pronk, {threads:?}: {} wrong so far", score.wrong.len());
        }
        score.wrong.extend(aftermath.log_faults(&pronk));
    }
    run.tell("pronk", &score);
    run.assert_right(&score);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_in_a_queue_are_served_or_gone() {
    let run = Run::new(1);
    let stage = Stage::new().await;
    let routes = || Routes::with_places(1);
    let material = Arc::clone(&stage.material);
    let files = |folder: &Path| material.write(folder);
    {
        let routes = routes();
        if let Some(haproxy) = Haproxy::start(&routes, files, &stage.members) {
            run.tell(&haproxy.version, &queue::run(&stage, &routes, None, run.seed).await);
        }
    }
    let (stage, routes) = (stage.with_new_clients(), routes());
    let pronk = Arc::new(routes.start_pronk(Threads::default(), 1, files, &stage.members));
    let aftermath = Aftermath::of(&pronk);
    let mut score = Score::default();
    for round in run.rounds() {
        score.add(queue::run(&stage, &routes, Some(Arc::clone(&pronk)), run.seed + round).await);
        score.wrong.extend(aftermath.leftovers(&pronk));
    }
    run.tell("pronk", &score);
    run.assert_right(&score);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_of_a_drain_never_makes_a_part_look_whole() {
    let run = Run::new(1);
    let stage = Stage::new().await;
    let mut score = Score::default();
    for round in run.rounds() {
        for threads in Threads::ALL {
            score.add(drain::run(&stage.with_new_clients(), threads, run.seed + round).await);
        }
    }
    run.tell("pronk", &score);
    run.assert_right(&score);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_member_never_looks_as_if_it_had_finished() {
    let run = Run::new(1);
    let stage = Stage::new().await;
    let mut score = Score::default();
    for round in run.rounds() {
        score.add(killed::run(&stage, run.seed + round).await);
    }
    run.tell("pronk", &score);
    run.assert_right(&score);
}

/// After so many exchanges, everything that they held is to be free.
const BETWEEN_COUNTS: usize = 500;

/// Which exchanges are run: `N` of them, drawn by `SEED`, or the one with the number `ONLY`.
struct Run {
    count: u64,
    seed: u64,
    only: Option<u64>,
}

impl Run {
    fn new(count: u64) -> Self {
        Self { count: number("N").unwrap_or(count), seed: number("SEED").unwrap_or(SEED), only: number("ONLY") }
    }

    fn plans(&self, direct: bool) -> impl Iterator<Item = Plan> {
        let (seed, only) = (self.seed, self.only);
        let numbers = only.map_or(0..self.count, |only| only..only + 1);
        numbers.map(move |number| draw::plan(seed, number, direct))
    }

    /// The rounds of what takes several connections each. `ONLY` is none of them; `SEED` replays the first.
    fn rounds(&self) -> std::ops::Range<u64> {
        if self.only.is_some() { 0..0 } else { 0..self.count.div_ceil(1000) }
    }

    /// Notes an exchange. One that is replayed alone is told in full.
    fn note(&self, score: &mut Score, outcome: &Outcome) {
        if self.only.is_some() {
            println!("{}", outcome.report());
        }
        score.note(outcome);
    }

    /// Prints how many exchanges went wrong through what.
    fn tell(&self, through: &str, score: &Score) {
        let wrong = score.wrong.len();
        println!("{through}: {wrong} wrong ends (SEED={})\n{}", self.seed, score.table());
    }

    fn assert_right(&self, score: &Score) {
        for wrong in score.wrong.iter().take(SHOWN) {
            println!("SEED={} {wrong}\n", self.seed);
        }
        assert!(score.wrong.is_empty(), "{} exchanges went wrong (SEED={})", score.wrong.len(), self.seed);
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// The seed of `make test`.
const SEED: u64 = 12;

/// How many exchanges that went wrong are told in full.
const SHOWN: usize = 100;
