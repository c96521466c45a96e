//! The log as a whole: lines that are lost are counted, and whoever logs never waits.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use super::deferred::{self, Deferred};
use super::handle::{FLUSH, FlushGuard, Log};
use super::layer::LineLayer;
use super::line_writer::{Batch, LineOutput, LineWriter};
use super::loss_report::Lost;
use super::lossy_queue::{LossyQueue, Waiting};
use super::options::{Format, Target};
use super::start::open;
use super::state::LogState;
use super::unwritten::Unwritten;

/// An output that fails when it is told to, also in the middle of a line.
#[derive(Clone, Default)]
struct Flaky(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    text: Vec<u8>,
    /// How many more bytes have room; `None` is no end of it.
    room: Option<usize>,
    /// Whether another process has cut off what was written last, or written behind it.
    is_interrupted: bool,
}

impl State {
    /// Has another process cut off a line of which only a part was written, or write behind it.
    fn interrupt(&mut self, cuts: bool) {
        let whole = self.text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.is_interrupted |= whole < self.text.len();
        if cuts {
            self.text.truncate(whole);
        } else if whole < self.text.len() {
            self.text.extend_from_slice(b"|another\n");
        }
    }
}

impl Write for Flaky {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        let count = state.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        if count == 0 {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        state.room = state.room.map(|room| room - count);
        state.text.extend_from_slice(&bytes[..count]);
        state.is_interrupted = false;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LineOutput for Flaky {
    fn is_interrupted(&mut self) -> bool {
        self.0.borrow().is_interrupted
    }
}

/// A log whose parts take their steps in a random order: threads that log, the thread that writes, the clock and the disk.
struct Model {
    waiting: Waiting,
    taken: Unwritten,
    made: Batch,
    offered: u64,
    lines: LineWriter<Flaky>,
    disk: Flaky,
    state: Arc<LogState>,
}

const PLACES: usize = 4;

impl Model {
    fn new() -> Self {
        let (state, disk) = (Arc::new(LogState::default()), Flaky::default());
        let lines = LineWriter::new(disk.clone(), Arc::clone(&state));
        let (taken, made) = (Unwritten::default(), Batch::default());
        Self { waiting: Waiting::new(PLACES), taken, made, offered: 0, lines, disk, state }
    }

    fn offer(&mut self) {
        self.offered += 1;
        self.waiting.push(format!("line {}\n", self.offered).as_bytes());
    }

    /// Offers what logs a line later.
    fn defer(&mut self) {
        self.offered += 1;
        let line = format!("line {}\n", self.offered);
        let record = Deferred::new({
            let line = line.clone();
            move || assert!(deferred::take_line(line.as_bytes()))
        });
        if self.waiting.push_deferred(record).is_err() {
            self.waiting.push(line.as_bytes());
        }
    }

    /// Writes the lines that wait, so many bytes together. Of records, so many bytes are made before they are written.
    fn work_on(&mut self, together: usize, made: usize) {
        self.waiting.take(&mut self.taken);
        self.taken.write(&mut self.made, made, |batch| {
            if batch.count() == 0 {
                self.lines.write_report();
            }
            batch.pieces_of(together).for_each(|lines| self.lines.write_lines(lines));
        });
    }

    fn work(&mut self) {
        self.work_on(1, 1);
    }

    fn tick(&self) {
        let lost = Lost { dropped: self.waiting.dropped(), failed: self.state.failed.load(Relaxed) };
        let due = self.state.reports().due(lost, self.state.written.load(Relaxed));
        if let Some(due) = due {
            self.state.reports().set_line(format!("lost {}\n", due.total()).as_bytes());
        }
    }

    fn lost(&self) -> u64 {
        self.waiting.dropped() + self.state.failed.load(Relaxed)
    }
}

#[test]
fn every_line_is_written_whole_or_told_as_lost_exactly_once() {
    for seed in 0..2000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut model = Model::new();
        for _ in 0..random.usize(..120) {
            match random.u8(..10) {
                0..2 => model.offer(),
                2..4 => model.defer(),
                4..6 => model.work(),
                6 => model.work_on(random.usize(..40), random.usize(..40)),
                7 => model.tick(),
                8 if random.u8(..4) == 0 => model.disk.0.borrow_mut().interrupt(random.bool()),
                8 => model.disk.0.borrow_mut().room = Some(random.usize(..20)),
                _ => model.disk.0.borrow_mut().room = None,
            }
            assert!(told(&model) <= model.lost(), "seed {seed}: more was told than was lost");
        }
        model.disk.0.borrow_mut().room = None;
        // Lines go on to come, and the clock goes on.
        for _ in 0..2 * PLACES {
            model.work();
        }
        for _ in 0..3 {
            model.tick();
            model.offer();
            model.work();
            model.work();
        }
        assert!(!model.waiting.has_unwritten() && !model.lines.has_partial(), "seed {seed}");
        let text = String::from_utf8(model.disk.0.borrow().text.clone()).unwrap();
        let numbers: Vec<u64> = text.lines().filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect();
        let tellings = text.lines().filter(|line| line.starts_with("lost ") && !line.contains('|')).count();
        let anothers = text.lines().filter(|line| line.ends_with("|another")).count();
        assert_eq!(numbers.len() + tellings + anothers, text.lines().count(), "seed {seed}: torn lines in {text}");
        assert!(numbers.is_sorted_by(|one, other| one < other), "seed {seed}: out of order in {text}");
        assert_eq!(numbers.len() as u64 + model.lost(), model.offered, "seed {seed}: {text}");
        assert_eq!(told(&model), model.lost(), "seed {seed}: {text}");
    }
}

/// Returns the losses that whole lines report.
fn told(model: &Model) -> u64 {
    let state = model.disk.0.borrow();
    let text = String::from_utf8_lossy(&state.text);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().filter_map(|line| line.strip_prefix("lost ")?.parse::<u64>().ok()).sum()
}

fn batch_of(line: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.push(line);
    batch
}

#[test]
fn line_given_up_in_the_middle_is_lost_and_so_is_one_that_tells() {
    let mut model = Model::new();
    let mut write = |room, line: &[u8]| {
        model.disk.0.borrow_mut().room = room;
        batch_of(line).pieces().for_each(|lines| model.lines.write_lines(lines));
    };
    write(None, b"first\n");
    write(Some(2), b"second\n");
    model.lines.abandon_partial();
    assert_eq!((model.lost(), model.lines.has_partial()), (1, false));
    model.tick();
    model.disk.0.borrow_mut().room = Some(3);
    model.lines.write_report();
    assert!(model.lines.has_partial(), "the line that tells was begun");
    model.lines.abandon_partial();
    model.disk.0.borrow_mut().room = None;
    batch_of(b"third\n").pieces().for_each(|lines| model.lines.write_lines(lines));
    model.tick();
    model.lines.write_report();
    assert_eq!(told(&model), 1, "{:?}", String::from_utf8_lossy(&model.disk.0.borrow().text));
}

/// Runs something that logs to this log.
fn logging(log: &Log, format: Format, run: impl FnOnce()) {
    let lines = LineLayer { queue: log.queue.clone(), format, color: false };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), run);
}

/// Starts a queue of so many places whose output stands still until it is let go. Returns once it stands still.
fn stuck(places: usize) -> (Log, mpsc::Sender<()>, mpsc::Receiver<usize>) {
    let (release, released) = mpsc::channel::<()>();
    let (sender, written) = mpsc::channel();
    let write = move |batch: &Batch| {
        sender.send(batch.count()).unwrap();
        // Ends when the test lets go of the other side.
        let _ = released.recv();
    };
    let queue = LossyQueue::start(places, Arc::default(), write).unwrap();
    let log = Log { queue, target: Arc::new(Target::Stderr) };
    logging(&log, Format::Text, || tracing::info!("first"));
    assert_eq!(written.recv().unwrap(), 1);
    (log, release, written)
}

#[test]
fn whoever_logs_never_waits_and_what_found_no_room_is_counted() {
    let (log, release, written) = stuck(16);
    logging(&log, Format::Text, || (0..100).for_each(|number| tracing::info!(number, "said")));
    assert_eq!(log.lost(), 84, "16 wait");
    drop(release);
    assert_eq!(written.recv().unwrap(), 16);
}

#[test]
fn lines_that_wait_have_a_bounded_number_of_bytes() {
    let mut waiting = Waiting::new(usize::MAX);
    let line = vec![b'x'; 1 << 20];
    (0..40).for_each(|_| _ = waiting.push(&line));
    assert_eq!(waiting.dropped(), 24);
}

#[test]
fn line_that_is_made_later_has_the_place_and_the_time_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pronk.log");
    let (log, guard) = open(Target::File(path.clone())).unwrap();
    let lines = LineLayer { queue: log.queue.clone(), format: Format::Json, color: false };
    let subscriber = Arc::new(tracing_subscriber::registry().with(lines));
    let later = |number: u64| {
        let subscriber = Arc::clone(&subscriber);
        log.queue.give_deferred(Deferred::new(move || {
            if number == 1 {
                // Time that goes by does not count.
                std::thread::sleep(Duration::from_millis(20));
            }
            tracing::subscriber::with_default(subscriber, || tracing::info!(number, "later"));
        }));
    };
    tracing::subscriber::with_default(Arc::clone(&subscriber), || {
        for number in 0..300 {
            if number % 3 == 0 { tracing::info!(number, "now") } else { later(number) }
        }
    });
    log.queue.give_deferred(Deferred::new(|| panic!("on purpose")));
    tracing::subscriber::with_default(subscriber, || tracing::info!(number = 300, "after a panic"));
    drop(guard);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().map(|line| line["number"].as_u64().unwrap()).eq(0..=300), "{text}");
    assert!(lines.is_sorted_by_key(|line| line["timestamp"].as_str().unwrap().to_owned()), "{text}");
}

#[test]
fn line_is_made_by_whoever_logs_where_the_log_is_behind() {
    let (log, release, written) = stuck(16);
    let made_here = Arc::new(AtomicU64::new(0));
    let this = std::thread::current().id();
    let later = || {
        let made_here = Arc::clone(&made_here);
        log.queue.give_deferred(Deferred::new(move || {
            made_here.fetch_add((std::thread::current().id() == this).into(), Relaxed);
            tracing::info!("later");
        }));
    };
    logging(&log, Format::Text, || (0..100).for_each(|_| later()));
    assert_eq!((made_here.load(Relaxed), log.lost()), (92, 84), "8 records and 8 lines wait");
    assert_eq!(Arc::strong_count(&made_here), 9);
    drop(release);
    written.recv().unwrap();
    assert_eq!((made_here.load(Relaxed), Arc::strong_count(&made_here)), (92, 1), "records are given back");
}

#[test]
fn first_line_alone_wakes_the_thread_that_writes() {
    let later = || Deferred::new(|| ());
    let (mut waiting, mut taken) = (Waiting::new(6), Unwritten::default());
    assert!(waiting.push_deferred(later()).unwrap());
    assert_eq!([waiting.push(b"a\n"), waiting.push_deferred(later()).unwrap()], [false, false]);
    assert!(waiting.take(&mut taken) && waiting.has_unwritten(), "it is being written");
    assert!(waiting.push(b"c\n"));
    assert!(waiting.written(), "others may gather");
    (0..3).for_each(|_| _ = waiting.push(b"d\n"));
    assert!(!waiting.written(), "half of the places are taken");
}

/// The report of lost lines is the last of all, when nothing else waits.
#[test]
fn end_waits_for_the_report_of_lost_lines() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let path = folder.path().join(number.to_string());
        let (log, guard) = open(Target::File(path.clone())).unwrap();
        log.queue.state.failed.fetch_add(1, Relaxed);
        logging(&log, Format::Text, || tracing::info!("said"));
        while log.queue.has_unwritten() {
            std::thread::yield_now();
        }
        logging(&log, Format::Text, || drop(guard));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("1 log line was lost"), "{text}");
    }
}

#[test]
fn log_that_stands_still_holds_up_the_end_for_a_bounded_time() {
    let (log, release, _written) = stuck(4);
    let since = Instant::now();
    drop(FlushGuard { log });
    let took = since.elapsed();
    assert!(FLUSH <= took && took < 4 * FLUSH, "{took:?}");
    drop(release);
}

#[test]
fn pieces_are_all_lines_in_order_and_long_ones_are_alone() {
    for together in [1, 3, 10, 1000] {
        let mut batch = Batch::default();
        let lines: [&[u8]; 6] = [b"a\n", b"bcdefgh\n", b"i\n", b"j\n", b"kl\n", b"mnopqrstuvwxyz\n"];
        lines.iter().for_each(|line| batch.push(line));
        let pieces: Vec<_> = batch.pieces_of(together).map(|piece| piece.bytes().to_vec()).collect();
        assert_eq!(pieces.concat(), lines.concat());
        for piece in pieces {
            let count = piece.iter().filter(|byte| **byte == b'\n').count();
            assert!(piece.ends_with(b"\n") && (piece.len() <= together || count == 1), "{piece:?}");
        }
    }
}

#[test]
fn end_waits_for_what_was_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pronk.log");
    let (log, guard) = open(Target::File(path.clone())).unwrap();
    logging(&log, Format::Json, || (0..5000).for_each(|number| tracing::info!(number, "said")));
    drop(guard);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((text.lines().count() as u64, log.lost()), (5000, 0));
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn log_file_that_cannot_be_opened_is_named() {
    let error = open(Target::File("/nowhere/pronk.log".into())).unwrap_err();
    assert!(error.to_string().starts_with("cannot open the log file /nowhere/pronk.log; "), "{error}");
}
