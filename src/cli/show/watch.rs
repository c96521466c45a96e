//! Showing statistics once, or again and again.

use std::io::{IsTerminal, stdout};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::rates::rates;
use super::stats::{self, Layout};
use super::status::Symbols;
use crate::admin::statistics::Stats;
use crate::cert::date::instant;
use crate::cli::admin_client::AdminAddress;
use crate::cli::screen::{self, out};
use crate::cli::values;

/// The options of `pronk show stats`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only what has this text in its name.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Show them again every so many seconds, by default 2; on a terminal in place.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = values::seconds)]
    watch: Option<Duration>,
    /// Show bits, packets and new connections per second, measured over the time of --watch or a second.
    #[arg(long)]
    rates: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminAddress,
}

/// Statistics as they were read, and when.
struct Reading {
    stats: Stats,
    at: Instant,
}

impl Args {
    pub(super) fn execute(&self) -> anyhow::Result<()> {
        let mut last: Option<Reading> = None;
        loop {
            let mut is_shown = true;
            match self.read() {
                Ok(now) if self.rates => {
                    // The first is only what the second is compared with.
                    is_shown = last.is_some();
                    if let Some(before) = &last {
                        self.show(&rates(&before.stats, &now.stats, (now.at - before.at).as_secs_f64()))?;
                    }
                    last = Some(now);
                }
                Ok(now) => {
                    self.show(&now.stats)?;
                    last = Some(now);
                }
                // It may be starting anew.
                Err(error) if self.watch.is_some() && last.is_some() => self.print(&format!("{error:#}\n"))?,
                Err(error) => return Err(error),
            }
            match self.watch {
                Some(every) => pause(every),
                None if is_shown => return Ok(()),
                None => pause(SECOND),
            }
        }
    }

    fn read(&self) -> anyhow::Result<Reading> {
        let mut stats: Stats = self.admin.get("/v1/stats")?;
        if let Some(text) = &self.search {
            stats::search(&mut stats, text);
        }
        Ok(Reading { stats, at: Instant::now() })
    }

    fn show(&self, stats: &Stats) -> anyhow::Result<()> {
        if self.json {
            // A line for each, where there are several.
            let text =
                if self.watch.is_some() { serde_json::to_string(stats) } else { serde_json::to_string_pretty(stats) };
            return out!("{}\n", text?);
        }
        let symbols = Symbols { has_color: screen::has_color(&stdout()) };
        let columns = size().map(|(columns, _)| columns);
        self.print(&stats::text(stats, Layout { symbols, columns, rates: self.rates }))
    }

    /// Prints a page. With `--watch` it takes the place of the last one on a terminal, and elsewhere says when it is of.
    fn print(&self, page: &str) -> anyhow::Result<()> {
        match (self.watch, size()) {
            (None, _) => out!("{page}"),
            (Some(_), Some((_, lines))) => out!("{CLEAR}{}", first_lines(page, lines.saturating_sub(1))),
            (Some(_), None) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
                out!("{}\n{page}\n", instant(now))
            }
        }
    }
}

/// Returns the columns and lines of the terminal that standard output is, if it is one.
fn size() -> Option<(usize, usize)> {
    let out = stdout();
    let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}

/// Returns as many lines as there is room for; the last says how many there are more.
fn first_lines(page: &str, most: usize) -> String {
    let lines: Vec<_> = page.lines().collect();
    if lines.len() <= most {
        return page.to_owned();
    }
    let kept = most.saturating_sub(1);
    let left = lines.len() - kept;
    format!("{}\n… {left} more lines; --search shows fewer\n", lines[..kept].join("\n"))
}

fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Moves the cursor to the top, and clears what is below.
const CLEAR: &str = "\x1b[H\x1b[J";
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_that_is_too_long_says_how_much_is_left() {
        assert_eq!(first_lines("a\nb\n", 2), "a\nb\n");
        assert_eq!(first_lines("a\nb\nc\nd\n", 3), "a\nb\n… 2 more lines; --search shows fewer\n");
    }
}
