//! Explaining which member serves a client (`pronk explain`), as JSON.

use std::net::IpAddr;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::control::Serving;
use crate::model::Name;
use crate::proxy::RecentConnection;

/// Which member would serve a client, and which members served it lately.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explained {
    pub virtual_server: String,
    pub client: String,
    /// How the member is chosen, step by step.
    pub steps: Vec<String>,
    /// `node:port`; null when the client would be refused or wait.
    pub member: Option<String>,
    /// The latest connections, newest first.
    #[serde(rename = "went")]
    pub recent: Vec<RecentConnectionView>,
}

/// A connection and its member.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecentConnectionView {
    pub seconds_ago: u64,
    pub member: String,
    /// Why this member was chosen, in words.
    pub why: String,
}

impl Explained {
    /// Explains `client`, an address, at a virtual server.
    ///
    /// # Errors
    /// There is no such virtual server, or `client` is no address.
    pub fn of(serving: &Serving, virtual_server: &str, client: &str) -> Result<Self, String> {
        let live = serving.virtual_servers.get(&Name::from(virtual_server)).ok_or_else(|| {
            let names: Vec<_> = serving.virtual_servers.keys().map(Name::as_str).collect();
            format!("there is no virtual server {virtual_server}; there are: {}", names.join(", "))
        })?;
        let client: IpAddr = client.parse().map_err(|_| format!("a client is an IP address, found `{client}`"))?;
        let client = client.to_canonical();
        let explanation = live.explain(client, Instant::now());
        let recent = live.recent_connections.of(client).into_iter().map(|connection| {
            let ago = SystemTime::now().duration_since(connection.when).unwrap_or_default();
            RecentConnectionView {
                seconds_ago: ago.as_secs(),
                why: why(&connection),
                member: connection.member.to_string(),
            }
        });
        Ok(Self {
            virtual_server: virtual_server.to_owned(),
            client: client.to_string(),
            steps: explanation.steps,
            member: explanation.member,
            recent: recent.collect(),
        })
    }
}

fn why(connection: &RecentConnection) -> String {
    let mut why = if connection.persisted { "persistence" } else { "the method" }.to_owned();
    match connection.failed {
        0 => {}
        1 => why += ", after another member failed it",
        more => why += &format!(", after {more} other members failed it"),
    }
    if let Some(queued) = connection.queued {
        why += &format!(", after {queued:.1?} in the queue");
    }
    why
}
