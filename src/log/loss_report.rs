//! Reporting lost lines: each loss is reported exactly once, and only while lines can be written.

use crate::reading::os_reason;
use std::io;
use std::ops::Sub;

/// How many lines were lost since the start, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Dropped, because the queue was full.
    pub dropped: u64,
    /// Queued, and could not be written.
    pub failed: u64,
}

/// The losses that were reported, and the report that is under way.
///
/// A loss is reported by a line of the log, which can be lost itself. It counts as reported when that line was written,
/// and while it is being written there is no second report.
#[derive(Debug, Default)]
pub(super) struct LossReports {
    reported: Lost,
    /// Lines that were written when [`due`](Self::due) was last asked.
    written: u64,
    report: ReportState,
}

/// The report under way, of all losses up to a certain one.
#[derive(Debug, Default)]
enum ReportState {
    #[default]
    None,
    Requested(Lost),
    Formatted(Lost, Vec<u8>),
    Writing(Lost),
}

impl LossReports {
    /// Returns the losses to be reported, given the lines that were lost and written since the start: all that were not
    /// reported yet, if lines were written since the last call.
    pub(super) fn due(&mut self, lost: Lost, written: u64) -> Option<Lost> {
        let writes = written > std::mem::replace(&mut self.written, written);
        if matches!(self.report, ReportState::Writing(_)) {
            return None;
        }
        // A report that has waited since the last time is replaced by one of all losses.
        self.report = ReportState::None;
        if !writes || lost == self.reported {
            return None;
        }
        self.report = ReportState::Requested(lost);
        Some(lost - self.reported)
    }

    /// Sets the line of the report that was due.
    pub(super) fn set_line(&mut self, line: &[u8]) {
        if let ReportState::Requested(lost) = self.report {
            self.report = ReportState::Formatted(lost, line.to_vec());
        }
    }

    /// Returns the line to be written, if there is one; [`set_written`](Self::set_written) follows.
    pub(super) fn take_line(&mut self) -> Option<Vec<u8>> {
        match std::mem::take(&mut self.report) {
            ReportState::Formatted(lost, line) => {
                self.report = ReportState::Writing(lost);
                Some(line)
            }
            other => {
                self.report = other;
                None
            }
        }
    }

    /// Sets whether the line that was taken was written. If it was not, the losses are due again.
    pub(super) fn set_written(&mut self, written: bool) {
        if let ReportState::Writing(lost) = std::mem::take(&mut self.report)
            && written
        {
            self.reported = lost;
        }
    }
}

impl Lost {
    pub(super) fn total(self) -> u64 {
        self.dropped + self.failed
    }

    /// Returns the text of the report, with the last error of writing.
    pub(super) fn describe(self, error: &io::Error) -> String {
        let Self { dropped, failed } = self;
        let total = match self.total() {
            1 => "1 log line was lost".to_owned(),
            total => format!("{total} log lines were lost"),
        };
        let (unread, error) = ("the log's reader did not keep up", os_reason(error));
        match (dropped, failed) {
            (_, 0) => format!("{total}: {unread}"),
            (0, _) => format!("{total}: they could not be written: {error}"),
            _ => format!("{total}: for {dropped} {unread}, and {failed} could not be written: {error}"),
        }
    }
}

impl Sub for Lost {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { dropped: self.dropped - earlier.dropped, failed: self.failed - earlier.failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Step {
        /// `due` with so many lines lost and written; what is to be told.
        Due(u64, u64, Option<u64>),
        Ready,
        /// `take`; whether there is a line.
        Take(bool),
        Done(bool),
    }
    use Step::{Done, Due, Ready, Take};

    #[test]
    fn loss_is_told_once_and_only_while_lines_are_written() {
        let told = &[Ready, Take(true), Done(true)][..];
        let cases: &[(&str, &[&[Step]])] = &[
            ("nothing lost", &[&[Due(0, 1, None), Due(0, 9, None), Take(false)]]),
            ("told once", &[&[Due(3, 1, Some(3))], told, &[Due(3, 2, None), Take(false)]]),
            ("a further loss is told alone", &[&[Due(3, 1, Some(3))], told, &[Due(5, 2, Some(2))], told]),
            ("not while nothing is written", &[&[Due(3, 0, None), Due(9, 0, None), Due(9, 1, Some(9))], told]),
            ("nor when writing stopped again", &[&[Due(0, 7, None), Due(3, 7, None), Take(false)]]),
            ("while some are written and some lost", &[&[Due(3, 1, Some(3))], told, &[Due(4, 2, Some(1))], told]),
            ("again when the line was lost", &[&[Due(3, 1, Some(3)), Ready, Take(true), Done(false), Due(3, 1, None)]]),
            (
                "all of it then",
                &[&[Due(3, 1, Some(3)), Ready, Take(true), Done(false), Due(5, 2, Some(5))], told, &[Due(5, 3, None)]],
            ),
            (
                "not twice while the line is being written",
                &[
                    &[
                        Due(3, 1, Some(3)),
                        Ready,
                        Take(true),
                        Due(8, 2, None),
                        Take(false),
                        Done(true),
                        Due(8, 3, Some(5)),
                    ],
                    told,
                ],
            ),
            ("a waiting line is replaced", &[&[Due(3, 1, Some(3)), Ready, Due(8, 2, Some(8))], told]),
            (
                "a waiting line goes when nothing is written",
                &[&[Due(3, 1, Some(3)), Ready, Due(8, 1, None), Take(false), Due(8, 2, Some(8))], told],
            ),
            ("a filter that lets no such line through", &[&[Due(3, 1, Some(3)), Take(false), Due(3, 2, Some(3))]]),
            ("a line that nobody asked for", &[&[Ready, Take(false), Done(true), Due(3, 1, Some(3))]]),
        ];
        for (case, steps) in cases {
            let mut reports = LossReports::default();
            for (at, step) in steps.iter().copied().flatten().enumerate() {
                let lost = |failed| Lost { dropped: 0, failed };
                match *step {
                    Due(failed, written, due) => {
                        assert_eq!(reports.due(lost(failed), written), due.map(lost), "{case}, step {at}");
                    }
                    Ready => reports.set_line(b"line"),
                    Take(some) => assert_eq!(reports.take_line().is_some(), some, "{case}, step {at}"),
                    Done(written) => reports.set_written(written),
                }
            }
        }
    }

    #[test]
    fn words_name_each_cause() {
        let full = io::Error::from_raw_os_error(28);
        for (dropped, failed, words) in [
            (1, 0, "1 log line was lost: the log's reader did not keep up"),
            (7, 0, "7 log lines were lost: the log's reader did not keep up"),
            (0, 2, "2 log lines were lost: they could not be written: no space left on device"),
            (
                7,
                2,
                "9 log lines were lost: for 7 the log's reader did not keep up, and 2 could not be written: no \
                 space left on device",
            ),
        ] {
            assert_eq!(Lost { dropped, failed }.describe(&full), words);
        }
    }
}
