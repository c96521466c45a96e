//! Explaining which member serves a client (`pronk explain`), as JSON.

use std::net::IpAddr;
use std::time::{Instant, SystemTime};

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answers::{Refusal, refused};
use crate::control::Serving;
use crate::model::Name;
use crate::proxy::RecentConnection;
use crate::words::{MOST_NAMES, bounded, bounded_to, first_of};

/// Which member would serve a client, and which members served it lately.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    pub virtual_server: String,
    pub client: String,
    /// How the member is chosen, step by step.
    pub steps: Vec<String>,
    /// `node:port`; null when the client would be refused or wait.
    pub member: Option<String>,
    /// The close reason, if the client would be refused at once.
    #[serde(default)]
    pub refused: Option<String>,
    /// The latest connections, newest first.
    #[serde(rename = "went")]
    pub recent: Vec<RecentConnectionView>,
}

/// A connection and its member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
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
    /// There is no such virtual server (404), or `client` is no address (422).
    pub(super) fn of(serving: &Serving, virtual_server: &str, client: &str) -> Result<Self, Refusal> {
        let live = serving.virtual_servers.get(&Name::from(virtual_server)).ok_or_else(|| {
            let names = first_of(serving.virtual_servers.keys().map(ToString::to_string), MOST_NAMES);
            let error = format!("there is no virtual server {}; there are: {names}", bounded(virtual_server));
            refused(StatusCode::NOT_FOUND, error)
        })?;
        let client: IpAddr = client.parse().map_err(|_| {
            let error = format!("a client is an IP address, found `{}`", bounded(client));
            refused(StatusCode::UNPROCESSABLE_ENTITY, error)
        })?;
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
            steps: steps(explanation.steps),
            member: explanation.member,
            refused: explanation.refused.map(|reason| reason.to_string()),
            recent: recent.collect(),
        })
    }
}

/// Returns the steps, or the first of very many, as a pool may have many members.
fn steps(mut steps: Vec<String>) -> Vec<String> {
    let more = steps.len().saturating_sub(MOST_STEPS);
    steps.truncate(MOST_STEPS);
    steps.iter_mut().for_each(|step| *step = bounded_to(step, MOST_LETTERS).into_owned());
    if more > 0 {
        steps.push(format!("and {more} more steps"));
    }
    steps
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

/// Steps that are told, and letters of each.
const MOST_STEPS: usize = 200;
const MOST_LETTERS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trail_through_many_members_ends() {
        let told = steps(vec!["x".repeat(5000); 5000]);
        assert_eq!((told.len(), told[0].chars().count()), (MOST_STEPS + 1, MOST_LETTERS + 1));
        assert_eq!(told[MOST_STEPS], "and 4800 more steps");
        assert_eq!(steps(vec!["one".to_owned()]), ["one"]);
    }
}
