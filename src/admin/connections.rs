//! Listing and ending open connections (`pronk show connections`, `pronk kill`). Ten thousand of them take some
//! milliseconds, and this is done on threads that may block.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::answers::AskedProcess;
use super::caller::Caller;
use super::connection_list::{ListedConnection, ListedConnections, Listing, seconds};
use super::connection_selection::{Which, Wrong, words};
use super::json_body::json_body;
use super::other_processes::{Elsewhere, LongAnswers, Reply, is_known, may_be_known};
use super::top_clients::TopClients;
use crate::control::Handle;
use crate::proxy::{Remaining, Selection, SortBy, Stop};
use crate::words::bounded;

/// Which connections to list, and how.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    id: Option<u64>,
    client: Option<String>,
    virtual_server: Option<String>,
    pool: Option<String>,
    node: Option<String>,
    member: Option<String>,
    /// age, idle or bytes.
    sort: Option<String>,
    /// How many to list; of top clients, how many for each member.
    limit: Option<usize>,
}

/// Which connections to end.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KillQuery {
    id: Option<u64>,
    client: Option<String>,
    virtual_server: Option<String>,
    pool: Option<String>,
    node: Option<String>,
    member: Option<String>,
    /// Whether only to count them.
    #[serde(default)]
    dry_run: bool,
}

/// How many connections were ended, or would be.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Killed {
    /// In all processes.
    pub connections: usize,
    /// Processes that drain after an upgrade, which were asked too.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
}

/// What is left of some connections.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    pub connections: usize,
    /// The age of the oldest in seconds.
    pub oldest: f64,
    /// In seconds.
    pub longest_idle: f64,
    /// How many wait for an answer of their member.
    pub awaiting_answer: usize,
}

impl Left {
    /// Adds what another process has left.
    pub(super) fn add(&mut self, other: &Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.oldest = self.oldest.max(other.oldest);
        self.longest_idle = self.longest_idle.max(other.longest_idle);
        self.awaiting_answer = self.awaiting_answer.saturating_add(other.awaiting_answer);
    }
}

impl From<Remaining> for Left {
    fn from(remaining: Remaining) -> Self {
        let Remaining { connections, oldest, longest_idle, awaiting_answer } = remaining;
        Self { connections, oldest: seconds(oldest), longest_idle: seconds(longest_idle), awaiting_answer }
    }
}

impl ListQuery {
    /// Returns the list as JSON of [`ListedConnections`], as fast as it is read.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) async fn list(self, handle: &Handle, elsewhere: &Elsewhere) -> Result<Body, Wrong> {
        let sort = match self.sort.as_deref() {
            None | Some("age") => SortBy::Age,
            Some("idle") => SortBy::Idle,
            Some("bytes") => SortBy::Bytes,
            Some(other) => {
                return Err(Wrong::Value(format!(
                    "connections are sorted by age, idle or bytes, found `{}`",
                    bounded(other)
                )));
            }
        };
        let limit = self.limit.unwrap_or(usize::MAX);
        let selection = Own::of(self.selection(handle))?;
        let most = limit.min(MOST_OF_OTHERS);
        let LongAnswers { replies, permit } = elsewhere.ask_at_length::<ListedConnections>(most).await;
        let processes = replies.iter().map(|reply| reply.told(|list| Some(list.total))).collect();
        let selection = selection.or_elsewhere(&replies)?;
        let (mut others, mut total_of_others) = (Vec::new(), 0);
        for Reply { pid, at, answer } in replies {
            let Ok(list) = answer else { continue };
            total_of_others = list.total.saturating_add(total_of_others);
            others.extend(list.connections.into_iter().map(|row| ListedConnection { pid, ..row }.later(at.elapsed())));
        }
        let open = Arc::clone(handle.open_connections());
        let within = permit.as_ref().map(|_| READ_WITHIN);
        let list = Listing { open, selection, sort, limit, others, total_of_others, processes, _permit: permit };
        Ok(json_body(list, within))
    }

    /// Returns the clients with the most connections of each member.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) async fn top(self, handle: &Handle, elsewhere: &Elsewhere) -> Result<TopClients, Wrong> {
        let limit = self.limit.unwrap_or(TOP_CLIENTS);
        let selection = Own::of(self.selection(handle))?;
        // Whoever has the most connections in all may be far down the list of each process.
        let LongAnswers { replies, permit } = elsewhere.ask_at_length::<TopClients>(MOST_OF_OTHERS).await;
        let selection = selection.or_elsewhere(&replies)?;
        let (open, serving) = (Arc::clone(handle.open_connections()), handle.serving());
        let merge = move || {
            let own = selection.map(|selection| TopClients::of(&open, &selection, &serving));
            let mut all = own.unwrap_or_default();
            let total = |top: &TopClients| top.members.iter().map(|member| member.connections as usize).sum();
            all.processes = replies.iter().map(|reply| reply.told(|top| Some(total(top)))).collect();
            replies.into_iter().filter_map(|reply| reply.answer.ok()).for_each(|other| all.add(other));
            all.sort(limit);
            drop(permit);
            all
        };
        blocking(merge).await
    }

    fn selection(self, handle: &Handle) -> Result<Selection, Wrong> {
        let Self { id, client, virtual_server, pool, node, member, .. } = self;
        Which { id, client, virtual_server, pool, node, member }.selection(handle)
    }
}

impl KillQuery {
    /// Ends the connections for a user with this id, and returns how many they are.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) async fn kill(self, handle: &Handle, caller: Caller, elsewhere: &Elsewhere) -> Result<Killed, Wrong> {
        let Self { id, client, virtual_server, pool, node, member, dry_run } = self;
        let Caller { who, why: reason, .. } = caller;
        let which = Which { id, client, virtual_server, pool, node, member };
        if which.is_all() {
            let needed = "name the connections: id, client, virtual_server, pool, node or member";
            return Err(Wrong::Value(needed.to_owned()));
        }
        let (own, open) = (Own::of(which.selection(handle))?, Arc::clone(handle.open_connections()));
        let selection = own.selection.clone();
        let kill = move || {
            let Some(selection) = selection else { return 0 };
            if dry_run {
                return open.remaining(&selection).connections;
            }
            let because = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let connections = open.stop(&selection, Stop::Killed, &Arc::from(format!("by {who}{because}")), None);
            tracing::info!(connections, %who, why = reason, selection = %words(&selection), "connections killed");
            connections
        };
        let connections = blocking(kill).await?;
        // A number is one connection's, whichever process has it.
        let replies = if id.is_some() && connections > 0 { Vec::new() } else { elsewhere.ask::<Killed>().await };
        own.or_elsewhere(&replies)?;
        let of_others = replies.iter().filter_map(|reply| Some(reply.answer.as_ref().ok()?.connections));
        let processes = replies.iter().map(|reply| reply.told(|killed| Some(killed.connections))).collect();
        Ok(Killed { connections: of_others.fold(connections, usize::saturating_add), processes })
    }
}

/// The connections of this process that are meant.
struct Own {
    /// None where this process knows nothing of what is named.
    selection: Option<Selection>,
    unknown: Option<String>,
}

impl Own {
    /// # Errors
    /// What is wrong with the query, whichever process is asked.
    fn of(selection: Result<Selection, Wrong>) -> Result<Self, Wrong> {
        match selection {
            Ok(selection) => Ok(Self { selection: Some(selection), unknown: None }),
            Err(Wrong::Name(unknown)) => Ok(Self { selection: None, unknown: Some(unknown) }),
            Err(wrong) => Err(wrong),
        }
    }

    /// Returns those of this process, if another one knows what is named where this one does not: its file may have been
    /// another one.
    ///
    /// # Errors
    /// Nobody knows it.
    fn or_elsewhere<T>(self, replies: &[Reply<T>]) -> Result<Option<Selection>, Wrong> {
        match self.unknown {
            Some(unknown) if !is_known(replies) => Err(Wrong::Name(unknown + &may_be_known(replies))),
            _ => Ok(self.selection),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Wrong> {
    spawn_blocking(work).await.map_err(|error| Wrong::Internal(format!("pronk itself failed ({error}); try again")))
}

/// Connections that are listed of each process that drains, and clients of each of its members: they are kept in memory
/// for the time.
const MOST_OF_OTHERS: usize = 20_000;
/// Within this time a list with those is read: others wait for their turn, and `TURN` in `other_processes` is shorter.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// Clients that are listed of each member, unless the query says another number.
const TOP_CLIENTS: usize = 10;
