//! Draining a member, a node or a virtual server (`pronk drain`), and stopping pronk (`pronk stop`).

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answers::AskedProcess;
use super::connections::Left;
use super::other_processes::Reply;
use crate::cert::date;
use crate::control::{Drain, DrainPlan, Drained, Handle, Request, Target, TargetKind};
use crate::model::SetBy;
use crate::proxy::Selection;

/// What to drain, and what becomes of its connections.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DrainQuery {
    pub kind: String,
    pub name: String,
    /// Seconds after which the remaining connections are ended.
    deadline: Option<u64>,
    /// Seconds without bytes after which a connection is ended.
    idle_for: Option<u64>,
    #[serde(default)]
    pub until_restart: bool,
}

/// What is drained.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DrainedQuery {
    pub kind: String,
    /// Of a member `pool/node:port`, or `node:port` for that of each pool.
    pub name: String,
    /// The name by which processes that drain after an upgrade are asked, where it is another one: a pool may have
    /// another name there.
    pub asked: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StopQuery {
    /// Seconds for which connections may go on.
    pub drain_timeout: Option<u64>,
}

/// How far a drain is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DrainProgress {
    /// The process that answers; another one after an upgrade.
    pub pid: u32,
    /// node, member or virtual-server.
    pub kind: String,
    /// Of a member `pool/node:port`.
    pub name: String,
    /// enabled, disabled or forced-offline.
    pub state: String,
    /// What pronk does with what is left; null when it looks after it no more.
    pub pending: Option<PendingDrain>,
    /// In all processes.
    pub left: Left,
    /// Why the state is not kept for the next start, if it should be.
    pub not_kept: Option<String>,
    /// Processes that drain after an upgrade, each with what it has left.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
}

/// A drain that is not over.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PendingDrain {
    pub who: String,
    /// As in `2027-02-03T04:05:06Z`.
    pub since: String,
    pub why: Option<String>,
    /// Seconds until the remaining connections are ended; null without a deadline.
    pub deadline_in: Option<f64>,
    /// Seconds without bytes after which a connection is ended; null if idle connections are not.
    pub idle_for: Option<u64>,
    /// How many connections were ended so far.
    pub ended: usize,
}

/// One of the drains that are not over, with what is left.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedDrain {
    /// node, member or virtual-server.
    pub kind: String,
    /// Of a member `pool/node:port`.
    pub name: String,
    #[serde(flatten)]
    pub pending: PendingDrain,
    pub left: Left,
}

/// How far the end of the process is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct StopProgress {
    pub pid: u32,
    /// starting, serving, draining or stopped.
    pub phase: String,
    /// In this process.
    pub left: Left,
    /// Processes that drain after an upgrade and were told to stop too, each with what it has left.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
}

impl DrainQuery {
    /// Returns the request to drain, by whoever asks.
    ///
    /// # Errors
    /// A time is too short or too long.
    pub(super) fn request(self, kind: TargetKind, by: SetBy) -> Result<Request, String> {
        let Self { name, deadline, idle_for, .. } = self;
        if idle_for.is_some_and(|seconds| !(1..=LONGEST).contains(&seconds)) {
            return Err(format!("idle_for is from 1 to {LONGEST} seconds"));
        }
        if deadline.is_some_and(|seconds| seconds > LONGEST) {
            return Err(format!("a deadline is at most {LONGEST} seconds"));
        }
        let [deadline, idle_for] = [deadline, idle_for].map(|seconds| seconds.map(Duration::from_secs));
        Ok(Request::Drain { kind, name, plan: DrainPlan { deadline, idle_for }, by })
    }
}

impl DrainProgress {
    /// Returns how far the drain of these is in this process, as that of the first; none of none.
    pub(super) fn of(handle: &Handle, targets: Vec<Target>, not_kept: Option<String>) -> Option<Self> {
        let progress = |target: Target| {
            let Drained { target, pending, state, remaining } = handle.drained(target);
            Self {
                pid: std::process::id(),
                kind: target.kind().as_str().to_owned(),
                name: target.name(),
                state: state.as_str().to_owned(),
                pending: pending.as_ref().map(PendingDrain::of),
                left: remaining.into(),
                not_kept: None,
                processes: Vec::new(),
            }
        };
        let all = targets.into_iter().map(progress).reduce(|mut first, other| {
            first.add(other);
            first
        });
        all.map(|all| Self { not_kept, ..all })
    }

    /// Adds what is left of another drain.
    fn add(&mut self, other: Self) {
        self.left.add(&other.left);
        self.pending = match (self.pending.take(), other.pending) {
            (Some(own), Some(other)) => Some(own.with(&other)),
            (own, other) => own.or(other),
        };
    }

    /// Returns the same drain as this process sees it, which knows nothing of what is drained.
    pub(super) fn in_another_process(&self) -> Self {
        let (kind, name, state) = (self.kind.clone(), self.name.clone(), self.state.clone());
        let (pending, left) = (None, Left::default());
        Self { pid: std::process::id(), kind, name, state, pending, left, not_kept: None, processes: Vec::new() }
    }

    /// Adds what other processes have left.
    pub(super) fn with(mut self, replies: Vec<Reply<Self>>) -> Self {
        self.processes = replies.iter().map(|reply| reply.told(|of| Some(of.left.connections))).collect();
        replies.into_iter().filter_map(|reply| reply.answer.ok()).for_each(|other| self.add(other));
        self
    }
}

impl PendingDrain {
    fn of(drain: &Drain) -> Self {
        let Drain { by, deadline, idle_for, ended } = drain;
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        Self {
            who: by.who.clone(),
            since: date::instant(by.when),
            why: by.why.clone(),
            deadline_in: deadline.map(|deadline| (left(deadline) * 10.0).round() / 10.0),
            idle_for: idle_for.map(|time| time.as_secs()),
            ended: *ended,
        }
    }

    /// Returns the same with what the drain has ended in another process.
    fn with(self, other: &Self) -> Self {
        Self { ended: self.ended.saturating_add(other.ended), ..self }
    }
}

impl ListedDrain {
    /// Returns the drains that are not over.
    pub(super) fn all(handle: &Handle) -> Vec<Self> {
        let row = |(target, drain): (Target, Drain)| {
            let (kind, name) = (target.kind().as_str().to_owned(), target.name());
            Self { kind, name, pending: PendingDrain::of(&drain), left: handle.drained(target).remaining.into() }
        };
        handle.drains().into_iter().map(row).collect()
    }

    /// Adds the drains of another process: of the same things, or of others.
    pub(super) fn add(all: &mut Vec<Self>, others: Vec<Self>) {
        for other in others {
            match all.iter_mut().find(|own| own.kind == other.kind && own.name == other.name) {
                Some(own) => {
                    own.left.add(&other.left);
                    own.pending = own.pending.clone().with(&other.pending);
                }
                None => all.push(other),
            }
        }
    }
}

impl StopProgress {
    pub(super) fn of(handle: &Handle) -> Self {
        let left = handle.open_connections().remaining(&Selection::default());
        let (pid, phase) = (std::process::id(), handle.phase().as_str().to_owned());
        Self { pid, phase, left: left.into(), processes: Vec::new() }
    }

    /// Adds what other processes said that were told to stop.
    pub(super) fn with(self, replies: &[Reply<Self>]) -> Self {
        let processes = replies.iter().map(|reply| reply.told(|of| Some(of.left.connections))).collect();
        Self { processes, ..self }
    }
}

/// In seconds: a year.
const LONGEST: u64 = 365 * 24 * 3600;
