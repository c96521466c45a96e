//! Tasks that run in the background whatever the configuration is.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{interval, timeout_at};

use super::handover::count_elsewhere;
use super::supervisor::SupervisedTask;
use super::system_state::SystemState;
use super::unused_memory::give_back_unused_memory;
use crate::net;

/// The background tasks, until this is dropped.
#[derive(Debug)]
pub(super) struct BackgroundTasks {
    _tasks: Vec<SupervisedTask>,
}

impl BackgroundTasks {
    pub(super) fn start(state: &Arc<SystemState>) -> Self {
        let tasks = vec![
            task("watch over certificates", state, watch_certificates),
            task("end of removed members", state, close_removed_members),
            task("drains", state, carry_out_drains),
            task("connections of processes that drain", state, count_draining_processes),
            task("end of shortages", state, log_ended_shortages),
            task("expiry of persistence records", state, sweep_records),
            task("unused memory", state, give_back_unused_memory),
        ];
        Self { _tasks: tasks }
    }
}

fn task<F>(name: &str, state: &Arc<SystemState>, make: fn(Arc<SystemState>) -> F) -> SupervisedTask
where
    F: Future<Output = Infallible> + Send + 'static,
{
    let own = Arc::clone(state);
    SupervisedTask::start(name.to_owned(), &state.restarts, || (), move || make(Arc::clone(&own)))
}

async fn watch_certificates(state: Arc<SystemState>) -> Infallible {
    state.certificates.run().await
}

/// Closes the connections of removed members when their drain time is over.
async fn close_removed_members(state: Arc<SystemState>) -> Infallible {
    loop {
        match state.registry.act_on_removed(Instant::now()) {
            Some(next) => {
                // All are checked again, whichever comes first.
                let _ = timeout_at(next.into(), state.removed.notified()).await;
            }
            None => state.removed.notified().await,
        }
    }
}

/// Ends what is left of the connections of what administrators drain.
async fn carry_out_drains(state: Arc<SystemState>) -> Infallible {
    state.drains.carry_out(|| state.serving.load_full(), &state.open).await
}

/// Counts the connections of processes that drain, as they report them.
async fn count_draining_processes(state: Arc<SystemState>) -> Infallible {
    loop {
        state.draining_processes.changed().await;
        let serving = state.serving.load_full();
        count_elsewhere(&state.registry, &serving.virtual_servers, &state.draining_processes.held());
    }
}

/// Logs when a shortage is over.
async fn log_ended_shortages(_: Arc<SystemState>) -> Infallible {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        net::log_ended_shortages(Instant::now());
    }
}

/// Removes expired persistence records, some of them each second.
async fn sweep_records(state: Arc<SystemState>) -> Infallible {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        state.registry.sweep_records(Instant::now());
    }
}
