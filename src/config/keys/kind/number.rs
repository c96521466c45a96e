//! Numbers and sizes within bounds.

use std::fmt::Display;
use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use super::read::Kind;
use crate::config::scalar;

/// A whole number or a size, within bounds.
pub(in crate::config::keys) struct Count<T> {
    least: u64,
    most: u64,
    of: PhantomData<fn() -> T>,
}

impl<T> Count<T> {
    pub(crate) const fn from(least: u64, most: u64) -> Self {
        Self { least, most, of: PhantomData }
    }
}

impl<T: TryFrom<u64> + Display + Default> Kind for Count<T> {
    type Value = T;

    fn describe(&self) -> String {
        format!("a number from {} to {}", self.least, self.most)
    }

    fn schema(&self) -> Json {
        json!({
            "anyOf": [
                { "type": "integer", "minimum": self.least, "maximum": self.most },
                { "type": "string", "pattern": "^[0-9]+ *(B|KiB|MiB|GiB)?$" },
            ]
        })
    }

    fn parse(&self, text: &str) -> Option<T> {
        let count = scalar::count(text).filter(|count| (self.least..=self.most).contains(count))?;
        T::try_from(count).ok()
    }

    fn absent(&self) -> T {
        T::try_from(self.least).unwrap_or_default()
    }

    fn tell(&self, value: &T) -> String {
        value.to_string()
    }
}

/// A port of TCP.
#[derive(Clone, Copy)]
pub(in crate::config::keys) struct Port;

impl Kind for Port {
    type Value = u16;

    fn describe(&self) -> String {
        "a number from 1 to 65535".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": ["integer", "string"], "minimum": 1, "maximum": 65535, "pattern": "^[0-9]{1,5}$" })
    }

    fn parse(&self, text: &str) -> Option<u16> {
        text.parse().ok().filter(|port| *port > 0)
    }

    fn absent(&self) -> u16 {
        0
    }

    fn tell(&self, value: &u16) -> String {
        value.to_string()
    }
}

/// A number where 0 means that there is none.
pub(in crate::config::keys) struct Limit<T>(Count<T>);

impl<T> Limit<T> {
    pub(crate) const fn to(most: u64) -> Self {
        Self(Count::from(0, most))
    }

    /// 0, or a number within bounds.
    pub(crate) const fn between(least: u64, most: u64) -> Self {
        Self(Count::from(least, most))
    }
}

impl<T: TryFrom<u64> + Display + Default> Kind for Limit<T> {
    type Value = Option<T>;

    fn describe(&self) -> String {
        let zero = if self.0.least > 0 { "0, or " } else { "" };
        format!("{zero}{}", self.0.describe())
    }

    fn schema(&self) -> Json {
        let mut schema = self.0.schema();
        if self.0.least > 0
            && let Some(kinds) = schema["anyOf"].as_array_mut()
        {
            kinds.push(json!({ "const": 0 }));
        }
        schema
    }

    fn parse(&self, text: &str) -> Option<Option<T>> {
        match scalar::count(text) {
            Some(0) => Some(None),
            _ => self.0.parse(text).map(Some),
        }
    }

    fn absent(&self) -> Option<T> {
        None
    }

    fn tell(&self, value: &Option<T>) -> String {
        value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
    }
}
