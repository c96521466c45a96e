use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{interval, timeout_at};

use super::command::SystemState;
use super::supervisor::SupervisedTask;
use crate::net;

/// The tasks that run whatever the configuration is.
#[derive(Debug)]
pub(super) struct BackgroundTasks {
    _children: Vec<SupervisedTask>,
}

impl BackgroundTasks {
    pub fn start(shared: &Arc<SystemState>) -> Self {
        let children = vec![
            child("watch over certificates", shared, watch_certificates),
            child("end of removed members", shared, end_removed),
            child("end of shortages", shared, log_ended_shortages),
            child("expiry of persistence records", shared, sweep_records),
        ];
        Self { _children: children }
    }
}

fn child<F>(name: &str, shared: &Arc<SystemState>, make: fn(Arc<SystemState>) -> F) -> SupervisedTask
where
    F: Future<Output = Infallible> + Send + 'static,
{
    let of = Arc::clone(shared);
    SupervisedTask::start(name.to_owned(), &shared.restarts, || (), move || make(Arc::clone(&of)))
}

async fn watch_certificates(shared: Arc<SystemState>) -> Infallible {
    shared.certificates.run().await
}

/// Ends the connections of removed members when their drain time is over.
async fn end_removed(shared: Arc<SystemState>) -> Infallible {
    loop {
        match shared.registry.act_on_removed(Instant::now()) {
            Some(next) => {
                // Whichever comes first, all are looked at again.
                let _ = timeout_at(next.into(), shared.removed.notified()).await;
            }
            None => shared.removed.notified().await,
        }
    }
}

/// Says when pronk has again what it lacked.
async fn log_ended_shortages(_: Arc<SystemState>) -> Infallible {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        net::log_ended_shortages(Instant::now());
    }
}

/// Removes expired persistence records, some of them each second.
async fn sweep_records(shared: Arc<SystemState>) -> Infallible {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        shared.registry.sweep_records(Instant::now());
    }
}
