//! What is to be said about a configuration: mistakes, warnings and notes, each with its place.

use std::fmt;
use std::ops::Range;

use super::source::{At, Sources};
use crate::snippet::{Line, Snippet, Tone};
use crate::words::bounded_to;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is taken, and probably not what was meant.
    Warning,
    /// It is taken; there is something to know.
    Note,
}

/// Something to say about a configuration, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub message: String,
    pub help: Option<String>,
    pub place: Option<Box<Place>>,
}

/// A place in a file; line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: usize,
    pub column: usize,
    text: String,
    /// What it is about, in bytes of the text.
    span: Range<usize>,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Diagnostic {
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), help: None, place: None }
    }

    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    pub(super) fn at(mut self, sources: &Sources, at: At) -> Self {
        let (file, line, column, text) = sources.place(at);
        let start = text.char_indices().nth(column - 1).map_or(text.len(), |(start, _)| start);
        // Of a long line what is around it; more would not be drawn.
        let begin = text.floor_char_boundary(start.saturating_sub(AROUND));
        let end = text.ceil_char_boundary(start.saturating_add(AROUND).min(text.len()));
        let span = start - begin..(start - begin).saturating_add(at.length.min(AROUND));
        self.place = Some(Box::new(Place { file: file.into(), line, column, text: text[begin..end].into(), span }));
        self
    }

    /// Draws it as a compiler does; `color` is for terminals.
    pub fn render(&self, color: bool) -> String {
        let tone = match self.severity {
            Severity::Error => Tone::Error,
            Severity::Warning => Tone::Warning,
            Severity::Note => Tone::Note,
        };
        let place = self.place.as_deref();
        let lines = place.map(|place| Line {
            label: place.line.to_string(),
            heading: String::new(),
            text: place.text.clone(),
            span: Some(place.span.clone()),
        });
        Snippet {
            tone,
            word: self.severity.as_str(),
            code: None,
            message: &bounded_to(&self.message, MOST_LETTERS),
            place: place.map(|place| format!("{}:{}:{}", place.file, place.line, place.column)),
            lines: lines.into_iter().collect(),
            below: self.help.iter().map(|help| ("help", bounded_to(help, MOST_LETTERS).replace('\n', " "))).collect(),
        }
        .render(color)
    }
}

/// Everything there is to say about a configuration, or the first 500 things and how many more there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    told: Vec<Diagnostic>,
    left_out: usize,
    left_out_errors: bool,
}

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            self.leave_out(diagnostic.severity);
        } else {
            self.told.push(diagnostic);
        }
    }

    /// Adds others that are not there already, and how many of theirs were left out.
    pub fn absorb(&mut self, others: Self) {
        self.left_out += others.left_out;
        self.left_out_errors |= others.left_out_errors;
        self.extend(others.told);
    }

    /// Returns whether what comes next is counted only.
    pub(super) fn is_full(&self) -> bool {
        self.told.len() >= MOST
    }

    pub(super) fn leave_out(&mut self, severity: Severity) {
        self.left_out += 1;
        self.left_out_errors |= severity == Severity::Error;
    }

    /// Returns what to say of those that are left out.
    fn rest(&self) -> Option<Diagnostic> {
        let severity = if self.left_out_errors { Severity::Error } else { Severity::Note };
        let more = self.left_out;
        (more > 0).then(|| Diagnostic::new(severity, format!("there are {more} more mistakes and notes, not shown")))
    }

    /// In the order of the file; what has no place comes first.
    pub(super) fn sort(&mut self) {
        self.told.sort_by_key(|diagnostic| diagnostic.place.as_ref().map(|place| (place.line, place.column)));
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.told.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.left_out_errors || self.told.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub fn render(&self, color: bool) -> String {
        let all = self.told.iter().chain(&self.rest()).map(|diagnostic| diagnostic.render(color)).collect::<Vec<_>>();
        all.join("\n")
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(mut self) -> Self::IntoIter {
        self.told.extend(self.rest());
        self.told.into_iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    /// Adds those that are not there already.
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, more: T) {
        for diagnostic in more {
            if !self.told.contains(&diagnostic) {
                self.push(diagnostic);
            }
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { told: vec![diagnostic], ..Self::default() }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Mistakes that are told at once; nobody mends more before the next check.
const MOST: usize = 500;
/// Letters of a message, and of a remedy.
const MOST_LETTERS: usize = 2000;
/// Bytes of a line that are kept before and after the place in question.
const AROUND: usize = 1000;
