//! Listing and deleting persistence records (`pronk persistence`). A million of them take a second, so this is done on
//! threads that may block.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use tokio::task::spawn_blocking;

use super::json_body::json_body;
use crate::config::did_you_mean;
use crate::control::Serving;
use crate::pool::{RecordView, Records, Registry, Sharing};
use crate::words::bounded;

/// Which records to list or delete: those that match every field that is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    pub virtual_server: Option<String>,
    /// An address, as it remains under the profile's mask.
    pub client: Option<String>,
    pub pool: Option<String>,
    /// `node:port`.
    pub member: Option<String>,
    /// Every record. A deletion must set it, or give another field.
    #[serde(default)]
    pub all: bool,
}

/// The records that match a filter.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    pub records: Vec<ListedRecord>,
    /// Records of all tables that were evicted before they expired, since the start.
    pub evicted: u64,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedRecord {
    /// A virtual server's name, `address A` for those that share an address, `all` for those that share all.
    pub shared_by: String,
    pub client: String,
    pub pool: String,
    pub member: String,
    /// Connections that use it.
    pub connections: u32,
    /// Seconds since one of them began or ended.
    pub idle: u64,
    /// Seconds until it expires; null while connections use it, and if it never does.
    pub expires_in: Option<u64>,
}

/// How many records were deleted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    pub deleted: usize,
}

impl Filter {
    /// Returns whether it says which records to delete, or all.
    pub(super) fn is_explicit(&self) -> bool {
        let Self { virtual_server, client, pool, member, all } = self;
        *all || [virtual_server, client, pool, member].iter().any(|given| given.is_some())
    }

    /// Selects the registry's records that match.
    ///
    /// # Errors
    /// The client is no address.
    pub fn select(self, registry: &Registry) -> Result<Selection, String> {
        let parsed = |text: &String| match text.parse::<IpAddr>() {
            Ok(client) => Ok(client.to_canonical()),
            Err(_) => Err(format!("a client is an IP address, found `{}`", bounded(text))),
        };
        let client = self.client.as_ref().map(parsed).transpose()?;
        let mut tables = registry.all_records();
        let evicted = tables.iter().map(|(_, table)| table.evicted()).sum();
        tables.retain(|(sharing, _)| self.names(sharing));
        Ok(Selection { filter: self, client, tables, evicted })
    }

    /// Refuses names that nothing has: an empty answer would look like one without records.
    ///
    /// # Errors
    /// Which name is not known, and what may have been meant.
    pub fn check_names(&self, registry: &Registry, serving: &Serving) -> Result<(), String> {
        let draining = registry.draining();
        let members = serving.pools.values().flat_map(|pool| pool.members.iter().map(|it| it.key.to_string()));
        let members = members.chain(draining.iter().map(|it| it.member.to_string())).collect();
        let pools = serving.pools.keys().chain(draining.iter().map(|it| &it.pool)).map(ToString::to_string).collect();
        let virtual_servers = serving.virtual_servers.keys().map(ToString::to_string).collect();
        check_name("virtual server", self.virtual_server.as_deref(), &virtual_servers)?;
        check_name("pool", self.pool.as_deref(), &pools)?;
        check_name("member", self.member.as_deref(), &members)
    }

    /// Returns whether a table's records may match. Records that are shared belong to no single virtual server.
    fn names(&self, sharing: &Sharing) -> bool {
        self.virtual_server.as_ref().is_none_or(|name| *sharing == Sharing::VirtualServer(name.as_str().into()))
    }
}

/// Refuses a name that nothing has.
///
/// # Errors
/// The name is not known, and what may have been meant.
pub(super) fn check_name(what: &str, wanted: Option<&str>, known: &BTreeSet<String>) -> Result<(), String> {
    match wanted {
        Some(wanted) if !known.contains(wanted) => {
            let meant = did_you_mean(wanted, known.iter().map(String::as_str));
            Err(format!(
                "there is no {what} `{}`{}",
                bounded(wanted),
                meant.map(|it| format!("; {it}")).unwrap_or_default()
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// The tables of a registry, and the filter for their records.
#[derive(Debug)]
pub struct Selection {
    filter: Filter,
    client: Option<IpAddr>,
    tables: Vec<(Sharing, Arc<Records>)>,
    evicted: u64,
}

impl Selection {
    /// Returns the records, as [`Listed`] in JSON, as fast as they are read.
    pub fn list(self) -> Body {
        json_body(Listing { evicted: self.evicted, records: self }, None)
    }

    /// Deletes the records, and logs how many. Connections go on.
    ///
    /// # Errors
    /// An internal error.
    pub async fn delete(self) -> Result<Deleted, String> {
        let delete = move || {
            let now = Instant::now();
            let of_table = |(_, table): &(_, Arc<Records>)| table.delete(|record| self.matches(record), now);
            let deleted = self.tables.iter().map(of_table).sum();
            tracing::info!(records = deleted, "persistence records deleted");
            Deleted { deleted }
        };
        let failed = |error| format!("pronk itself failed to delete all of the records ({error}); try again");
        spawn_blocking(delete).await.map_err(failed)
    }

    fn matches(&self, record: &RecordView) -> bool {
        let Filter { pool, member, .. } = &self.filter;
        self.client.is_none_or(|client| client == record.client)
            && pool.as_ref().is_none_or(|pool| pool == record.target.pool.as_str())
            && member.as_ref().is_none_or(|member| *member == record.target.member.to_string())
    }

    /// Returns the records, table by table and by client.
    fn records(&self) -> impl Iterator<Item = ListedRecord> {
        let now = Instant::now();
        self.tables.iter().flat_map(move |(sharing, table)| {
            let timeout = table.timeout();
            table.list(|record| self.matches(record), now).into_iter().map(move |record| ListedRecord {
                shared_by: words(sharing),
                client: record.client.to_string(),
                pool: record.target.pool.to_string(),
                member: record.target.member.to_string(),
                connections: record.connections,
                idle: record.idle.as_secs(),
                expires_in: timeout
                    .filter(|_| record.connections == 0)
                    .map(|timeout| timeout.saturating_sub(record.idle).as_secs()),
            })
        })
    }
}

/// [`Listed`], whose records are gathered while it is written.
#[derive(Serialize)]
struct Listing {
    #[serde(serialize_with = "one_by_one")]
    records: Selection,
    evicted: u64,
}

fn one_by_one<S: Serializer>(selection: &Selection, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(selection.records())
}

fn words(sharing: &Sharing) -> String {
    match sharing {
        Sharing::VirtualServer(name) => name.to_string(),
        Sharing::Address(address) => format!("address {address}"),
        Sharing::All => "all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::admin::json_body::CHUNKS_AHEAD;
    use crate::model::profile::{Affinity, Persistence, PersistenceKind, SourceMask};
    use crate::model::{Address, LoadBalancing, Member, Name, Node, Pool};
    use crate::pool::{Asker, Sticky};

    const CLIENTS: u32 = 5000;

    fn one_thread() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    /// Returns a registry with records of that many clients of `vs`, the last of which is connected.
    fn registry() -> (Registry, Vec<impl Drop>) {
        let registry = Registry::default();
        let node = Node::new(Name::from("a"), Address::Ip([127, 0, 0, 1].into()));
        let members = vec![Arc::new(Member::new(Arc::new(node), 21050))];
        let pool = Pool::new(Name::from("impala"), LoadBalancing::RoundRobin, members);
        let pool = crate::pool::Pool::join(&Arc::new(pool), &registry, Instant::now());
        let kind = PersistenceKind::SourceAddr(Affinity {
            timeout: None,
            match_across_services: false,
            match_across_virtuals: false,
            match_across_pools: false,
        });
        let (name, mask) = (Name::from("sticky"), SourceMask::HOST);
        let sticky = [Sticky {
            profile: Arc::new(Persistence { name, kind, mask, override_connection_limit: false }),
            records: Some(registry.records(&Sharing::VirtualServer(Name::from("vs")))),
        }];
        let last = (0..CLIENTS).rev().map(|number| {
            let asker = Asker::new(IpAddr::from(number.to_be_bytes()), &sticky);
            pool.choose(asker, Instant::now()).unwrap().guard
        });
        let connected = last.enumerate().filter_map(|(turn, guard)| (turn == 0).then_some(guard)).collect();
        (registry, connected)
    }

    fn select(registry: &Registry, filter: Filter) -> Selection {
        filter.select(registry).unwrap()
    }

    #[test]
    fn listing_is_sent_in_parts_and_is_whole_and_in_order() {
        let (registry, _connected) = registry();
        let (json, parts) = one_thread().block_on(async {
            let (mut body, mut json, mut parts) = (select(&registry, Filter::default()).list(), Vec::new(), 0);
            while let Some(part) = body.frame().await {
                json.extend_from_slice(&part.unwrap().into_data().unwrap());
                parts += 1;
            }
            (String::from_utf8(json).unwrap(), parts)
        });
        assert!(parts > CHUNKS_AHEAD, "{parts}");
        let first =
            r#"{"records":[{"shared_by":"vs","client":"0.0.0.0","pool":"impala","member":"a:21050","connections":0,"#;
        assert!(json.starts_with(first), "{}", &json[..first.len()]);
        assert!(json.ends_with(r#""expires_in":null}],"evicted":0}"#));
        let listed: Listed = serde_json::from_str(&json).unwrap();
        let clients: Vec<_> = listed.records.iter().map(|record| record.client.as_str()).collect();
        let wanted: Vec<_> = (0..CLIENTS).map(|number| IpAddr::from(number.to_be_bytes()).to_string()).collect();
        assert_eq!(clients, wanted);
        assert_eq!(listed.records[CLIENTS as usize - 1].connections, 1);
    }

    #[test]
    fn what_a_filter_leaves_is_deleted() {
        let (registry, _connected) = registry();
        let delete = |filter: Filter| one_thread().block_on(select(&registry, filter).delete()).unwrap().deleted;
        let text = |text: &str| Some(text.to_owned());
        for nothing in [
            Filter { virtual_server: text("other"), ..Filter::default() },
            Filter { pool: text("other"), ..Filter::default() },
            Filter { member: text("a:21000"), ..Filter::default() },
            Filter { client: text("10.9.9.9"), ..Filter::default() },
        ] {
            assert_eq!(delete(nothing), 0);
        }
        assert_eq!(delete(Filter { client: text("::ffff:0.0.0.7"), ..Filter::default() }), 1);
        assert_eq!(delete(Filter { member: text("a:21050"), pool: text("impala"), ..Filter::default() }), 4999);
        let refused = Filter { client: text("here"), ..Filter::default() }.select(&registry).unwrap_err();
        assert_eq!(refused, "a client is an IP address, found `here`");
    }

    /// A runtime that is dropped waits for its blocking threads.
    #[test]
    fn reader_that_leaves_holds_nobody_up() {
        let (registry, _connected) = registry();
        let runtime = one_thread();
        runtime.block_on(async {
            let mut body = select(&registry, Filter::default()).list();
            assert!(body.frame().await.is_some());
        });
        drop(runtime);
    }
}
