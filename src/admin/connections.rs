//! Listing and ending open connections (`pronk show connections`, `pronk kill`). Ten thousand of them take some
//! milliseconds, and this is done on threads that may block.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use tokio::task::spawn_blocking;

use super::caller::Caller;
use super::json_body::json_body;
use super::persistence::check_name;
use crate::control::{Handle, Serving};
use crate::model::{MemberKey, Name};
use crate::proxy::{OpenConnection, OpenConnections, OpenTls, Remaining, Selection, SortBy, Stop};
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

/// Open connections.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedConnections {
    pub connections: Vec<ListedConnection>,
    /// How many there are of the kind that was asked for, listed or not.
    pub total: usize,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedConnection {
    /// Unique while pronk runs, and `connection_id` in the log.
    pub id: u64,
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

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedTls {
    pub version: String,
    pub cipher: String,
}

/// Who holds the connections of each member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct TopClients {
    pub members: Vec<TopOfMember>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct TopOfMember {
    pub pool: String,
    pub member: String,
    pub connections: u32,
    pub connection_limit: Option<u32>,
    /// Threads that the impalad has for clients, as its monitor read it.
    pub service_threads: Option<u64>,
    /// The clients with the most connections.
    pub clients: Vec<TopClient>,
    /// How many clients there are, listed or not.
    pub all_clients: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TopClient {
    pub client: String,
    pub connections: u32,
    /// How many of them wait for an answer of the member.
    pub awaiting_answer: u32,
    /// Seconds since the oldest began.
    pub oldest: f64,
    /// Seconds since bytes last passed over any of them.
    pub idle: f64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// How many connections were ended, or would be.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Killed {
    pub connections: usize,
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
    pub(super) fn list(self, handle: &Handle) -> Result<Body, Wrong> {
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
        let (selection, open) = (self.selection(handle)?, Arc::clone(handle.open_connections()));
        Ok(json_body(Listing { open, selection, sort, limit }))
    }

    /// Returns the clients with the most connections of each member.
    ///
    /// # Errors
    /// What is wrong with the query.
    pub(super) async fn top(self, handle: &Handle) -> Result<TopClients, Wrong> {
        let limit = self.limit.unwrap_or(TOP_CLIENTS);
        let (selection, open) = (self.selection(handle)?, Arc::clone(handle.open_connections()));
        let serving = handle.serving();
        blocking(move || TopClients::of(&open, &selection, &serving, limit)).await
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
    pub(super) async fn kill(self, handle: &Handle, caller: Caller) -> Result<Killed, Wrong> {
        let Self { id, client, virtual_server, pool, node, member, dry_run } = self;
        let Caller { who, why: reason, .. } = caller;
        let selection = Which { id, client, virtual_server, pool, node, member }.selection(handle)?;
        if selection == Selection::default() {
            let needed = "name the connections: id, client, virtual_server, pool, node or member";
            return Err(Wrong::Value(needed.to_owned()));
        }
        let open = Arc::clone(handle.open_connections());
        let kill = move || {
            if dry_run {
                return Killed { connections: open.remaining(&selection).connections };
            }
            let because = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let connections = open.stop(&selection, Stop::Killed, &Arc::from(format!("by {who}{because}")), None);
            tracing::info!(connections, %who, why = reason, selection = %words(&selection), "connections killed");
            Killed { connections }
        };
        blocking(kill).await
    }
}

/// What is wrong with a query.
#[derive(Debug)]
pub(super) enum Wrong {
    /// There is nothing of that name.
    Name(String),
    Value(String),
    Internal(String),
}

/// What says which connections are meant, as it is written.
struct Which {
    id: Option<u64>,
    client: Option<String>,
    virtual_server: Option<String>,
    pool: Option<String>,
    node: Option<String>,
    member: Option<String>,
}

impl Which {
    fn selection(self, handle: &Handle) -> Result<Selection, Wrong> {
        let client = self.client.as_deref().map(network).transpose()?;
        let (mut pool, mut member) = (self.pool.as_deref().map(Name::from), None);
        if let Some(text) = self.member.as_deref() {
            let (of_pool, key) = read_member(text)?;
            if of_pool.is_some() && pool.is_some() && of_pool != pool {
                return Err(Wrong::Value(format!("the member `{}` is of another pool", bounded(text))));
            }
            (pool, member) = (of_pool.or(pool), Some(key));
        }
        let name = |text: &String| Name::from(text.as_str());
        let (virtual_server, node) = (self.virtual_server.as_ref().map(name), self.node.as_ref().map(name));
        let selection = Selection { id: self.id, client, virtual_server, pool, node, member };
        check_names(&selection, &handle.serving(), handle.open_connections())?;
        Ok(selection)
    }
}

/// Reads an address or a network, such as `10.1.0.0/16`. IPv4 within IPv6 is IPv4.
fn network(text: &str) -> Result<IpNet, Wrong> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let canonical = |network: IpNet| match network {
        IpNet::V6(v6) if v6.prefix_len() >= MAPPED => match v6.addr().to_ipv4_mapped() {
            Some(v4) => IpNet::new(v4.into(), v6.prefix_len() - MAPPED).unwrap_or(network),
            None => network,
        },
        _ => network,
    };
    network.map(canonical).ok_or_else(|| {
        Wrong::Value(format!("a client is an IP address or a network such as 10.1.0.0/16, found `{}`", bounded(text)))
    })
}

/// Reads `node:port` or `pool/node:port`.
fn read_member(text: &str) -> Result<(Option<Name>, MemberKey), Wrong> {
    let (pool, key) = match text.rsplit_once('/') {
        Some((pool, key)) => (Some(Name::from(pool)), key),
        None => (None, text),
    };
    let key = key.rsplit_once(':').and_then(|(node, port)| {
        let port = port.parse().ok()?;
        Some(MemberKey { node: Name::from(node), port })
    });
    let wrong = || Wrong::Value(format!("a member is `node:port` or `pool/node:port`, found `{}`", bounded(text)));
    Ok((pool, key.ok_or_else(wrong)?))
}

/// Refuses names that nothing has: an empty answer would look like one without connections. What a reload removed may
/// still have some.
fn check_names(selection: &Selection, serving: &Serving, open: &OpenConnections) -> Result<(), Wrong> {
    let Selection { virtual_server, pool, node, member, .. } = selection.clone();
    let members = || serving.pools.values().flat_map(|pool| &pool.members);
    let check = |what: &str, name: Option<String>, known: BTreeSet<String>, only: Selection| {
        check_name(what, name.as_deref(), &known).or_else(|unknown| match open.remaining(&only).connections {
            0 => Err(Wrong::Name(unknown)),
            _ => Ok(()),
        })
    };
    let none = Selection::default();
    let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
    let known = serving.virtual_servers.keys().map(ToString::to_string).collect();
    check("virtual server", text(&virtual_server), known, Selection { virtual_server, ..none.clone() })?;
    let known = serving.pools.keys().map(ToString::to_string).collect();
    check("pool", text(&pool), known, Selection { pool, ..none.clone() })?;
    let known = members().map(|member| member.key.node.to_string()).collect();
    check("node", text(&node), known, Selection { node, ..none.clone() })?;
    let known = members().map(|member| member.key.to_string()).collect();
    check("member", member.as_ref().map(ToString::to_string), known, Selection { member, ..none })
}

/// [`ListedConnections`], which are gathered while it is written.
struct Listing {
    open: Arc<OpenConnections>,
    selection: Selection,
    sort: SortBy,
    limit: usize,
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Their numbers alone are kept; each is looked up when its turn comes.
        let sorted = self.open.sorted(&self.selection, self.sort);
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("total", &sorted.len())?;
        map.serialize_entry("connections", &Rows(self, &sorted))?;
        map.end()
    }
}

/// The rows of a list; one that ended meanwhile is left out.
struct Rows<'a>(&'a Listing, &'a [u64]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(listing, ids) = self;
        let rows = ids.iter().filter_map(|id| listing.open.find(*id)).take(listing.limit);
        serializer.collect_seq(rows.map(ListedConnection::from))
    }
}

impl From<OpenConnection> for ListedConnection {
    fn from(connection: OpenConnection) -> Self {
        let tls = |tls: OpenTls| ListedTls { version: tls.version.to_owned(), cipher: tls.cipher.to_owned() };
        Self {
            id: connection.id,
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

impl TopClients {
    fn of(open: &OpenConnections, selection: &Selection, serving: &Serving, limit: usize) -> Self {
        let mut members: BTreeMap<(Name, MemberKey), HashMap<IpAddr, TopClient>> = BTreeMap::new();
        open.each(selection, |connection| {
            let Some(member) = connection.member.clone() else { return };
            let clients = members.entry((connection.pool.clone(), member)).or_default();
            clients.entry(connection.client.ip()).or_insert_with(|| TopClient::new(&connection)).add(&connection);
        });
        let members = members.into_iter().map(|((pool, member), clients)| {
            let of_pool = serving.pools.get(&pool).into_iter().flat_map(|pool| &pool.members);
            let known = of_pool.into_iter().find(|it| it.key == member);
            let mut clients: Vec<_> = clients.into_values().collect();
            clients.sort_by(|one, other| (other.connections, &one.client).cmp(&(one.connections, &other.client)));
            let (connections, all_clients) = (clients.iter().map(|client| client.connections).sum(), clients.len());
            clients.truncate(limit);
            TopOfMember {
                pool: pool.to_string(),
                member: member.to_string(),
                connections,
                connection_limit: known.and_then(|it| it.config.connection_limit),
                service_threads: known.and_then(|it| it.live.measurement()?.service_threads),
                clients,
                all_clients,
            }
        });
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|member| std::cmp::Reverse(member.connections));
        Self { members }
    }
}

impl TopClient {
    fn new(connection: &OpenConnection) -> Self {
        let client = connection.client.ip().to_string();
        let idle = seconds(connection.idle);
        Self { client, connections: 0, awaiting_answer: 0, oldest: 0.0, idle, bytes_in: 0, bytes_out: 0 }
    }

    fn add(&mut self, connection: &OpenConnection) {
        self.connections += 1;
        self.awaiting_answer += u32::from(connection.awaits_answer);
        self.oldest = self.oldest.max(seconds(connection.age));
        self.idle = self.idle.min(seconds(connection.idle));
        self.bytes_in += connection.bytes_in;
        self.bytes_out += connection.bytes_out;
    }
}

/// Says which connections are meant, for the log.
fn words(selection: &Selection) -> String {
    let Selection { id, client, virtual_server, pool, node, member } = selection;
    let all = [
        id.map(|id| format!("connection {id}")),
        client.map(|client| format!("client {client}")),
        virtual_server.as_ref().map(|name| format!("virtual-server {name}")),
        pool.as_ref().map(|name| format!("pool {name}")),
        node.as_ref().map(|name| format!("node {name}")),
        member.as_ref().map(|member| format!("member {member}")),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Wrong> {
    spawn_blocking(work).await.map_err(|error| Wrong::Internal(format!("pronk itself failed ({error}); try again")))
}

/// Returns seconds, to the millisecond.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

/// Bits before the IPv4 address in an IPv6 address that stands for one.
const MAPPED: u8 = 96;
/// Clients that are listed of each member, unless the query says another number.
const TOP_CLIENTS: usize = 10;
