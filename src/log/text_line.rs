//! An event as a line of text: a time, a level, a target, a message and fields as logfmt has them: `key=value`. Texts are in
//! quotes, and other values where they need them.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::MOST_LETTERS;
use super::timestamp::timestamp;
use crate::words::{bounded_to, escaped};

/// Writes the line of an event, in colour or not.
pub(super) fn text_line(event: &Event<'_>, now: SystemTime, color: bool, line: &mut Vec<u8>) {
    let metadata = event.metadata();
    let level = metadata.level();
    let [dim, level_color] = if color { [Style::new().dimmed(), color_of(*level)] } else { [Style::new(); 2] };
    let mut fields = Fields { line, dim };
    fields.colored(dim, &[&timestamp(now)]);
    fields.line.push(b' ');
    fields.colored(level_color, &[if level.as_str().len() < 5 { b" " } else { b"" }, level.as_str().as_bytes()]);
    fields.line.push(b' ');
    fields.colored(dim, &[metadata.target().as_bytes(), b":"]);
    event.record(&mut fields);
    fields.line.push(b'\n');
}

fn color_of(level: Level) -> Style {
    let color = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    };
    color.on_default()
}

/// Writes fields at the end of a line. Values are written in place and changed only where they have to be: most are short
/// and plain.
struct Fields<'a> {
    line: &'a mut Vec<u8>,
    dim: Style,
}

impl Fields<'_> {
    fn colored(&mut self, style: Style, parts: &[&[u8]]) {
        if style.is_plain() {
            parts.iter().for_each(|part| self.line.extend_from_slice(part));
        } else {
            self.write(format_args!("{style}{}{style:#}", String::from_utf8_lossy(&parts.concat())));
        }
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Only the value itself could fail to be written, and then its beginning is there.
        let _ = self.line.write_fmt(text);
    }

    fn key(&mut self, field: &Field) {
        self.line.push(b' ');
        if self.dim.is_plain() {
            self.line.extend_from_slice(field.name().as_bytes());
            return self.line.push(b'=');
        }
        self.colored(self.dim, &[field.name().as_bytes(), b"="]);
    }

    fn number(&mut self, field: &Field, value: impl serde::Serialize) {
        self.key(field);
        // Neither memory nor a number can fail to be written.
        let _ = serde_json::to_writer(&mut *self.line, &value);
    }

    /// Changes what was written since `start` where it has to be: if not all of it is plain.
    fn amend(&mut self, start: usize, is_plain: fn(u8) -> bool, amend: fn(&str) -> Option<String>) {
        let written = &self.line[start..];
        if !written.is_empty() && written.len() <= MOST_LETTERS && written.iter().all(|byte| is_plain(*byte)) {
            return;
        }
        let written = String::from_utf8_lossy(written);
        let bounded = bounded_to(&written, MOST_LETTERS);
        let value = match (amend(&bounded), bounded) {
            (Some(value), _) | (None, Cow::Owned(value)) => value,
            (None, Cow::Borrowed(_)) => return,
        };
        self.line.truncate(start);
        self.line.extend_from_slice(value.as_bytes());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.line.push(b' ');
            let start = self.line.len();
            self.write(format_args!("{value:?}"));
            return self.amend(start, is_plain_in_message, message);
        }
        self.key(field);
        let start = self.line.len();
        self.write(format_args!("{value:?}"));
        self.amend(start, is_plain, quoted);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.record_debug(field, &format_args!("{value}"));
        }
        self.key(field);
        if value.len() > MOST_LETTERS || !value.bytes().all(is_plain) {
            return self.write(format_args!("{:?}", bounded_to(value, MOST_LETTERS)));
        }
        self.line.push(b'"');
        self.line.extend_from_slice(value.as_bytes());
        self.line.push(b'"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let Some(thousandths) = thousandths(value) else { return self.number(field, value) };
        self.number(field, thousandths / 1000);
        let [hundreds, tens, ones] = [100, 10, 1].map(|unit| b'0' + (thousandths / unit % 10) as u8);
        let length = if ones > b'0' { 4 } else { 2 + usize::from(tens > b'0') };
        self.line.extend_from_slice(&[b'.', hundreds, tens, ones][..length]);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }
}

/// Returns whether a byte is a letter, a digit or a sign that needs no quotes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\')
}

/// Returns whether a byte is a letter, a digit, a blank or a sign that a message may have.
fn is_plain_in_message(byte: u8) -> bool {
    byte == b' ' || is_plain(byte) || byte == b'\\'
}

/// Returns a value in quotes if it needs them.
fn quoted(value: &str) -> Option<String> {
    (value.is_empty() || !value.bytes().all(is_plain)).then(|| format!("{value:?}"))
}

/// Returns a number in thousandths if it has no more places than three, as times have. Writing any number takes several
/// times as long.
fn thousandths(value: f64) -> Option<u64> {
    let thousandths = (value * 1e3).round();
    (value.is_sign_positive() && thousandths < 1e15 && thousandths / 1e3 == value).then_some(thousandths as u64)
}

/// Returns a message on one line if it has more. What a reader of logfmt would take for a field of its own is quoted.
fn message(text: &str) -> Option<String> {
    if text.contains(['=', '"']) {
        return Some(format!("message={text:?}"));
    }
    Some(escaped(text)).filter(|escaped| escaped != text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::layer::lines_of;
    use super::*;

    fn text(log: impl FnOnce()) -> String {
        let [line] = &lines_of(|event, line| text_line(event, SystemTime::UNIX_EPOCH, false, line), log)[..] else {
            panic!()
        };
        let rest = line.strip_prefix("1970-01-01T00:00:00.000000Z  INFO pronk::log::text_line::tests:").unwrap();
        rest.strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn values_with_blanks_quotes_or_equal_signs_are_quoted() {
        for (value, written) in [
            ("vs-impala", "vs-impala"),
            ("10.0.0.1:21050", "10.0.0.1:21050"),
            ("[::1]:21050", "[::1]:21050"),
            ("", "\"\""),
            ("cannot connect", "\"cannot connect\""),
            ("a=b", "\"a=b\""),
            ("a\nb", "\"a\\nb\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("back\\slash", "\"back\\\\slash\""),
            ("\"a\" and \"b\"", "\"\\\"a\\\" and \\\"b\\\"\""),
            ("\"a\"", "\"\\\"a\\\"\""),
            ("ünlü", "\"ünlü\""),
            // What a terminal would turn around.
            ("a\u{202e}b", "\"a\\u{202e}b\""),
        ] {
            assert_eq!(text(|| tracing::info!(%value, "said")), format!(" said value={written}"));
            let quoted = if written.starts_with('"') { written.to_owned() } else { format!("\"{written}\"") };
            assert_eq!(text(|| tracing::info!(value, "said")), format!(" said value={quoted}"));
        }
    }

    #[test]
    fn every_kind_of_value_is_written() {
        let error = std::io::Error::other("no room");
        let line = text(|| {
            tracing::info!(
                count = 7_u64,
                below = -7_i64,
                ms = 12.0,
                is = true,
                none = None::<u64>,
                some = Some("x"),
                error = &error as &dyn std::error::Error,
                "member {} down",
                "a"
            );
        });
        assert_eq!(line, " member a down count=7 below=-7 ms=12.0 is=true some=\"x\" error=\"no room\"");
        assert_eq!(text(|| tracing::info!(only = 1)), " only=1");
    }

    #[test]
    fn message_is_one_line_and_no_field() {
        for (said, written) in [
            ("one\ntwo\x1b[31m", "one\\ntwo\\u{1b}[31m"),
            ("a\u{202e}b\u{2028}", "a\\u{202e}b\\u{2028}"),
            ("member down", "member down"),
            ("the list of CN=CA is due", "message=\"the list of CN=CA is due\""),
            ("\"a\" is gone", "message=\"\\\"a\\\" is gone\""),
        ] {
            assert_eq!(text(|| tracing::info!("{said}")), format!(" {written}"));
            assert_eq!(text(|| tracing::info!(message = said)), format!(" {written}"));
        }
    }

    #[test]
    fn time_level_target_and_keys_are_coloured() {
        let line = lines_of(
            |event, line| text_line(event, SystemTime::UNIX_EPOCH, true, line),
            || tracing::warn!(target: "pronk", n = 1, "said"),
        );
        let time = "\x1b[2m1970-01-01T00:00:00.000000Z\x1b[0m";
        assert_eq!(line, [format!("{time} \x1b[33m WARN\x1b[0m \x1b[2mpronk:\x1b[0m said \x1b[2mn=\x1b[0m1\n")]);
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_json_has_them(number in any::<f64>(), thousandths in 0..1_000_000_000_000_u64) {
            for value in [number, thousandths as f64 / 1e3, (thousandths % 20_000) as f64 / 1e3] {
                let written = serde_json::to_string(&value).unwrap();
                prop_assert_eq!(text(|| tracing::info!(value, "said")), format!(" said value={written}"));
            }
        }

        #[test]
        fn values_of_any_text_are_bounded_and_whole(unit in ".{0,60}", times in 1_usize..300) {
            let value = unit.repeat(times);
            let line = text(|| tracing::info!(value, after = 1, "said"));
            let written = line.strip_prefix(" said value=").unwrap().strip_suffix(" after=1").unwrap();
            let bounded = bounded_to(&value, MOST_LETTERS);
            let quoted = format!("{bounded:?}");
            prop_assert_eq!(written, quoted);
            prop_assert!(!written.contains('\n'));
            let line = text(|| tracing::info!("{value}"));
            prop_assert!(!line.contains(char::is_control));
        }
    }
}
