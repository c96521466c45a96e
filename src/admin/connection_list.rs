//! The list of open connections: of this process, with those of processes that drain.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::OwnedSemaphorePermit;

use super::answers::AskedProcess;
use crate::proxy::{OpenConnection, OpenConnections, OpenTls, Selection, SortBy};

/// Open connections.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedConnections {
    pub connections: Vec<ListedConnection>,
    /// How many there are of the kind that was asked for, listed or not.
    pub total: usize,
    /// Processes that drain after an upgrade, whose connections are listed too.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedConnection {
    /// Unique while pronk runs, over upgrades too, and `connection_id` in the log.
    pub id: u64,
    /// The process that has it.
    #[serde(default)]
    pub pid: u32,
    pub client: String,
    pub virtual_server: String,
    pub mode: String,
    /// accept, client-tls, first-byte, queue, connect, member-tls, relay, held or closing.
    pub phase: String,
    /// The pool of the member, or the pool in which one is looked for.
    pub pool: String,
    /// `node:port`; null until one is chosen.
    pub member: Option<String>,
    pub member_address: Option<String>,
    /// pronk's address toward the member, which the impalad shows as its client.
    pub local_address: Option<String>,
    pub client_tls: Option<ListedTls>,
    pub member_tls: Option<ListedTls>,
    /// The protocol of the client's first bytes, as in the log.
    pub opening: String,
    /// Bytes toward the member, within TLS where the virtual server terminates it.
    pub bytes_in: u64,
    /// Bytes from the member.
    pub bytes_out: u64,
    /// Seconds.
    pub age: f64,
    /// Seconds since bytes last passed, or a phase began.
    pub idle: f64,
    /// Whether the last bytes were the client's, so that the member owes an answer.
    pub awaits_answer: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedTls {
    pub version: String,
    pub cipher: String,
}

/// [`ListedConnections`], which are gathered while it is written.
pub(super) struct Listing {
    pub open: Arc<OpenConnections>,
    /// None where this process knows nothing of what is named.
    pub selection: Option<Selection>,
    pub sort: SortBy,
    pub limit: usize,
    /// Those of other processes, and how many these have.
    pub others: Vec<ListedConnection>,
    pub total_of_others: usize,
    pub processes: Vec<AskedProcess>,
    /// To keep those of other processes in memory.
    pub _permit: Option<OwnedSemaphorePermit>,
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Their numbers alone are kept; each is looked up when its turn comes.
        let own = self.selection.as_ref().map(|selection| self.open.sorted(selection, self.sort)).unwrap_or_default();
        let mut others: Vec<_> = self.others.iter().collect();
        others.sort_by(|one, other| other.weight(self.sort).total_cmp(&one.weight(self.sort)));
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("total", &own.len().saturating_add(self.total_of_others))?;
        map.serialize_entry("connections", &Rows { listing: self, own: &own, others: &others })?;
        map.serialize_entry("processes", &self.processes)?;
        map.end()
    }
}

/// The rows of a list; one that ended meanwhile is left out.
struct Rows<'a> {
    listing: &'a Listing,
    own: &'a [u64],
    others: &'a [&'a ListedConnection],
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { listing, own, others } = self;
        let find = |id: &u64| listing.open.find(*id).map(ListedConnection::from);
        let (mut own, mut others) = (own.iter().filter_map(find).peekable(), others.iter().peekable());
        let merged = std::iter::from_fn(|| match (own.peek(), others.peek()) {
            (Some(one), Some(other)) if one.weight(listing.sort) >= other.weight(listing.sort) => {
                own.next().map(Cow::Owned)
            }
            (_, Some(_)) => others.next().map(|row| Cow::Borrowed(*row)),
            (_, None) => own.next().map(Cow::Owned),
        });
        serializer.collect_seq(merged.take(listing.limit))
    }
}

impl ListedConnection {
    /// Returns the same connection after a time in which nothing has passed, as far as is known.
    pub(super) fn later(self, time: Duration) -> Self {
        let [age, idle] = [self.age, self.idle].map(|before| rounded(before + time.as_secs_f64()));
        Self { age, idle, ..self }
    }

    /// Returns what it is sorted by; the greatest comes first.
    fn weight(&self, sort: SortBy) -> f64 {
        match sort {
            SortBy::Age => self.age,
            SortBy::Idle => self.idle,
            SortBy::Bytes => self.bytes_in as f64 + self.bytes_out as f64,
        }
    }
}

impl From<OpenConnection> for ListedConnection {
    fn from(connection: OpenConnection) -> Self {
        let tls = |tls: OpenTls| ListedTls { version: tls.version.to_owned(), cipher: tls.cipher.to_owned() };
        Self {
            id: connection.id,
            pid: std::process::id(),
            client: connection.client.to_string(),
            virtual_server: connection.virtual_server.to_string(),
            mode: connection.mode.to_owned(),
            phase: connection.phase.as_str().to_owned(),
            pool: connection.pool.to_string(),
            member: connection.member.as_ref().map(ToString::to_string),
            member_address: connection.member_address.as_ref().map(ToString::to_string),
            local_address: connection.local_address.as_ref().map(ToString::to_string),
            client_tls: connection.client_tls.map(tls),
            member_tls: connection.member_tls.map(tls),
            opening: connection.opening.to_owned(),
            bytes_in: connection.bytes_in,
            bytes_out: connection.bytes_out,
            age: seconds(connection.age),
            idle: seconds(connection.idle),
            awaits_answer: connection.awaits_answer,
        }
    }
}

/// Returns seconds, to the millisecond.
pub(super) fn seconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64())
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;
    use crate::admin::json_body::json_body;

    /// Rows of other processes are kept in memory until they are written, or nobody reads them any more.
    #[tokio::test]
    async fn list_keeps_its_permit_until_its_reader_has_it_or_leaves_or_is_too_slow() {
        let names = r#""client":"10.0.0.1:1","virtual_server":"vs","mode":"plain","phase":"relay","pool":"p""#;
        let counts = r#""opening":"thrift","bytes_in":1,"bytes_out":1,"age":1.0,"idle":1.0,"awaits_answer":false"#;
        let row: ListedConnection = serde_json::from_str(&format!(r#"{{"id":1,{names},{counts}}}"#)).unwrap();
        let permits = Arc::new(Semaphore::new(1));
        let limits = [None, Some(Duration::from_secs(300)), Some(Duration::from_millis(50))];
        for (is_read, limit) in [true, false].into_iter().flat_map(|is_read| limits.map(|limit| (is_read, limit))) {
            let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
            let listing = Listing {
                open: Arc::default(),
                selection: None,
                sort: SortBy::Age,
                limit: usize::MAX,
                others: vec![row.clone(); 5000],
                total_of_others: 5000,
                processes: Vec::new(),
                _permit: Some(permit),
            };
            let body = json_body(listing, limit);
            if limit.is_some_and(|limit| limit < Duration::from_secs(1)) {
                // The thread that writes is done, before anything is read.
                drop(permits.acquire().await.unwrap());
                let cut_off = axum::body::to_bytes(body, usize::MAX).await;
                assert!(cut_off.is_err(), "it does not look whole");
                continue;
            }
            assert_eq!(permits.available_permits(), 0);
            if is_read {
                let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let list: ListedConnections = serde_json::from_slice(&text).unwrap();
                assert_eq!(list.connections.len(), 5000);
            } else {
                drop(body);
            }
            // The thread that writes is done.
            drop(permits.acquire().await.unwrap());
        }
    }
}
