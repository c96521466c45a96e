//! That another process has taken over from this one.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::control::command::Reply;
use crate::handover::{ProcessFacts, ReportSender};

/// That another process has taken over, and how long this one may drain.
#[derive(Debug)]
pub struct HandedOver {
    pub process: ProcessFacts,
    /// Where this process reports what it has left.
    pub reports: Arc<ReportSender>,
    reply: Mutex<Option<Reply<ProcessFacts>>>,
    /// None is the time that the process was started with.
    pub drain_timeout: Option<Duration>,
}

impl HandedOver {
    pub(super) fn new(
        process: ProcessFacts,
        reports: ReportSender,
        drain_timeout: Option<Duration>,
        reply: Reply<ProcessFacts>,
    ) -> Self {
        Self { process, reports: Arc::new(reports), reply: Mutex::new(Some(reply)), drain_timeout }
    }

    /// Returns the same with another time to drain, where the process was told to stop at the same moment.
    pub fn with_drain_timeout(&self, drain_timeout: Duration) -> Self {
        let Self { process, reports, reply, .. } = self;
        let (process, reports, reply) = (process.clone(), Arc::clone(reports), Mutex::new(reply.lock().take()));
        Self { process, reports, reply, drain_timeout: Some(drain_timeout) }
    }

    /// Answers whoever asked for the upgrade: whatever is asked from then on, the new process answers.
    pub fn answer(&self) {
        let reply = self.reply.lock().take();
        if let Some(reply) = reply {
            // The caller may have left.
            let _ = reply.send(Ok(self.process.clone()));
        }
    }
}
