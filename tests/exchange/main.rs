//! Random exchanges between clients and members, and whether each side sees the end that the other has made.

#[path = "../support/mod.rs"]
mod support;

mod course;
mod draw;
mod exchange;
mod material;
mod member;
mod model;
mod pattern;
mod plan;
mod side;
mod sight;
mod target;
mod wire;

use std::env;
use std::path::Path;
use std::sync::Arc;

use course::Score;
use exchange::Stage;
use plan::Plan;
use target::{Haproxy, Routes};

/// What kernels and TLS do by themselves: without a proxy the model holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_holds_without_a_proxy() {
    let run = Run::new(400);
    let stage = Stage::new().await;
    let mut score = Score::default();
    course::run(&stage, run.plans(true), |plan| stage.members.address(plan.member_tls), |it| score.note(&it)).await;
    println!("{}", score.table());
    run.assert_right(&score);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "until resets are passed on as resets in every order of events"]
async fn every_end_is_passed_on_as_it_was() {
    let run = Run::new(500);
    let stage = Stage::new().await;
    let material = Arc::clone(&stage.material);
    let files = |folder: &Path| material.write(folder);
    {
        let routes = Routes::new();
        if let Some(_haproxy) = Haproxy::start(&routes, files, &stage.members) {
            let mut score = Score::default();
            course::run(&stage, run.plans(false), |plan| routes.address(plan), |it| score.note(&it)).await;
            println!("haproxy: {} wrong\n{}", score.wrong.len(), score.table());
        }
    }
    let (stage, routes) = (stage.with_new_clients(), Routes::new());
    let _pronk = routes.start_pronk(1, files, &stage.members);
    let mut score = Score::default();
    course::run(&stage, run.plans(false), |plan| routes.address(plan), |it| score.note(&it)).await;
    println!("pronk: {} wrong\n{}", score.wrong.len(), score.table());
    run.assert_right(&score);
}

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

    fn assert_right(&self, score: &Score) {
        for wrong in score.wrong.iter().take(20) {
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
