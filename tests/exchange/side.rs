//! One side of an exchange, as it follows its script.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::pattern;
use super::plan::{Amount, Begin, Finish, Hold, Pace, Plan, ReadFrom, Script, Side};
use super::sight::Sight;
use super::wire::{Read, Wire};

/// One side of an exchange while it goes on. What it has seen can be asked for at any time.
#[derive(Clone)]
pub struct Performance {
    plan: Arc<Plan>,
    side: Side,
    sight: Arc<Mutex<Sight>>,
    progress: watch::Sender<Progress>,
    told: Arc<Notify>,
    /// What the writer and the reader are doing.
    doing: Arc<Mutex<[&'static str; 2]>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    received: u64,
    reading_ended: bool,
    written: bool,
}

impl Performance {
    pub fn new(plan: &Arc<Plan>, side: Side) -> Self {
        let doing = Arc::new(Mutex::new(["has not begun"; 2]));
        let progress = watch::Sender::default();
        Self { plan: Arc::clone(plan), side, sight: Arc::default(), progress, told: Arc::default(), doing }
    }

    pub fn sight(&self) -> Sight {
        self.sight.lock().clone()
    }

    /// Tells a side that waits for it to end.
    pub fn tell(&self) {
        self.told.notify_one();
    }

    /// Waits until it has received so many bytes.
    pub async fn has_received(&self, count: u64) {
        self.until(|progress| progress.received >= count).await;
    }

    /// What the side is doing, for a report of an exchange that does not end.
    pub fn doing(&self) -> String {
        let [writer, reader] = *self.doing.lock();
        format!("the writer {writer}, the reader {reader}")
    }

    pub fn script(&self) -> &Script {
        self.plan.script(self.side)
    }

    pub fn others_script(&self) -> &Script {
        self.plan.script(self.side.other())
    }

    /// The stream that a side sends.
    fn stream(&self, sender: Side) -> u64 {
        self.plan.number * 2 + u64::from(sender == Side::Member)
    }

    /// Follows the script to its end, and closes the connection. A client says `first` before everything else.
    pub async fn play(&self, wire: Wire, first: &[u8]) {
        // Closed even where this is cancelled.
        let mut read_all = false;
        let left = {
            let (mut reading, mut writing) = (pin!(self.read(&wire)), pin!(self.write(&wire, first)));
            loop {
                // In random order: the one that is polled first may use up the task's budget (tokio::task::coop), and the other
                // would never have a turn.
                tokio::select! {
                    left = &mut writing => {
                        if !left && !read_all {
                            reading.await;
                        }
                        break left;
                    }
                    () = &mut reading, if !read_all => read_all = true,
                }
            }
        };
        let finish = self.script().finish;
        if left && matches!(finish, Finish::Reset { .. } | Finish::FinThenReset { .. }) {
            wire.reset();
        }
        *self.doing.lock() = ["is done"; 2];
    }

    /// Reads to the end.
    async fn read(&self, wire: &Wire) {
        let Script { read_from, read: Pace { chunk, pause }, .. } = *self.script();
        self.reader_is("waits to begin");
        match read_from {
            ReadFrom::AtOnce => {}
            ReadFrom::After(time) => sleep(time).await,
            ReadFrom::AfterWriting => self.until(|progress| progress.written).await,
        }
        self.reader_is("reads");
        let stream = self.stream(self.side.other());
        let mut paused = Duration::ZERO;
        let mut buffer = vec![0; chunk.min(pattern::LONGEST)];
        loop {
            match wire.read(&mut buffer).await {
                Read::End(end) => {
                    self.sight.lock().end = Some(end);
                    self.reader_is("is done");
                    break self.progress.send_modify(|progress| progress.reading_ended = true);
                }
                Read::Bytes(count) => {
                    let mut sight = self.sight.lock();
                    if sight.wrong_byte.is_none() {
                        sight.wrong_byte = pattern::wrong_byte(stream, sight.received, &buffer[..count]);
                    }
                    sight.received += count as u64;
                    self.progress.send_modify(|progress| progress.received = sight.received);
                }
            }
            if !pause.is_zero() && paused < LONGEST_DELAY {
                sleep(pause).await;
                paused += pause;
            }
        }
    }

    /// Sends what is to be sent and ends. Returns whether this side leaves; it goes on reading otherwise.
    async fn write(&self, wire: &Wire, first: &[u8]) -> bool {
        let script = self.script();
        let sent = self.send(wire, first).await;
        self.progress.send_modify(|progress| progress.written = true);
        self.writer_is("holds its end back");
        match script.hold {
            Hold::For(time) => sleep(time).await,
            Hold::UntilTold => self.told.notified().await,
            Hold::UntilTheOtherEnds => self.until(|progress| progress.reading_ended).await,
        }
        self.writer_is("ends");
        let finished = match (sent, script.finish) {
            (Err(error), _) => Err(error),
            (Ok(()), Finish::Fin | Finish::FinThenReset { .. }) => wire.finish().await,
            (Ok(()), Finish::Truncate) => wire.truncate(),
            (Ok(()), Finish::Close) => wire.notify().await,
            (Ok(()), Finish::Reset { .. } | Finish::Kill) => Ok(()),
        };
        if let Err(error) = finished {
            self.sight.lock().refused = Some(error.to_string());
        }
        if matches!(script.finish, Finish::FinThenReset { .. }) {
            sleep(FROM_FIN_TO_RESET).await;
        }
        let delivers = matches!(
            script.finish,
            Finish::Close | Finish::Reset { delivered: true } | Finish::FinThenReset { delivered: true }
        );
        if delivers {
            self.writer_is("waits until its bytes are delivered");
            self.sight.lock().undelivered = !wire.is_delivered().await;
        }
        self.writer_is("is done");
        self.sight.lock().left = script.finish.leaves();
        script.finish.leaves()
    }

    async fn send(&self, wire: &Wire, first: &[u8]) -> std::io::Result<()> {
        let Script { begin, bytes, write: Pace { chunk, pause }, .. } = *self.script();
        self.writer_is("writes what it says first");
        wire.write(first, |_| ()).await?;
        self.writer_is("waits to begin");
        match begin {
            Begin::AtOnce => {}
            Begin::AfterReceiving(count) => {
                self.until(|progress| progress.received >= count || progress.reading_ended).await;
            }
            Begin::AfterTheOthersEnd => self.until(|progress| progress.reading_ended).await,
        }
        self.writer_is("writes");
        let stream = self.stream(self.side);
        let (mut place, mut paused) = (0, Duration::ZERO);
        loop {
            let rest = match bytes {
                Amount::Bytes(all) => all - place,
                Amount::UntilRefused => u64::MAX,
            };
            if rest == 0 {
                return Ok(());
            }
            let count = rest.min(chunk as u64).min(pattern::LONGEST as u64);
            wire.write(&pattern::bytes(stream, place)[..count as usize], |taken| {
                self.sight.lock().sent += taken as u64;
            })
            .await?;
            place += count;
            if !pause.is_zero() && (bytes == Amount::UntilRefused || paused < LONGEST_DELAY) {
                sleep(pause).await;
                paused += pause;
            }
        }
    }

    /// Waits for what the reader or the writer of this side announces.
    async fn until(&self, is_so: impl Fn(&Progress) -> bool) {
        let mut progress = self.progress.subscribe();
        if progress.wait_for(|it| is_so(it)).await.is_err() {
            pending::<()>().await;
        }
    }

    fn writer_is(&self, doing: &'static str) {
        self.doing.lock()[0] = doing;
    }

    fn reader_is(&self, doing: &'static str) {
        self.doing.lock()[1] = doing;
    }
}

/// Long enough for the reset to be an event of its own, and short enough to hit whatever the FIN has set off.
const FROM_FIN_TO_RESET: Duration = Duration::from_millis(3);

/// How much pauses delay a side in all.
const LONGEST_DELAY: Duration = Duration::from_millis(400);
