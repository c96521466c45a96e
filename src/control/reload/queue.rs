//! The queue of reloads: one is prepared at a time, as each is compared with what runs.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::prepare::{self, PrepareInput, Prepared};
use crate::config::Diagnostics;
use crate::control::command::Reply;
use crate::control::command_error::CommandError;
use crate::control::phase::Phase;
use crate::control::reload_report::ReloadReport;
use crate::control::supervisor::join_error_message;

/// A reload, for all callers that asked before the file was read.
#[derive(Debug)]
pub(in crate::control) struct Reload {
    pub dry_run: bool,
    /// Whether it is the first configuration.
    pub is_start: bool,
    pub replies: Vec<Reply<ReloadReport>>,
}

/// The result of preparing a configuration.
pub(in crate::control) type PrepareResult = Result<(ReloadReport, Option<Box<Prepared>>), Diagnostics>;

/// The reload that is being prepared, and those that wait.
#[derive(Debug, Default)]
pub(in crate::control) struct ReloadQueue {
    current: Option<Current>,
    waiting: VecDeque<Reload>,
}

/// The reload that is being prepared.
#[derive(Debug)]
struct Current {
    reload: Reload,
    task: AbortOnDropHandle<PrepareResult>,
    since: Instant,
    /// When the log says next that it takes long.
    warns_at: Instant,
}

impl Reload {
    /// Returns what it is, in words that fit "… is refused".
    fn as_str(&self) -> &'static str {
        match self {
            Self { is_start: true, .. } => "a start",
            Self { dry_run: true, .. } => "a dry run",
            Self { .. } => "a reload",
        }
    }

    /// Answers all callers. Some may have left, which changes nothing.
    pub(crate) fn answer(self, answer: &Result<ReloadReport, CommandError>) {
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
    /// Adds a reload. One of the same kind that waits is joined with it.
    pub(crate) fn add(&mut self, reload: Reload) {
        let alike = |other: &&mut Reload| (other.dry_run, other.is_start) == (reload.dry_run, reload.is_start);
        match self.waiting.iter_mut().find(alike) {
            Some(waiting) => waiting.replies.extend(reload.replies),
            None => self.waiting.push_back(reload),
        }
    }

    /// Takes out the next reload that may start. One that hangs is given up for it after a minute.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Reload> {
        // A dry run whose callers have left is of no use.
        self.waiting.retain(|reload| !reload.dry_run || reload.replies.iter().any(|reply| !reply.is_closed()));
        if self.waiting.is_empty() {
            return None;
        }
        if let Some(hanging) = self.current.take_if(|current| now - current.since >= HANGS) {
            let why = "it took longer than a minute (a file may be on a disk that does not answer), and another was \
                       requested";
            tracing::error!("{} timed out: {why}", hanging.reload.as_str());
            hanging.reload.answer(&Err(CommandError::TimedOut(why)));
        }
        if self.current.is_some() { None } else { self.waiting.pop_front() }
    }

    /// Starts preparing a reload.
    pub(crate) fn start(&mut self, reload: Reload, input: PrepareInput, now: Instant) {
        let task = AbortOnDropHandle::new(tokio::spawn(prepare::prepare(input)));
        self.current = Some(Current { reload, task, since: now, warns_at: now + SLOW });
    }

    /// Returns since when a reload is being prepared.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.since)
    }

    /// Waits until the current reload is prepared or has failed, and takes it out.
    pub(crate) async fn ended(&mut self) -> (Reload, PrepareResult) {
        let made = match &mut self.current {
            Some(current) => (&mut current.task).await,
            None => pending().await,
        };
        match self.current.take() {
            Some(current) => {
                (current.reload, made.unwrap_or_else(|ended| Err(prepare::internal_error(&join_error_message(ended)))))
            }
            None => pending().await,
        }
    }

    /// Refuses all, as the process is in `phase`.
    pub(crate) fn refuse_all(&mut self, phase: Phase) {
        let current = self.current.take().map(|current| current.reload);
        current.into_iter().chain(self.waiting.drain(..)).for_each(|reload| reload.refuse(phase));
    }

    /// Logs that a reload takes long, less and less often.
    pub(crate) fn warn_if_slow(&mut self, now: Instant) {
        let Some(current) = self.current.as_mut().filter(|current| current.warns_at <= now) else { return };
        let seconds = (now - current.since).as_secs();
        current.warns_at = now + (now - current.since);
        tracing::warn!(
            seconds,
            "{} takes long: a file may be on a disk that does not answer, or a key's passphrase may be slow to check",
            current.reload.as_str()
        );
    }
}

/// A reload that takes longer is given up for another.
const HANGS: Duration = Duration::from_secs(60);
/// A reload that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn reload(dry_run: bool) -> (Reload, oneshot::Receiver<Result<ReloadReport, CommandError>>) {
        let (reply, answer) = oneshot::channel();
        (Reload { dry_run, is_start: false, replies: vec![reply] }, answer)
    }

    fn hang(queue: &mut ReloadQueue, reload: Reload) {
        let (task, now) = (AbortOnDropHandle::new(tokio::spawn(pending())), Instant::now());
        queue.current = Some(Current { reload, task, since: now, warns_at: now + SLOW });
    }

    #[tokio::test(start_paused = true)]
    async fn loads_that_wait_share_one_reading() {
        let mut queue = ReloadQueue::default();
        let (current, _current) = reload(false);
        hang(&mut queue, current);
        let mut answers: Vec<_> = (0..100)
            .map(|number| {
                let (reload, answer) = reload(number % 3 == 0);
                queue.add(reload);
                answer
            })
            .collect();
        assert_eq!(queue.waiting.len(), 2, "a reload and a dry run");
        assert!(queue.next(Instant::now()).is_none(), "one at a time");
        queue.refuse_all(Phase::Draining);
        assert!(answers.iter_mut().all(|answer| matches!(answer.try_recv(), Ok(Err(CommandError::WrongPhase { .. })))));
    }

    #[tokio::test(start_paused = true)]
    async fn dry_run_for_nobody_is_left_out_and_a_reload_is_not() {
        let mut queue = ReloadQueue::default();
        for dry_run in [true, false] {
            let (reload, answer) = reload(dry_run);
            drop(answer);
            queue.add(reload);
        }
        assert!(queue.next(Instant::now()).is_some_and(|reload| !reload.dry_run));
        assert!(queue.next(Instant::now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_makes_way_for_another() {
        let mut queue = ReloadQueue::default();
        let (hanging, mut given_up) = reload(false);
        hang(&mut queue, hanging);
        tokio::time::advance(HANGS).await;
        assert!(queue.next(Instant::now()).is_none(), "nobody wants another");
        assert!(given_up.try_recv().is_err());
        let (another, _answer) = reload(false);
        queue.add(another);
        assert!(queue.next(Instant::now()).is_some());
        assert!(matches!(given_up.try_recv(), Ok(Err(CommandError::TimedOut(_)))));
    }
}
