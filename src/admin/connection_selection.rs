//! Which connections are meant: the parameters that say so, and what is wrong with them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::persistence::check_name;
use crate::control::{Handle, Serving};
use crate::model::{MemberKey, Name};
use crate::proxy::{OpenConnections, Selection};
use crate::words::bounded;

/// What is wrong with a query.
#[derive(Debug)]
pub(super) enum Wrong {
    /// There is nothing of that name.
    Name(String),
    Value(String),
    Internal(String),
}

/// What says which connections are meant, as it is written.
pub(super) struct Which {
    pub id: Option<u64>,
    pub client: Option<String>,
    pub virtual_server: Option<String>,
    pub pool: Option<String>,
    pub node: Option<String>,
    pub member: Option<String>,
}

impl Which {
    /// Returns whether nothing is said, so that all are meant.
    pub(super) fn is_all(&self) -> bool {
        let Self { id, client, virtual_server, pool, node, member } = self;
        id.is_none() && [client, virtual_server, pool, node, member].iter().all(|it| it.is_none())
    }

    /// Returns the connections that are meant.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn selection(self, handle: &Handle) -> Result<Selection, Wrong> {
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
    let wrong = || Wrong::Value(format!("a member is `node:port` or `pool/node:port`, found `{}`", bounded(text)));
    Ok((pool, MemberKey::parse(key).ok_or_else(wrong)?))
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

/// Says which connections are meant, for the log.
pub(super) fn words(selection: &Selection) -> String {
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

/// Bits before the IPv4 address in an IPv6 address that stands for one.
const MAPPED: u8 = 96;
