//! The fields of a line of text, as logfmt has them: `key=value`, and values with blanks in quotes.

use std::fmt;

use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use super::longest::bounded_value;

/// Returns how the fields of a line are written.
pub(super) fn logfmt() -> impl for<'a> FormatFields<'a> + Send + Sync + 'static {
    debug_fn(write).delimited(" ")
}

fn write(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    let value = bounded_value(&value);
    if field.name() == "message" {
        return writer.write_str(&message(&value));
    }
    let (dim, reset) = if writer.has_ansi_escapes() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    write!(writer, "{dim}{}={reset}{}", field.name(), quoted(&value))
}

/// Returns a value in quotes if it needs them. A text has them already.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
    if is_quoted(value) || !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("{value:?}")
}

/// Returns whether a value is in quotes from end to end, with those inside escaped.
fn is_quoted(value: &str) -> bool {
    let Some(inside) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return false };
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        if c == '"' || c == '\\' && characters.next().is_none() || c.is_control() {
            return false;
        }
    }
    true
}

/// Returns a message as it is read, on one line. What a reader of logfmt would take for a field of its own is quoted.
fn message(text: &str) -> String {
    if text.contains(['=', '"']) { format!("message={}", quoted(text)) } else { one_line(text) }
}

/// Returns a message without what would begin another line.
fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for c in message.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

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
            // A text that tracing has quoted.
            ("\"already quoted\"", "\"already quoted\""),
        ] {
            assert_eq!(quoted(value), written);
        }
        assert_eq!(one_line("one\ntwo\x1b[31m"), "one\\ntwo\\u{1b}[31m");
        assert_eq!(message("member down"), "member down");
        assert_eq!(message("the list of CN=CA is due"), "message=\"the list of CN=CA is due\"");
        assert_eq!(message("\"a\" is gone"), "message=\"\\\"a\\\" is gone\"");
    }
}
