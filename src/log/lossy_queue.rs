//! The bounded queue of log lines. A line that finds it full is dropped and counted, so that logging never blocks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::line_writer::Batch;
use super::loss_report::Lost;
use super::state::{LineKind, LogState};

/// The target of the report of lost lines.
pub(super) const LOSS_TARGET: &str = "pronk::log::lost";

/// The near end of the queue, to which threads that log give their lines.
#[derive(Clone, Debug)]
pub(super) struct LossyQueue {
    shared: Arc<Shared>,
    pub state: Arc<LogState>,
}

/// The lock is held for as long as one line is copied, or all of them change hands.
#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    woken: Condvar,
}

/// The lines that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    lines: Batch,
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
            let mut taken = Batch::default();
            loop {
                far.take(&mut taken);
                write(&taken);
                taken.clear();
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
    fn take(&self, taken: &mut Batch) {
        let mut waiting = self.waiting.lock();
        while !waiting.take(taken) {
            self.woken.wait(&mut waiting);
        }
    }
}

impl Waiting {
    pub(super) fn new(capacity: usize) -> Self {
        Self { lines: Batch::default(), capacity, dropped: 0, is_writing: false, is_woken: false }
    }

    /// Adds a line, or drops it if the queue is full. Returns whether it is the first that waits.
    pub(super) fn push(&mut self, line: &[u8]) -> bool {
        if self.lines.count() >= self.capacity || self.lines.len() + line.len() > MOST_BYTES {
            self.dropped += 1;
            return false;
        }
        self.lines.push(line);
        self.lines.count() == 1
    }

    /// Exchanges the lines that wait with a batch that has none. Returns whether there is anything to do.
    pub(super) fn take(&mut self, taken: &mut Batch) -> bool {
        std::mem::swap(&mut self.lines, taken);
        self.is_writing = std::mem::take(&mut self.is_woken) || taken.count() > 0;
        self.is_writing
    }

    /// Notes that what was taken is written. Returns whether there is time for more lines to gather.
    pub(super) fn written(&mut self) -> bool {
        self.is_writing = false;
        self.lines.count() < self.capacity / 2
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn has_unwritten(&self) -> bool {
        self.is_writing || self.is_woken || self.lines.count() > 0
    }
}

/// How long a line may wait for others: so long that a busy log takes few wake-ups and system calls, and so short that
/// nobody who reads it notices.
const GATHERING: Duration = Duration::from_millis(20);
/// Bytes of the lines that wait, at most: twice what as many as may wait have of ordinary connections. As many again may
/// be being written.
const MOST_BYTES: usize = 16 << 20;
