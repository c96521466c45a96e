//! Waiting for something while its progress is shown, until it is done or Ctrl-C is pressed.

use std::io::{IsTerminal, stdout};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::admin_client::AdminAddress;
use super::screen;

/// A wait that Ctrl-C ends, and the line that shows how far it is.
pub(super) struct Waiting {
    runtime: Runtime,
    interrupt: Signal,
    is_terminal: bool,
    /// What was shown last, and when.
    shown: Option<(String, Instant)>,
    /// Since when there has been no answer.
    unanswered: Option<Instant>,
}

impl Waiting {
    /// Starts a wait. From now on Ctrl-C does not end the process by itself.
    ///
    /// # Errors
    /// The system refuses a resource.
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let interrupt = {
            let _entered = runtime.enter();
            signal(SignalKind::interrupt())?
        };
        Ok(Self { runtime, interrupt, is_terminal: stdout().is_terminal(), shown: None, unanswered: None })
    }

    /// Waits for a moment. Returns whether Ctrl-C was pressed, now or before.
    pub(super) fn pause(&mut self) -> bool {
        let Self { runtime, interrupt, .. } = self;
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = interrupt.recv() => true,
                () = tokio::time::sleep(EVERY) => false,
            }
        })
    }

    /// Asks how far it is. Returns nothing if there is no answer at this moment: another process may be taking over.
    ///
    /// # Errors
    /// There has been none for some seconds.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, admin: &AdminAddress, uri: &str) -> anyhow::Result<Option<T>> {
        match admin.get_within(uri, ANSWER) {
            Ok(answer) => {
                self.unanswered = None;
                Ok(Some(answer))
            }
            Err(error) if self.unanswered.get_or_insert_with(Instant::now).elapsed() > PATIENCE => {
                self.end_line()?;
                Err(error)
            }
            Err(_) => Ok(None),
        }
    }

    /// Shows how far it is: on a terminal in the same line again, otherwise when `what` is another, and now and then.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn show(&mut self, what: &str, times: &str) -> anyhow::Result<()> {
        if self.is_terminal {
            return screen::print(&format!("\r{what}{times}\x1b[K"));
        }
        let is_known = |(shown, when): &(String, Instant)| shown == what && when.elapsed() < AGAIN;
        if !self.shown.as_ref().is_some_and(is_known) {
            screen::print(&format!("{what}{times}\n"))?;
            self.shown = Some((what.to_owned(), Instant::now()));
        }
        Ok(())
    }

    /// Ends the line.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn end_line(&self) -> anyhow::Result<()> {
        if self.is_terminal { screen::print("\r\x1b[K") } else { Ok(()) }
    }
}

/// Returns a time in seconds as people write it: `7s`, `3m20s`, `5h07m`, `12d3h`.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if minutes == 0 => format!("{seconds}s"),
        () if hours == 0 => format!("{minutes}m{:02}s", seconds % 60),
        () if days == 0 => format!("{hours}h{:02}m", minutes % 60),
        () => format!("{days}d{}h", hours % 24),
    }
}

/// Returns a count of connections.
pub(super) fn connections(count: usize) -> String {
    if count == 1 { "1 connection".to_owned() } else { format!("{count} connections") }
}

const EVERY: Duration = Duration::from_millis(500);
/// How long one answer may take, as Ctrl-C waits for it.
const ANSWER: Duration = Duration::from_secs(5);
/// For so long it is asked again while there is no answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where there is no terminal, how far it is is shown at least so often.
const AGAIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_two_units() {
        let spans = [0.0, 59.9, 60.0, 200.0, 3600.0, 18_420.0, 90_000.0].map(span);
        assert_eq!(spans, ["0s", "59s", "1m00s", "3m20s", "1h00m", "5h07m", "1d1h"]);
    }
}
