//! Why a client goes where it goes, for those who ask.

use std::net::IpAddr;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::control::Serving;
use crate::model::Name;
use crate::proxy::RecentConnection;

/// Where a client would go, and where it went.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explained {
    pub virtual_server: String,
    pub client: String,
    /// In plain words, one after the other.
    pub steps: Vec<String>,
    /// `node:port`; null when the client would be refused or wait.
    pub member: Option<String>,
    /// The latest connections, newest first.
    pub went: Vec<RecentConnectionView>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RecentConnectionView {
    pub seconds_ago: u64,
    pub member: String,
    /// What led there, in plain words.
    pub why: String,
}

impl Explained {
    /// Explains `client`, an address, at a virtual server.
    ///
    /// # Errors
    /// That there is no such virtual server, or that it is no address.
    pub fn of(serving: &Serving, virtual_server: &str, client: &str) -> Result<Self, String> {
        let live = serving.virtual_servers.get(&Name::from(virtual_server)).ok_or_else(|| {
            let names: Vec<_> = serving.virtual_servers.keys().map(Name::as_str).collect();
            format!("there is no virtual server {virtual_server}; there are: {}", names.join(", "))
        })?;
        let client: IpAddr = client.parse().map_err(|_| format!("a client is an IP address, found `{client}`"))?;
        let client = client.to_canonical();
        let explanation = live.explain(client, Instant::now());
        let went = live.recent_connections.of(client).into_iter().map(|went| {
            let ago = SystemTime::now().duration_since(went.when).unwrap_or_default();
            RecentConnectionView { seconds_ago: ago.as_secs(), why: why(&went), member: went.member.to_string() }
        });
        Ok(Self {
            virtual_server: virtual_server.to_owned(),
            client: client.to_string(),
            steps: explanation.steps,
            member: explanation.member,
            went: went.collect(),
        })
    }
}

fn why(went: &RecentConnection) -> String {
    let mut why = if went.persisted { "persistence" } else { "the method" }.to_owned();
    match went.failed {
        0 => {}
        1 => why += ", after another member failed it",
        more => why += &format!(", after {more} other members failed it"),
    }
    if let Some(queued) = went.queued {
        why += &format!(", after {queued:.1?} in the queue");
    }
    why
}
