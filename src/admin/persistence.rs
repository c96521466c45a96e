//! Persistence records, to be looked at and deleted.

use std::net::IpAddr;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::pool::{RecordView, Records, Registry, Sharing};

/// Which records are meant; all of those that are told apart by nothing that is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Filter {
    pub virtual_server: Option<String>,
    /// An address, as it remains under the profile's mask.
    pub client: Option<String>,
    pub pool: Option<String>,
    /// `node:port`.
    pub member: Option<String>,
}

/// The records that a filter leaves.
#[derive(Debug, Serialize, Deserialize)]
pub struct Listed {
    pub records: Vec<Record>,
    /// Records that had to make room before they expired, since the start; of all tables.
    pub evicted: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// A virtual server's name, `address A` for those that share an address, `all` for those that share all.
    pub shared_by: String,
    pub client: String,
    pub pool: String,
    pub member: String,
    /// Connections that keep it.
    pub connections: u32,
    /// Seconds since one of them began or ended.
    pub idle: u64,
    /// Seconds that remain; null while connections keep it, or for ever.
    pub expires_in: Option<u64>,
}

/// How many were deleted.
#[derive(Debug, Serialize, Deserialize)]
pub struct Deleted {
    pub deleted: usize,
}

impl Filter {
    /// # Errors
    /// That the client is no address.
    pub fn list(&self, registry: &Registry) -> Result<Listed, String> {
        let (matches, now) = (self.compiled()?, Instant::now());
        let mut records = Vec::new();
        let mut evicted = 0;
        for (sharing, table) in registry.all_records() {
            evicted += table.evicted();
            if !self.names(&sharing) {
                continue;
            }
            let timeout = table.timeout();
            records.extend(table.list(&matches, now).into_iter().map(|record| {
                Record {
                    shared_by: words(&sharing),
                    client: record.client.to_string(),
                    pool: record.place.pool.to_string(),
                    member: record.place.member.to_string(),
                    connections: record.connections,
                    idle: record.idle.as_secs(),
                    expires_in: timeout
                        .filter(|_| record.connections == 0)
                        .map(|timeout| timeout.saturating_sub(record.idle).as_secs()),
                }
            }));
        }
        Ok(Listed { records, evicted })
    }

    /// Deletes; connections go on.
    ///
    /// # Errors
    /// That the client is no address.
    pub fn delete(&self, registry: &Registry) -> Result<Deleted, String> {
        let (matches, now) = (self.compiled()?, Instant::now());
        let tables = registry.all_records().into_iter().filter(|(sharing, _)| self.names(sharing));
        let of_table = |(_, table): (Sharing, std::sync::Arc<Records>)| table.delete(&matches, now);
        Ok(Deleted { deleted: tables.map(of_table).sum() })
    }

    /// Records that are shared belong to no virtual server alone.
    fn names(&self, sharing: &Sharing) -> bool {
        self.virtual_server.as_ref().is_none_or(|name| *sharing == Sharing::VirtualServer(name.as_str().into()))
    }

    fn compiled(&self) -> Result<impl Fn(&RecordView) -> bool, String> {
        let client = match &self.client {
            Some(text) => {
                let client =
                    text.parse::<IpAddr>().map_err(|_| format!("a client is an IP address, found `{text}`"))?;
                Some(client.to_canonical())
            }
            None => None,
        };
        Ok(move |record: &RecordView| {
            client.is_none_or(|client| client == record.client)
                && self.pool.as_ref().is_none_or(|pool| pool == record.place.pool.as_str())
                && self.member.as_ref().is_none_or(|member| *member == record.place.member.to_string())
        })
    }
}

fn words(sharing: &Sharing) -> String {
    match sharing {
        Sharing::VirtualServer(name) => name.to_string(),
        Sharing::Address(address) => format!("address {address}"),
        Sharing::All => "all".to_owned(),
    }
}
