//! A record of the audit log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::cert::date;
use crate::words::bounded;

/// Who asked for a change, what it was, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// When it was finished, such as `2027-02-03T04:05:06Z`.
    time: String,
    /// The process, as there are two of them during an upgrade.
    pid: u32,
    /// Such as `alice (uid 1000)`, `token prometheus` or `SIGHUP`.
    who: String,
    /// `socket`, `signal`, or the address and port of the client.
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Such as `POST /v1/reload`.
    what: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    outcome: Outcome,
    /// Of HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why it was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How many requests were refused before this one and are not recorded, as there were too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
}

/// From where a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The admin socket.
    Socket,
    Network(SocketAddr),
    Signal,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Done,
    /// Nothing changed.
    Refused,
    /// An internal error.
    Failed,
}

impl Record {
    /// Returns a record of something that was done just now.
    pub fn new(who: &str, from: Source, what: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        let from = match from {
            Source::Socket => "socket".to_owned(),
            Source::Network(address) => address.to_string(),
            Source::Signal => "signal".to_owned(),
        };
        Self {
            time: date::instant(now),
            pid: std::process::id(),
            who: bounded(who).into_owned(),
            from,
            role: None,
            what: bounded(what).into_owned(),
            parameters: BTreeMap::new(),
            why: None,
            outcome: Outcome::Done,
            status: None,
            error: None,
            left_out: None,
        }
    }

    /// Says what the asker may do.
    #[must_use]
    pub fn role(self, role: Option<&'static str>) -> Self {
        Self { role, ..self }
    }

    /// Says with which parameters, and why.
    #[must_use]
    pub fn asked(self, parameters: BTreeMap<String, String>, why: Option<String>) -> Self {
        Self { parameters, why, ..self }
    }

    /// Says that it was refused or failed, and for which reason.
    #[must_use]
    pub fn ended(self, outcome: Outcome, error: Option<&str>) -> Self {
        let error = error.map(|error| bounded(error).into_owned());
        Self { outcome, error, ..self }
    }

    /// Says with which status of HTTP it was answered.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    pub(super) fn left_out(self, count: u64) -> Self {
        Self { left_out: (count > 0).then_some(count), ..self }
    }

    /// Returns the record as one line.
    pub(super) fn line(&self) -> String {
        // It has texts and numbers alone, which can always be written.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_is_one_line_whatever_was_sent() {
        let record = Record::new("eve\n{\"who\":\"alice\"}", Source::Network(([10, 0, 0, 7], 5).into()), "POST /v1/x")
            .asked(BTreeMap::from([("name".to_owned(), "a\r\nb".to_owned())]), Some("\u{1b}[2J".to_owned()))
            .ended(Outcome::Refused, Some("no"))
            .status(403);
        let line = record.line();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.contains('\u{1b}'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&read["from"], &read["outcome"], &read["status"]),
            (&"10.0.0.7:5".into(), &"refused".into(), &403.into())
        );
        assert_eq!(read["parameters"]["name"], "a\r\nb");
    }
}
