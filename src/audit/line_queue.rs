//! The queue of lines before the thread that appends them to the file.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::file::AppendedFile;
use crate::reading::os_reason;

/// Gives lines to the thread that appends them to a file. The thread ends when this is dropped and all are written.
#[derive(Debug)]
pub(super) struct LineQueue {
    path: PathBuf,
    orders: SyncSender<Order>,
}

enum Order {
    Append(String),
    Reopen,
    /// Tells when all before it are done.
    Flush(SyncSender<()>),
}

impl LineQueue {
    /// Starts the thread, which opens the file at once, so that a mistake is told before the first record.
    ///
    /// # Errors
    /// The system grants no more threads.
    pub(super) fn start(path: PathBuf) -> std::io::Result<Self> {
        let (orders, taken) = sync_channel(MOST_LINES);
        let file = AppendedFile::new(path.clone());
        thread::Builder::new().name("audit".to_owned()).spawn(move || work(file, &taken))?;
        Ok(Self { path, orders })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives a line to the thread, or back if the queue is full.
    pub(super) fn push(&self, line: String) -> Result<(), String> {
        self.orders.try_send(Order::Append(line)).map_err(|error| match error {
            std::sync::mpsc::TrySendError::Full(Order::Append(line))
            | std::sync::mpsc::TrySendError::Disconnected(Order::Append(line)) => line,
            _ => String::new(),
        })
    }

    pub(super) fn reopen(&self) {
        // If the queue is full, the next line reopens the file anyway.
        let _ = self.orders.try_send(Order::Reopen);
    }

    /// Waits until every line is written, for a bounded time.
    pub(super) fn flush(&self, limit: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.orders.try_send(Order::Flush(done)).is_ok() {
            // Written or not, the process goes on.
            let _ = is_done.recv_timeout(limit);
        }
    }
}

fn work(mut file: AppendedFile, orders: &Receiver<Order>) {
    // The reason that was told last, so that each is told once.
    let mut told = None;
    let open = file.open().map(drop);
    tell(&mut told, &file, open, None);
    while let Ok(order) = orders.recv() {
        match order {
            Order::Append(line) => {
                let written = file.append(&line);
                tell(&mut told, &file, written, Some(&line));
            }
            Order::Reopen => {
                let open = file.open().map(drop);
                tell(&mut told, &file, open, None);
            }
            Order::Flush(done) => drop(done.send(())),
        }
    }
}

/// Tells that the file cannot be written, and that it can again. A record that it did not take is in the log instead.
fn tell(told: &mut Option<String>, file: &AppendedFile, outcome: std::io::Result<()>, line: Option<&str>) {
    let audit_log = file.path().display();
    match outcome {
        Ok(()) => {
            if told.take().is_some() {
                tracing::info!(%audit_log, "the audit log is written again");
            }
        }
        Err(error) => {
            let reason = os_reason(&error);
            if told.as_ref() != Some(&reason) {
                tracing::error!(%audit_log, error = reason,
                    "cannot write the audit log, and its records come here; check that its folder exists, has room, and \
                     that pronk may write there");
                *told = Some(reason);
            }
            if let Some(line) = line {
                tracing::error!(record = line.trim_end(), "audit");
            }
        }
    }
}

/// Lines that may wait to be written.
const MOST_LINES: usize = 1024;
