//! What is to be said about a configuration: mistakes, warnings and notes, each with its place.

use std::fmt;
use std::ops::Range;

use super::source::{At, Sources};
use crate::snippet::{Line, Snippet, Tone};

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
        let span = start..start + at.length;
        self.place = Some(Box::new(Place { file: file.into(), line, column, text: text.into(), span }));
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
            message: &self.message,
            place: place.map(|place| format!("{}:{}:{}", place.file, place.line, place.column)),
            lines: lines.into_iter().collect(),
            below: self.help.iter().map(|help| ("help", help.replace('\n', " "))).collect(),
        }
        .render(color)
    }
}

/// Everything there is to say about a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// In the order of the file; what has no place comes first.
    pub(super) fn sort(&mut self) {
        self.0.sort_by_key(|diagnostic| diagnostic.place.as_ref().map(|place| (place.line, place.column)));
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub fn render(&self, color: bool) -> String {
        self.0.iter().map(|diagnostic| diagnostic.render(color)).collect::<Vec<_>>().join("\n")
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    /// Adds those that are not there already.
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, more: T) {
        for diagnostic in more {
            if !self.0.contains(&diagnostic) {
                self.0.push(diagnostic);
            }
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
