//! An event as a line of JSON: one object with the time, the level, the message, the fields and the target.

use std::fmt::{self, Write};
use std::time::SystemTime;

use serde::Serialize;
use tracing::Event;
use tracing::field::{Field, Visit};

use super::MOST_LETTERS;
use super::timestamp::timestamp;
use crate::words::bounded_to;

/// Writes the line of an event.
pub(super) fn json_line(event: &Event<'_>, now: SystemTime, line: &mut Vec<u8>) {
    let metadata = event.metadata();
    let mut fields = Fields { line, text: String::new() };
    for part in [b"{\"timestamp\":\"", &timestamp(now)[..], b"\""] {
        fields.line.extend_from_slice(part);
    }
    fields.entry("level", metadata.level().as_str());
    event.record(&mut fields);
    fields.entry("target", metadata.target());
    fields.line.extend_from_slice(b"}\n");
}

/// Writes fields at the end of a line.
struct Fields<'a> {
    line: &'a mut Vec<u8>,
    /// A value that has no text of its own, as text.
    text: String,
}

impl Fields<'_> {
    fn entry(&mut self, key: &str, value: impl Serialize) {
        self.key(key);
        self.value(value);
    }

    fn key(&mut self, key: &str) {
        self.line.push(b',');
        self.value(key);
        self.line.push(b':');
    }

    fn value(&mut self, value: impl Serialize) {
        // Neither memory nor texts and numbers can fail to be written.
        let _ = serde_json::to_writer(&mut *self.line, &value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // Only the value itself could fail to be written, and then its beginning is there.
        let _ = write!(text, "{value:?}");
        self.entry(field.name(), bounded_to(&text, MOST_LETTERS));
        self.text = text;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.entry(field.name(), bounded_to(value, MOST_LETTERS));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.entry(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.entry(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.entry(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.entry(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::layer::lines_of;
    use super::*;

    fn line(log: impl FnOnce()) -> String {
        lines_of(|event, line| json_line(event, SystemTime::UNIX_EPOCH, line), log).remove(0)
    }

    #[test]
    fn every_kind_of_value_is_written() {
        let error = std::io::Error::other("no \"room\"");
        let line = line(|| {
            tracing::info!(
                target: "pronk::x",
                count = 7_u64,
                close.below = -7_i64,
                ms = 12.5,
                odd = f64::NAN,
                is = true,
                none = None::<u64>,
                some = Some("x\n"),
                shown = %"a b",
                debug = ?[1, 2],
                error = &error as &dyn std::error::Error,
                "member {} down",
                "a"
            );
        });
        let expected = "{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"INFO\",\"message\":\"member a down\",\
                        \"count\":7,\"close.below\":-7,\"ms\":12.5,\"odd\":null,\"is\":true,\"some\":\"x\\n\",\
                        \"shown\":\"a b\",\"debug\":\"[1, 2]\",\"error\":\"no \\\"room\\\"\",\"target\":\"pronk::x\"}\n";
        assert_eq!(line, expected);
    }

    proptest! {
        #[test]
        fn fields_of_any_text_are_bounded_and_whole(unit in ".{0,60}", times in 1_usize..300) {
            let value = unit.repeat(times);
            let line = line(|| tracing::info!(value, shown = %value, after = 1, "{value}"));
            prop_assert_eq!(line.matches('\n').count(), 1);
            let read: Value = serde_json::from_str(&line).unwrap();
            let bounded = bounded_to(&value, MOST_LETTERS);
            for key in ["value", "shown", "message"] {
                prop_assert_eq!(&read[key], &json!(bounded));
            }
            prop_assert_eq!(&read["after"], &json!(1));
        }
    }
}
