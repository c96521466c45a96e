//! Files that are to be taken into force, one at a time, as each is based on what runs.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::prepare::{self, PrepareInput, Prepared};
use crate::config::Diagnostics;
use crate::control::command::{CommandError, Reply};
use crate::control::phase::Phase;
use crate::control::serving::ReloadReport;
use crate::control::supervisor::reason;

/// A file to be read, for all who asked before its reading began.
#[derive(Debug)]
pub(in crate::control) struct Reload {
    pub dry_run: bool,
    /// Whether it is the first.
    pub starts: bool,
    pub replies: Vec<Reply<ReloadReport>>,
}

/// What came of making a file ready.
pub(in crate::control) type PrepareResult = Result<(ReloadReport, Option<Box<Prepared>>), Diagnostics>;

/// The file that is being made ready, and those that wait.
#[derive(Debug, Default)]
pub(in crate::control) struct ReloadQueue {
    current: Option<Current>,
    waiting: VecDeque<Reload>,
}

#[derive(Debug)]
struct Current {
    load: Reload,
    task: AbortOnDropHandle<PrepareResult>,
    since: Instant,
    /// When the log says next that it takes long.
    warns: Instant,
}

impl Reload {
    /// What it is, in words that fit "… is refused".
    fn as_str(&self) -> &'static str {
        match self {
            Self { starts: true, .. } => "a start",
            Self { dry_run: true, .. } => "a dry run",
            Self { .. } => "a reload",
        }
    }

    /// Answers all who asked. Some may have gone; what was done holds all the same.
    pub fn answer(self, answer: &Result<ReloadReport, CommandError>) {
        for reply in self.replies {
            let _ = reply.send(answer.clone());
        }
    }

    fn refuse(self, phase: Phase) {
        let what = self.as_str();
        self.answer(&Err(CommandError::WrongPhase { what, phase }));
    }
}

impl ReloadQueue {
    /// Adds one. It shares the reading of one of its kind that has not begun.
    pub fn add(&mut self, load: Reload) {
        let alike = |other: &&mut Reload| (other.dry_run, other.starts) == (load.dry_run, load.starts);
        match self.waiting.iter_mut().find(alike) {
            Some(waiting) => waiting.replies.extend(load.replies),
            None => self.waiting.push_back(load),
        }
    }

    /// Takes out the next that may begin. One that hangs makes way for another after a while.
    pub fn next(&mut self, now: Instant) -> Option<Reload> {
        // A dry run for nobody is of no use.
        self.waiting.retain(|load| !load.dry_run || load.replies.iter().any(|reply| !reply.is_closed()));
        if self.waiting.is_empty() {
            return None;
        }
        if let Some(hanging) = self.current.take_if(|current| now - current.since >= HANGS) {
            let why = "it took longer than a minute, as with a file that does not answer, and another was asked for";
            tracing::error!("{} is given up: {why}", hanging.load.as_str());
            hanging.load.answer(&Err(CommandError::TimedOut(why)));
        }
        if self.current.is_some() { None } else { self.waiting.pop_front() }
    }

    /// Begins to make one ready.
    pub fn begin(&mut self, load: Reload, basis: PrepareInput, now: Instant) {
        let task = AbortOnDropHandle::new(tokio::spawn(prepare::prepare(basis)));
        self.current = Some(Current { load, task, since: now, warns: now + WARN });
    }

    /// Since when one is being made ready.
    pub fn since(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.since)
    }

    /// Waits until the current one is ready or has failed, and takes it out.
    pub async fn ended(&mut self) -> (Reload, PrepareResult) {
        let made = match &mut self.current {
            Some(current) => (&mut current.task).await,
            None => pending().await,
        };
        match self.current.take() {
            Some(current) => (current.load, made.unwrap_or_else(|ended| Err(prepare::fault(&reason(ended))))),
            None => pending().await,
        }
    }

    /// Refuses all, as the process has come into `phase`.
    pub fn refuse_all(&mut self, phase: Phase) {
        let current = self.current.take().map(|current| current.load);
        current.into_iter().chain(self.waiting.drain(..)).for_each(|load| load.refuse(phase));
    }

    /// Logs that one takes long, ever less often.
    pub fn warn(&mut self, now: Instant) {
        let Some(current) = self.current.as_mut().filter(|current| current.warns <= now) else { return };
        let seconds = (now - current.since).as_secs();
        current.warns = now + (now - current.since);
        tracing::warn!(
            seconds,
            "{} takes long: a file may be on a disk that does not answer, or a key's passphrase slow to check",
            current.load.as_str()
        );
    }
}

/// A load that takes longer makes way for another.
const HANGS: Duration = Duration::from_secs(60);
/// A load that takes longer is worth a line in the log.
const WARN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn load(dry_run: bool) -> (Reload, oneshot::Receiver<Result<ReloadReport, CommandError>>) {
        let (reply, answer) = oneshot::channel();
        (Reload { dry_run, starts: false, replies: vec![reply] }, answer)
    }

    fn hang(loads: &mut ReloadQueue, load: Reload) {
        let (task, now) = (AbortOnDropHandle::new(tokio::spawn(pending())), Instant::now());
        loads.current = Some(Current { load, task, since: now, warns: now + WARN });
    }

    #[tokio::test(start_paused = true)]
    async fn loads_that_wait_share_one_reading() {
        let mut loads = ReloadQueue::default();
        let (current, _current) = load(false);
        hang(&mut loads, current);
        let mut answers: Vec<_> = (0..100)
            .map(|number| {
                let (load, answer) = load(number % 3 == 0);
                loads.add(load);
                answer
            })
            .collect();
        assert_eq!(loads.waiting.len(), 2, "a reload and a dry run");
        assert!(loads.next(Instant::now()).is_none(), "one at a time");
        loads.refuse_all(Phase::Draining);
        assert!(answers.iter_mut().all(|answer| matches!(answer.try_recv(), Ok(Err(CommandError::WrongPhase { .. })))));
    }

    #[tokio::test(start_paused = true)]
    async fn dry_run_for_nobody_is_left_out_and_a_reload_is_not() {
        let mut loads = ReloadQueue::default();
        for dry_run in [true, false] {
            let (load, answer) = load(dry_run);
            drop(answer);
            loads.add(load);
        }
        assert!(loads.next(Instant::now()).is_some_and(|load| !load.dry_run));
        assert!(loads.next(Instant::now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_makes_way_for_another() {
        let mut loads = ReloadQueue::default();
        let (hanging, mut given_up) = load(false);
        hang(&mut loads, hanging);
        tokio::time::advance(HANGS).await;
        assert!(loads.next(Instant::now()).is_none(), "nobody wants another");
        assert!(given_up.try_recv().is_err());
        let (another, _answer) = load(false);
        loads.add(another);
        assert!(loads.next(Instant::now()).is_some());
        assert!(matches!(given_up.try_recv(), Ok(Err(CommandError::TimedOut(_)))));
    }
}
