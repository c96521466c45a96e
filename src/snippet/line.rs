//! A line of the text in question and the carets below it, in columns of a terminal.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::printable::printable;

/// A line of the text in question.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Its number, or nothing.
    pub label: String,
    /// Begins the line and is never cut, such as the name of a field.
    pub heading: String,
    pub text: String,
    /// What the carets point at, in bytes of the text.
    pub span: Option<Range<usize>>,
}

/// A line as it is shown.
#[derive(Debug, PartialEq)]
pub(super) struct Drawn {
    pub text: String,
    /// How many columns the carets are indented by, and how many there are.
    pub carets: Option<(usize, usize)>,
}

impl Line {
    /// Draws the line within [`WIDTH`] columns: a longer one is cut to a window around what the carets point at.
    pub(super) fn draw(&self) -> Drawn {
        let (heading, text) = (printable(&self.heading), &self.text);
        let span = self.span.as_ref().map(|span| on_boundaries(text, span));
        let (start, end) = span.as_ref().map_or((0, 0), |span| (span.start, span.end));
        let parts = [&text[..start], &text[start..end], &text[end..]].map(without_tabs);
        let [before, pointed, after] = window(parts, WIDTH.saturating_sub(heading.width()));
        let carets = span.map(|_| (heading.width() + before.width(), pointed.width().max(1)));
        Drawn { text: format!("{heading}{before}{pointed}{after}"), carets }
    }
}

/// Returns the span without what exceeds the text, and widened to whole characters.
fn on_boundaries(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    start..text.ceil_char_boundary(span.end).max(start)
}

fn without_tabs(text: &str) -> String {
    printable(&text.replace('\t', TAB))
}

/// Cuts what is before the carets, above them and after them to so many columns in all. A little of what is before
/// stays in sight, and `…` is where something is missing.
fn window([before, pointed, after]: [String; 3], columns: usize) -> [String; 3] {
    if before.width() + pointed.width() + after.width() <= columns {
        return [before, pointed, after];
    }
    // Either end may need its mark.
    let room = columns.saturating_sub(2 * MORE.width());
    let orientation = before.width().min(room / 4);
    let kept = first_columns(&pointed, room - orientation);
    let kept_after = first_columns(&after, room - orientation - kept.width());
    let kept_before = last_columns(&before, room - kept.width() - kept_after.width());
    let mark = |is_cut: bool| if is_cut { MORE } else { "" };
    [
        format!("{}{kept_before}", mark(kept_before.len() < before.len())),
        kept.to_owned(),
        format!("{kept_after}{}", mark(kept.len() + kept_after.len() < pointed.len() + after.len())),
    ]
}

/// As many of a text's first characters as fit.
fn first_columns(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, letter)| {
        taken += width(*letter);
        taken > columns
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// As many of a text's last characters as fit; a mark does not stay without the letter that it is on.
fn last_columns(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let fitting = text.char_indices().rev().take_while(|(_, letter)| {
        taken += width(*letter);
        taken <= columns
    });
    let start = fitting.filter(|(_, letter)| width(*letter) > 0).last().map_or(text.len(), |(at, _)| at);
    &text[start..]
}

fn width(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

/// The most columns that a line's text takes.
const WIDTH: usize = 160;
const TAB: &str = "    ";
const MORE: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, span: Range<usize>) -> Drawn {
        Line { text: text.into(), span: Some(span), ..Line::default() }.draw()
    }

    /// Returns where `word` is in a text.
    fn of(text: &str, word: &str) -> Range<usize> {
        let start = text.find(word).unwrap();
        start..start + word.len()
    }

    #[test]
    fn carets_are_below_what_they_point_at() {
        for (text, shown, carets) in [
            ("key: value", "key: value", (5, 5)),
            ("\tkey:\tvalue", "    key:    value", (12, 5)),
            ("键: value", "键: value", (4, 5)),
            ("🦌🦌 value", "🦌🦌 value", (5, 5)),
            ("👩\u{200d}👧 value", "👩👧 value", (5, 5)),
            ("❤\u{fe0f} value", "❤ value", (2, 5)),
            ("e\u{301}\u{200b}: value", "e\u{301}\u{200b}: value", (3, 5)),
            ("ﾊﾛｰ: value", "ﾊﾛｰ: value", (5, 5)),
            ("a\x1b[2J\u{9b}\u{202e}: value", "a\u{fffd}[2J\u{fffd}\u{fffd}: value", (9, 5)),
        ] {
            assert_eq!(drawn(text, of(text, "value")), Drawn { text: shown.into(), carets: Some(carets) }, "{text:?}");
        }
    }

    #[test]
    fn carets_are_as_wide_as_what_they_point_at() {
        for (text, word, carets) in [
            ("a: 键键 b", "键键", (3, 4)),
            ("a: \t b", "\t", (3, 4)),
            ("a: e\u{301}e\u{301} b", "e\u{301}e\u{301}", (3, 2)),
            // One caret at least.
            ("a: \u{200b} b", "\u{200b}", (3, 1)),
        ] {
            assert_eq!(drawn(text, of(text, word)).carets, Some(carets), "{text:?}");
        }
    }

    #[test]
    fn spans_may_be_empty_at_the_end_or_off_the_text() {
        assert_eq!(drawn("key:", 1..1).carets, Some((1, 1)));
        assert_eq!(drawn("key:", 4..4).carets, Some((4, 1)));
        assert_eq!(drawn("", 0..0).carets, Some((0, 1)));
        assert_eq!(drawn("key:", 2..90).carets, Some((2, 2)));
        assert_eq!(drawn("key:", 80..90).carets, Some((4, 1)));
        // Within a character of three bytes.
        assert_eq!(drawn("a键b", 2..3).carets, Some((1, 2)));
        let unmarked = Line { text: "key:".into(), ..Line::default() };
        assert_eq!(unmarked.draw(), Drawn { text: "key:".into(), carets: None });
    }

    #[test]
    fn long_lines_are_cut_to_a_window_around_the_carets() {
        let line = |before: usize, word: &str, after: usize| {
            let text = format!("{}{word}{}", "b".repeat(before), "a".repeat(after));
            drawn(&text, before..before + word.len())
        };
        let expected = |text: String, indent, count| Drawn { text, carets: Some((indent, count)) };
        let (b, a) = (|count| "b".repeat(count), |count| "a".repeat(count));
        assert_eq!(line(0, "word", 8996), expected(format!("word{}…", a(154)), 0, 4));
        assert_eq!(line(4498, "word", 4498), expected(format!("…{}word{}…", b(39), a(115)), 40, 4));
        assert_eq!(line(8996, "word", 0), expected(format!("…{}word", b(154)), 155, 4));
        assert_eq!(line(9000, "", 0), expected(format!("…{}", b(158)), 159, 1));
        // What exactly fits is shown whole.
        assert_eq!(line(156, "word", 0), expected(format!("{}word", b(156)), 156, 4));
        // What is pointed at may be too long itself.
        assert_eq!(line(100, &"w".repeat(8900), 0), expected(format!("…{}{}…", b(39), "w".repeat(119)), 40, 119));
    }

    #[test]
    fn windows_are_cut_between_whole_letters() {
        let wide = "键".repeat(3000);
        for at in [0, 1, 1500, 1501, 2999] {
            let Drawn { text, carets } = drawn(&wide, at * 3..at * 3 + 3);
            let (indent, count) = carets.unwrap();
            assert!(text.width() <= WIDTH && count == 2 && indent < WIDTH, "{at}: {text}");
            assert_eq!(indent % 2, usize::from(text.starts_with(MORE)), "{at}: {text}");
        }
        let marked = "e\u{301}".repeat(3000);
        let Drawn { text, .. } = drawn(&marked, marked.len()..marked.len());
        assert!(text.starts_with("…e\u{301}"), "{text}");
    }

    #[test]
    fn headings_are_never_cut() {
        let text = "x".repeat(9000);
        let line = Line { heading: "名 Name: ".into(), span: Some(8999..9000), text, ..Line::default() };
        let Drawn { text, carets } = line.draw();
        assert!(text.starts_with("名 Name: …x"), "{text}");
        assert_eq!((text.width(), carets), (WIDTH - 1, Some((WIDTH - 2, 1))));
    }
}
