//! Messages as a compiler shows them: what, where, the text in question with a caret, and what to do.

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Error,
    Warning,
    Note,
}

/// A message with the text that it is about.
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
    /// What stands below: `help`, `note`, each with its text. Further lines of a text are indented.
    pub below: Vec<(&'a str, String)>,
}

/// A line of the text in question.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number, or nothing.
    pub label: String,
    pub text: String,
    /// The first character to point at, from 0, and how many.
    pub caret: Option<(usize, usize)>,
}

impl Snippet<'_> {
    /// `color` is for terminals.
    pub fn render(&self, color: bool) -> String {
        let paint = match self.tone {
            Tone::Error => "\x1b[1;31m",
            Tone::Warning => "\x1b[1;33m",
            Tone::Note => "\x1b[1;36m",
        };
        let (paint, bold, plain) = if color { (paint, "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let code = self.code.map(|code| format!("[{code}]")).unwrap_or_default();
        let mut shown = format!("{paint}{}{code}{plain}{bold}: {}{plain}\n", self.word, printable(self.message));
        let width = self.lines.iter().map(|line| line.label.len()).max().unwrap_or(0);
        let margin = " ".repeat(width);
        if let Some(place) = &self.place {
            shown += &format!("{margin}--> {}\n", printable(place));
        }
        if !self.lines.is_empty() {
            shown += &format!("{margin} |\n");
        }
        for Line { label, text, caret } in &self.lines {
            shown += format!("{label:width$} | {}", printable(text)).trim_end();
            shown.push('\n');
            if let Some((column, length)) = caret {
                let (indent, carets) = (" ".repeat(*column), "^".repeat(*length));
                shown += &format!("{margin} | {indent}{paint}{carets}{plain}\n");
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

/// A text in which nothing acts on the terminal, as long as the text itself: carets stay where they belong.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
