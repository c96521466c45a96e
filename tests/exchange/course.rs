//! Many exchanges at a time, and the count of those that went wrong.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::exchange::{Outcome, Stage};
use super::plan::{Plan, Side};

/// Runs the exchanges, several at a time, and hands each to `note` when it is over.
pub async fn run(
    stage: &Stage,
    plans: impl Iterator<Item = Plan>,
    address: impl Fn(&Plan) -> SocketAddr,
    mut note: impl FnMut(Outcome),
) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let mut under_way = JoinSet::new();
    for plan in plans {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        while let Some(outcome) = under_way.try_join_next() {
            note(outcome.unwrap());
        }
        let (stage, address) = (stage.clone(), address(&plan));
        under_way.spawn(async move {
            let outcome = stage.run(Arc::new(plan), address).await;
            drop(place);
            outcome
        });
    }
    while let Some(outcome) = under_way.join_next().await {
        note(outcome.unwrap());
    }
}

/// How many exchanges went wrong, by the ends of both sides.
#[derive(Debug, Default)]
pub struct Score {
    all: BTreeMap<String, [u64; 2]>,
    /// How long the longest took, and its number.
    longest: (Duration, u64),
    pub wrong: Vec<String>,
}

impl Score {
    pub fn note(&mut self, outcome: &Outcome) {
        let [client, member] = Side::BOTH.map(|side| outcome.plan.script(side).finish.as_str());
        let is_wrong = !outcome.differences.is_empty();
        for what in [format!("mode {}", outcome.plan.mode.as_str()), format!("{client} / {member}")] {
            let [all, wrong] = self.all.entry(what).or_default();
            *all += 1;
            *wrong += u64::from(is_wrong);
        }
        self.longest = self.longest.max((outcome.took, outcome.plan.number));
        if is_wrong {
            self.wrong.push(outcome.report());
        }
    }

    /// Adds what else went right and wrong.
    pub fn add(&mut self, other: Self) {
        for (what, [all, wrong]) in other.all {
            let own = self.all.entry(what).or_default();
            *own = [own[0] + all, own[1] + wrong];
        }
        self.longest = self.longest.max(other.longest);
        self.wrong.extend(other.wrong);
    }

    /// A table of what went wrong: in each mode, then by the ends of client and member.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (what, [all, wrong]) in &self.all {
            writeln!(text, "  {wrong:>5} wrong of {all:>5}  {what}").unwrap();
        }
        writeln!(text, "  the longest took {:.1?} (exchange {})", self.longest.0, self.longest.1).unwrap();
        text
    }
}

/// How many exchanges go on at once.
const AT_A_TIME: usize = 24;
