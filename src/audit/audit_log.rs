//! The audit log of the process, to which everybody reports.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::line_queue::LineQueue;
use super::record::Record;
use crate::reading::os_reason;

/// The audit log.
#[derive(Debug, Default)]
pub struct AuditLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    file: Option<LineQueue>,
    refusals: Refusals,
}

/// Which refused requests are recorded: as many as a person would read.
#[derive(Debug, Default)]
struct Refusals {
    /// When the minute began in which these were counted.
    since: Option<Instant>,
    count: u64,
    left_out: u64,
}

impl AuditLog {
    /// Has records appended to this file from now on; without one they go to the ordinary log.
    pub fn set_file(&self, path: Option<&Path>) {
        let mut state = self.0.lock();
        if state.file.as_ref().map(LineQueue::path) == path {
            return;
        }
        state.file = path.and_then(|path| start(path.to_owned()));
    }

    /// Records what somebody changed, or tried to.
    pub fn record(&self, record: Record) {
        self.0.lock().append(&record);
    }

    /// Records that somebody was not let in, or may not do what was asked for. Of very many the rest is counted.
    pub fn record_refusal(&self, record: Record) {
        let mut state = self.0.lock();
        if let Some(left_out) = state.refusals.admit(Instant::now()) {
            state.append(&record.left_out(left_out));
        }
    }

    /// Opens the file anew, after logrotate has moved it.
    pub fn reopen(&self) {
        if let Some(file) = &self.0.lock().file {
            file.reopen();
        }
    }

    /// Waits until every record is written, for a bounded time. It blocks, and is for the end of the process.
    pub fn flush(&self) {
        if let Some(file) = &self.0.lock().file {
            file.flush(FLUSH);
        }
    }
}

fn start(path: PathBuf) -> Option<LineQueue> {
    let audit_log = path.display().to_string();
    LineQueue::start(path)
        .map_err(|error| {
            tracing::error!(audit_log, error = %os_reason(&error),
                "cannot start the thread that writes the audit log; its records come here");
        })
        .ok()
}

impl State {
    fn append(&self, record: &Record) {
        let line = record.line();
        match &self.file {
            None => tracing::info!(record = line.trim_end(), "audit"),
            Some(file) => {
                if let Err(line) = file.push(line) {
                    let audit_log = file.path().display();
                    tracing::error!(%audit_log, record = line.trim_end(),
                        "audit: the disk of the audit log does not keep up, so this record comes here");
                }
            }
        }
    }
}

impl Refusals {
    /// Returns whether one more is recorded, and how many before it were not.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now.duration_since(since) >= MINUTE) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count += 1;
        if self.count > REFUSALS {
            self.left_out += 1;
            return None;
        }
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Refusals that are recorded in a minute.
const REFUSALS: u64 = 60;
const MINUTE: Duration = Duration::from_secs(60);
const FLUSH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Source;

    #[test]
    fn what_is_not_recorded_of_many_refusals_is_counted() {
        let (mut refusals, start) = (Refusals::default(), Instant::now());
        let admitted = (0..1000).filter(|_| refusals.admit(start).is_some()).count();
        assert_eq!(admitted, REFUSALS as usize);
        assert_eq!(refusals.admit(start + MINUTE), Some(1000 - REFUSALS));
        assert_eq!(refusals.admit(start + MINUTE), Some(0));
    }

    #[test]
    fn records_are_in_the_file_once_it_is_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let log = AuditLog::default();
        log.record(Record::new("before", Source::Signal, "SIGHUP"));
        log.set_file(Some(&path));
        for number in 0..100 {
            log.record(Record::new(&format!("n{number}"), Source::Socket, "POST /v1/reload"));
        }
        log.flush();
        let text = std::fs::read_to_string(&path).unwrap();
        let who = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["who"].clone());
        assert!(who.eq((0..100).map(|number| serde_json::Value::from(format!("n{number}")))), "{text}");
        log.set_file(None);
        log.record(Record::new("after", Source::Signal, "SIGHUP"));
        log.flush();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
