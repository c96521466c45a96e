//! A message with the lines that it is about.

use anstyle::{AnsiColor, Style};

use super::line::{Drawn, Line};
use super::printable::printable;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Error,
    Warning,
    Note,
}

impl Tone {
    fn style(self) -> Style {
        let color = match self {
            Self::Error => AnsiColor::Red,
            Self::Warning => AnsiColor::Yellow,
            Self::Note => AnsiColor::Cyan,
        };
        color.on_default().bold()
    }
}

/// A message with the lines that it is about.
#[derive(Clone, Debug)]
pub struct Snippet<'a> {
    pub tone: Tone,
    /// What the message's kind is called, such as `warning`.
    pub word: &'a str,
    /// A stable code, shown in brackets.
    pub code: Option<&'a str>,
    pub message: &'a str,
    pub place: Option<String>,
    pub lines: Vec<Line>,
    /// What is below: `help`, `note`, each with its text. Further lines of a text are indented.
    pub below: Vec<(&'a str, String)>,
}

impl Snippet<'_> {
    /// Draws the message; `color` is for terminals.
    pub fn render(&self, color: bool) -> String {
        let (paint, bold) = if color { (self.tone.style(), Style::new().bold()) } else { Default::default() };
        let code = self.code.map(|code| format!("[{code}]")).unwrap_or_default();
        let message = printable(self.message);
        let mut shown = format!("{paint}{}{code}{paint:#}{bold}: {message}{bold:#}\n", self.word);
        let width = self.lines.iter().map(|line| line.label.len()).max().unwrap_or(0);
        let margin = " ".repeat(width);
        if let Some(place) = &self.place {
            shown += &format!("{margin}--> {}\n", printable(place));
        }
        if !self.lines.is_empty() {
            shown += &format!("{margin} |\n");
        }
        for line in &self.lines {
            let Drawn { text, carets } = line.draw();
            shown += format!("{:width$} | {text}", line.label).trim_end();
            shown.push('\n');
            if let Some((indent, count)) = carets {
                let (indent, carets) = (" ".repeat(indent), "^".repeat(count));
                shown += &format!("{margin} | {indent}{paint}{carets}{paint:#}\n");
            }
        }
        for (word, text) in &self.below {
            let mut lines = text.lines().map(printable);
            shown += &format!("  = {word}: {}\n", lines.next().unwrap_or_default());
            lines.for_each(|line| shown += &format!("      {line}\n"));
        }
        shown
    }
}
