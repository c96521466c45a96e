//! Durations within bounds. Bounds are in milliseconds.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::read::Kind;
use crate::config::scalar;

pub(in crate::config::keys) const SECOND: u64 = 1000;
pub(in crate::config::keys) const HOUR: u64 = 3600 * SECOND;
pub(in crate::config::keys) const DAY: u64 = 24 * HOUR;

/// A duration from one bound to the other.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Span(pub u64, pub u64);

impl Kind for Span {
    type Value = Duration;

    fn describe(&self) -> String {
        format!("a duration from {} to {}", scalar::in_units(self.0), scalar::in_units(self.1))
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "type": "integer", "minimum": u8::from(self.0 > 0) }, pattern()] })
    }

    fn parse(&self, text: &str) -> Option<Duration> {
        let bounds = u128::from(self.0)..=u128::from(self.1);
        scalar::duration(text).filter(|it| bounds.contains(&it.as_millis()))
    }

    fn absent(&self) -> Duration {
        Duration::from_millis(self.0)
    }

    fn tell(&self, value: &Duration) -> String {
        if value.is_zero() { "0s".into() } else { format!("{value:?}") }
    }

    fn hint(&self, written: &str) -> Option<String> {
        let help = "a number is of seconds; units are `ms`, `s`, `m`, `h` and `d`, such as 90s, 1.5s or 1h30m";
        scalar::duration(written).is_none().then(|| help.to_owned())
    }
}

/// A duration, or a word for one that never ends.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Never(pub &'static str, pub Span);

impl Kind for Never {
    type Value = Option<Duration>;

    fn describe(&self) -> String {
        format!("{}, or {}", self.1.describe(), self.0)
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": self.0 }, pattern()] })
    }

    fn parse(&self, text: &str) -> Option<Option<Duration>> {
        if text == self.0 { Some(None) } else { self.1.parse(text).map(Some) }
    }

    fn absent(&self) -> Option<Duration> {
        None
    }

    fn tell(&self, value: &Option<Duration>) -> String {
        value.map_or_else(|| self.0.to_owned(), |value| self.1.tell(&value))
    }

    fn hint(&self, written: &str) -> Option<String> {
        self.1.hint(written)
    }
}

/// A duration where 0 means that there is none.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct OrZero(pub Span);

impl Kind for OrZero {
    type Value = Option<Duration>;

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn schema(&self) -> Json {
        self.0.schema()
    }

    fn parse(&self, text: &str) -> Option<Option<Duration>> {
        self.0.parse(text).map(|it| Some(it).filter(|it| !it.is_zero()))
    }

    fn absent(&self) -> Option<Duration> {
        None
    }

    fn tell(&self, value: &Option<Duration>) -> String {
        value.map_or_else(|| "none".to_owned(), |value| self.0.tell(&value))
    }

    fn hint(&self, written: &str) -> Option<String> {
        self.0.hint(written)
    }
}

/// Returns what [`scalar::duration`] reads.
fn pattern() -> Json {
    json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?( *[a-z]+( *[0-9]+(\\.[0-9]+)? *[a-z]+)*)?$" })
}
