//! The bounded queue of log lines. A line that finds it full is dropped and counted, so that logging never blocks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::deferred::Deferred;
use super::line_writer::{Batch, TOGETHER};
use super::loss_report::Lost;
use super::state::{LineKind, LogState};
use super::unwritten::Unwritten;

/// The target of the report of lost lines.
pub(super) const LOSS_TARGET: &str = "pronk::log::lost";

/// The near end of the queue, to which threads that log give their lines.
#[derive(Clone, Debug)]
pub(super) struct LossyQueue {
    shared: Arc<Shared>,
    pub state: Arc<LogState>,
}

/// The lock is held for as long as one line is copied or handed over, or all of them change hands.
#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    woken: Condvar,
}

/// The lines that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    unwritten: Unwritten,
    capacity: usize,
    dropped: u64,
    /// Whether the thread that writes has taken what it has not written yet: lines, or the report of lost ones.
    is_writing: bool,
    /// Whether the thread that writes is to look, even if no line waits.
    is_woken: bool,
}

impl LossyQueue {
    /// Starts the thread that takes all lines that wait and has them written, again and again, as long as the process
    /// runs.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(
        capacity: usize,
        state: Arc<LogState>,
        mut write: impl FnMut(&Batch) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared { waiting: Mutex::new(Waiting::new(capacity)), woken: Condvar::new() });
        let far = Arc::clone(&shared);
        #[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "it only writes lines"))]
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            let (mut taken, mut made) = (Unwritten::default(), Batch::default());
            loop {
                far.take(&mut taken);
                taken.write(&mut made, BATCH, &mut write);
                // The next lines gather for a moment, so that waking this thread and writing are not paid for with every
                // line.
                if far.waiting.lock().written() {
                    thread::sleep(GATHERING);
                }
            }
        })?;
        Ok(Self { shared, state })
    }

    /// Returns how many lines were lost since the start.
    pub(super) fn lost(&self) -> Lost {
        Lost { dropped: self.shared.waiting.lock().dropped(), failed: self.state.failed.load(Relaxed) }
    }

    /// Returns whether lines or the report of lost ones wait or are being written.
    pub(super) fn has_unwritten(&self) -> bool {
        self.shared.waiting.lock().has_unwritten()
    }

    /// Wakes the thread that writes, also when there is no line.
    pub(super) fn wake(&self) {
        self.shared.waiting.lock().is_woken = true;
        self.shared.woken.notify_one();
    }

    /// Gives a record to the queue, of which its thread makes a line. If that thread is behind, the line is made at once:
    /// many threads log, and one writes.
    pub(super) fn give_deferred(&self, deferred: Deferred) {
        let pushed = self.shared.waiting.lock().push_deferred(deferred);
        match pushed {
            Ok(true) => _ = self.shared.woken.notify_one(),
            Ok(false) => {}
            Err(deferred) => deferred.log_now(),
        }
    }

    /// Gives a whole line to the queue.
    pub(super) fn give(&self, kind: LineKind, line: &[u8]) {
        match kind {
            LineKind::Ordinary => {
                if self.shared.waiting.lock().push(line) {
                    self.shared.woken.notify_one();
                }
            }
            LineKind::LossReport => {
                self.state.reports().set_line(line);
                self.wake();
            }
        }
    }
}

impl Shared {
    /// Waits until lines wait or the thread is woken, and takes all lines.
    fn take(&self, taken: &mut Unwritten) {
        let mut waiting = self.waiting.lock();
        while !waiting.take(taken) {
            self.woken.wait(&mut waiting);
        }
    }
}

impl Waiting {
    pub(super) fn new(capacity: usize) -> Self {
        Self { unwritten: Unwritten::default(), capacity, dropped: 0, is_writing: false, is_woken: false }
    }

    /// Adds a line, or drops it if the queue is full. Returns whether it is the first that waits.
    pub(super) fn push(&mut self, line: &[u8]) -> bool {
        if self.unwritten.count() >= self.capacity || self.unwritten.len() + line.len() > MOST_BYTES {
            self.dropped += 1;
            return false;
        }
        self.unwritten.push(line);
        self.unwritten.count() == 1
    }

    /// Adds a record, and returns whether it is the first that waits.
    ///
    /// # Errors
    /// Half of the places are taken. The record is returned.
    pub(super) fn push_deferred(&mut self, deferred: Deferred) -> Result<bool, Deferred> {
        if self.is_behind() {
            return Err(deferred);
        }
        self.unwritten.push_deferred(deferred);
        Ok(self.unwritten.count() == 1)
    }

    /// Exchanges what waits with what is empty. Returns whether there is anything to do.
    pub(super) fn take(&mut self, taken: &mut Unwritten) -> bool {
        std::mem::swap(&mut self.unwritten, taken);
        self.is_writing = std::mem::take(&mut self.is_woken) || taken.count() > 0;
        self.is_writing
    }

    /// Notes that what was taken is written. Returns whether there is time for more lines to gather.
    pub(super) fn written(&mut self) -> bool {
        self.is_writing = false;
        !self.is_behind()
    }

    fn is_behind(&self) -> bool {
        self.unwritten.count() >= self.capacity / 2
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn has_unwritten(&self) -> bool {
        self.is_writing || self.is_woken || self.unwritten.count() > 0
    }
}

/// How long a line may wait for others: so long that a busy log takes few wake-ups and system calls, and so short that
/// nobody who reads it notices.
const GATHERING: Duration = Duration::from_millis(20);
/// Bytes of the lines that wait, at most: twice as many as the lines of ordinary connections have in a full queue. As many
/// again may be being written. Records have less than a KiB each as a rule.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of lines that are made of records before they are written: one write, with room for the last line.
const BATCH: usize = TOGETHER - (4 << 10);
