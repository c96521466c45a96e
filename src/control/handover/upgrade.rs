//! An upgrade as the process that hands over carries it out, step by step. What takes time is done on threads that may
//! block; the controller goes on meanwhile.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use super::export::{self, ToldRecords};
use super::handed_over::HandedOver;
use crate::control::command::Reply;
use crate::control::command_error::CommandError;
use crate::control::supervisor::join_error_message;
use crate::control::system_state::SystemState;
use crate::handover::{Abort, Parcel, ProcessFacts, Program, ReportSender, Successor};

/// The upgrade that is under way, if one is.
#[derive(Debug, Default)]
pub(in crate::control) struct Upgrade(Option<UnderWay>);

#[derive(Debug)]
struct UnderWay {
    reply: Reply<ProcessFacts>,
    drain_timeout: Option<Duration>,
    reports: ReportSender,
    /// Ends the new process.
    abort: Abort,
    task: JoinHandle<Result<Step, String>>,
    /// Whether the new process is given the state, after which it may accept connections at any moment.
    hands_over: bool,
}

/// What the new process has come to.
#[derive(Debug)]
pub(in crate::control) enum Step {
    /// Its configuration is prepared, and it has the persistence records of before.
    Prepared(Successor, ToldRecords),
    /// It accepts connections.
    Serving(Successor),
    /// It cannot take over, for this reason.
    Failed(String),
}

impl Upgrade {
    pub(in crate::control) fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether the new process may accept connections at any moment.
    pub(in crate::control) fn is_handing_over(&self) -> bool {
        self.0.as_ref().is_some_and(|under_way| under_way.hands_over)
    }

    /// Starts the new process, and has it prepare its configuration with what is in the parcel. Meanwhile it is told of the
    /// persistence records.
    pub(in crate::control) fn start(
        &mut self,
        program: Program,
        parcel: Parcel,
        reports: ReportSender,
        drain_timeout: Option<Duration>,
        reply: Reply<ProcessFacts>,
        state: Arc<SystemState>,
    ) {
        let abort = Abort::default();
        let own = abort.clone();
        let task = spawn_blocking(move || {
            let mut successor = Successor::start(&program, &own)?;
            successor.greet(parcel)?;
            tracing::info!(pid = successor.facts().pid, "a new process prepares to take over");
            let (records, told) = export::all_records(&state.registry);
            successor.prepare(records)?;
            Ok(Step::Prepared(successor, told))
        });
        self.0 = Some(UnderWay { reply, drain_timeout, reports, abort, task, hands_over: false });
    }

    /// Hands over the rest of the state to a process that is prepared.
    pub(in crate::control) fn hand_over(
        &mut self,
        mut successor: Successor,
        told: ToldRecords,
        state: Arc<SystemState>,
    ) {
        if let Some(under_way) = &mut self.0 {
            under_way.hands_over = true;
            under_way.task = spawn_blocking(move || {
                let connections = std::iter::once(export::connections(&state));
                successor.take_over(connections.chain(export::changes(&state.registry, told)))?;
                Ok(Step::Serving(successor))
            });
        }
    }

    /// Waits for the next step.
    pub(in crate::control) async fn next(&mut self) -> Step {
        let Some(under_way) = &mut self.0 else { return pending().await };
        match (&mut under_way.task).await {
            Ok(Ok(step)) => step,
            Ok(Err(reason)) => Step::Failed(reason),
            Err(ended) => Step::Failed(join_error_message(ended)),
        }
    }

    /// Ends an upgrade that the new process has completed.
    pub(in crate::control) fn complete(&mut self, successor: &Successor) -> Option<HandedOver> {
        let UnderWay { reply, drain_timeout, reports, .. } = self.0.take()?;
        Some(HandedOver::new(successor.facts().clone(), reports, drain_timeout, reply))
    }

    /// Ends an upgrade that failed, and answers its caller.
    pub(in crate::control) fn fail(&mut self, reason: &str) {
        if let Some(under_way) = self.0.take() {
            under_way.abort.abort();
            let text = format!("the upgrade failed, and nothing has changed: {reason}");
            tracing::error!("{text}");
            let _ = under_way.reply.send(Err(CommandError::Refused(text)));
        }
    }
}
