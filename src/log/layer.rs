//! The layer of tracing that makes a line of each event. It goes to the queue, if it is not of a deferred record.

use std::cell::Cell;

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::deferred;
use super::json_line::json_line;
use super::lossy_queue::{LOSS_TARGET, LossyQueue};
use super::options::Format;
use super::state::LineKind;
use super::text_line::text_line;

/// Makes a line of each event and gives it to the queue. There are no spans in pronk.
pub(super) struct LineLayer {
    pub queue: LossyQueue,
    pub format: Format,
    /// Colours, in text.
    pub color: bool,
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // At the end of a thread its memory for lines is gone.
        let (now, mut line) = (deferred::time(), LINE.try_with(Cell::take).unwrap_or_default());
        match self.format {
            Format::Text => text_line(event, now, self.color, &mut line),
            Format::Json => json_line(event, now, &mut line),
        }
        if !deferred::take_line(&line) {
            let is_loss_report = event.metadata().target() == LOSS_TARGET;
            self.queue.give(if is_loss_report { LineKind::LossReport } else { LineKind::Ordinary }, &line);
        }
        line.clear();
        line.shrink_to(MOST_KEPT);
        let _ = LINE.try_with(|kept| kept.set(line));
    }
}

thread_local! {
    /// Memory for the next line of this thread, empty.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How much memory is kept, in bytes. The line of a connection has about a thousand.
const MOST_KEPT: usize = 4096;

/// Returns the lines that are made of what is logged.
#[cfg(test)]
pub(super) fn lines_of(
    write: impl Fn(&Event<'_>, &mut Vec<u8>) + Send + Sync + 'static,
    log: impl FnOnce(),
) -> Vec<String> {
    use std::sync::mpsc;

    use tracing_subscriber::layer::SubscriberExt;

    struct Lines<F>(F, mpsc::Sender<Vec<u8>>);

    impl<S: Subscriber, F: Fn(&Event<'_>, &mut Vec<u8>) + 'static> Layer<S> for Lines<F> {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut line = Vec::new();
            (self.0)(event, &mut line);
            self.1.send(line).unwrap();
        }
    }

    let (sender, lines) = mpsc::channel();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Lines(write, sender)), log);
    lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
}

/// Returns what is logged, as text: each line from its level on.
#[cfg(test)]
pub(crate) fn logged(log: impl FnOnce()) -> Vec<String> {
    let lines = lines_of(|event, line| text_line(event, std::time::SystemTime::UNIX_EPOCH, false, line), log);
    lines.iter().map(|line| line.trim_end().split_once(' ').unwrap().1.trim_start().to_owned()).collect()
}
