//! The desired configuration: what the file says, with the members that discovery found (a pool's coordinators, the
//! addresses of a node's name). Pure functions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::administration::Administration;
use crate::model::{Address, AdminState, Discovery, Member, Model, Name, Node, Pool, VirtualServer};
use crate::monitor::{FoundHost, node_of};

/// The desired configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Desired {
    /// What the file says.
    pub written: Model,
    pub discovered: Discovered,
    /// What administrators set while running.
    pub administration: Administration,
}

/// What discovery found while running.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Discovered {
    /// Coordinators, by the pool that looks for them, with its settings for that: what was found with other settings
    /// may be of another cluster.
    pub coordinators: BTreeMap<Name, (Discovery, Vec<FoundHost>)>,
    /// What names resolve to.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
}

impl Desired {
    /// Returns the file's model with discovered members, and with what administrators set.
    pub(super) fn model(&self) -> Model {
        self.administration.apply(self.configured())
    }

    /// Returns the file's model with discovered members.
    pub(super) fn configured(&self) -> Model {
        effective(&self.written, &self.discovered)
    }
}

/// Adds what discovery found to what the file says: coordinators become members of the pools that look for them, and
/// each address of a node with `autopopulate` becomes a member in its place. Members in the file stay as they are. A
/// discovered member has the settings of the pool's first one.
fn effective(written: &Model, found: &Discovered) -> Model {
    let mut model = written.clone();
    for pool in written.pools.values() {
        let mut members: Vec<Arc<Member>> = Vec::new();
        for member in &pool.members {
            let addresses = match &member.node.address {
                Address::Fqdn(fqdn) if member.node.autopopulate => found.addresses.get(fqdn),
                _ => None,
            };
            match addresses {
                Some(addresses) if !addresses.is_empty() => {
                    members.extend(addresses.iter().map(|address| of_address(member, *address)));
                }
                _ => members.push(Arc::clone(member)),
            }
        }
        if let Some(discovery) = &pool.discovery {
            let known = found.coordinators.get(&pool.name).filter(|(asked, _)| asked == discovery);
            let hosts = known.into_iter().flat_map(|(_, hosts)| hosts);
            for found in hosts {
                let node = known_node(written, found).unwrap_or_else(|| Arc::new(node_of(&found.host)));
                let template = pool.members.first();
                let made = of_template(template, Arc::clone(&node), discovery.port);
                let is_there = |member: &Arc<Member>| {
                    member.key() == made.key() || (member.port == made.port && member.node.address == made.node.address)
                };
                if !members.iter().any(is_there) {
                    members.push(Arc::new(made));
                }
            }
        }
        if members == pool.members {
            continue;
        }
        for member in &members {
            model.nodes.entry(member.node.name.clone()).or_insert_with(|| Arc::clone(&member.node));
        }
        let changed = Arc::new(Pool { members, ..Pool::clone(pool) });
        for server in model.virtual_servers.values_mut().filter(|server| server.pool.name == pool.name) {
            *server = Arc::new(VirtualServer { pool: Arc::clone(&changed), ..VirtualServer::clone(server) });
        }
        model.pools.insert(pool.name.clone(), changed);
    }
    model
}

/// Returns the configured node of a host, by its name, host name or address.
fn known_node(model: &Model, found: &FoundHost) -> Option<Arc<Node>> {
    let is_host = |node: &&Arc<Node>| {
        let named = |name: Option<&str>| name.is_some_and(|name| name.eq_ignore_ascii_case(&found.host));
        let at = matches!(node.address, Address::Ip(address) if found.addresses.contains(&address));
        at || named(Some(node.name.as_str()))
            || named(node.hostname.as_deref())
            || named(Some(&node.address.to_string()))
    };
    model.nodes.values().find(is_host).cloned()
}

fn of_template(template: Option<&Arc<Member>>, node: Arc<Node>, port: u16) -> Member {
    match template {
        // The administrator has set the state of that member alone.
        Some(template) => Member {
            node,
            port,
            discovered: true,
            description: None,
            state: AdminState::Enabled,
            ..Member::clone(template)
        },
        None => Member { discovered: true, ..Member::new(node, port) },
    }
}

fn of_address(member: &Arc<Member>, address: IpAddr) -> Arc<Member> {
    let parent = &member.node;
    let name = format!("{}-{address}", parent.name).replace(':', "-");
    let hostname = Some(parent.certificate_name());
    let node = Node {
        name: Name::from(name.as_str()),
        address: Address::Ip(address),
        hostname,
        autopopulate: false,
        ..Node::clone(parent)
    };
    Arc::new(Member { node: Arc::new(node), discovered: true, ..Member::clone(member) })
}

/// Logs which members were added and which were removed.
pub(super) fn log_members(before: &Model, after: &Model) {
    for (name, pool) in &after.pools {
        let keys = |pool: &Arc<Pool>| pool.members.iter().map(|member| member.key()).collect::<BTreeSet<_>>();
        let (before, after) = (before.pools.get(name).map(keys).unwrap_or_default(), keys(pool));
        for member in after.difference(&before) {
            tracing::info!(pool = %name, %member, "member discovered");
        }
        for member in before.difference(&after) {
            tracing::info!(pool = %name, %member, "member removed; its connections drain");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn written(text: &str) -> Model {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pronk.yaml");
        std::fs::write(&file, text).unwrap();
        config::load(&file).unwrap_or_else(|wrong| panic!("{}", wrong.render(false))).model
    }

    const FILE: &str = "
nodes: { seed: { address: 10.0.0.1, hostname: c1.example.com }, names: { address: impala.example.com, autopopulate: true } }
pools:
  p: { monitors: [impala], discover: impala, members: [{ member: 'seed:21050', connection-limit: 60, state: disabled }] }
  q: { members: ['names:21050'] }
virtual-servers: { vs: { destination: 10.9.9.9:21050, pool: p } }
";

    fn members(model: &Model, pool: &str) -> Vec<String> {
        model.pools[pool].members.iter().map(|member| member.key().to_string()).collect()
    }

    #[test]
    fn coordinators_that_are_found_join_those_that_are_written() {
        let written = written(FILE);
        assert_eq!(effective(&written, &Discovered::default()), written);
        let mut found = Discovered::default();
        let host = |host: &str| FoundHost { host: host.to_owned(), addresses: Vec::new() };
        let mut hosts = ["c1.example.com", "c2.example.com", "10.0.0.3"].map(host).to_vec();
        // The seed once more, by a name that the file does not know.
        hosts.push(FoundHost { addresses: vec!["10.0.0.1".parse().unwrap()], ..host("seed.internal") });
        let discovery = written.pools["p"].discovery.clone().unwrap();
        found.coordinators.insert(Name::from("p"), (discovery.clone(), hosts));
        let model = effective(&written, &found);
        assert_eq!(members(&model, "p"), ["seed:21050", "c2.example.com:21050", "10.0.0.3:21050"]);
        let second = &model.pools["p"].members[1];
        assert_eq!((second.connection_limit, second.discovered), (Some(60), true), "as the first one has it");
        assert_eq!(second.state, AdminState::Enabled);
        assert_eq!(second.node.hostname.as_deref(), Some("c2.example.com"), "the name that its certificate must have");
        assert!(model.nodes.contains_key("c2.example.com"));
        assert_eq!(model.virtual_servers["vs"].pool.members.len(), 3);
        let of_other_seeds = Discovery { seeds: Vec::new(), ..discovery.clone() };
        found.coordinators.get_mut("p").unwrap().0 = of_other_seeds;
        assert_eq!(members(&effective(&written, &found), "p"), ["seed:21050"], "another cluster said so");
        found.coordinators.insert(Name::from("p"), (discovery, Vec::new()));
        assert_eq!(members(&effective(&written, &found), "p"), ["seed:21050"]);
    }

    #[test]
    fn each_address_of_a_name_is_a_member() {
        let written = written(FILE);
        let mut found = Discovered::default();
        let addresses = ["10.1.0.1", "fd00::2"].map(|address| address.parse().unwrap());
        found.addresses.insert("impala.example.com".to_owned(), addresses.into());
        let model = effective(&written, &found);
        assert_eq!(members(&model, "q"), ["names-10.1.0.1:21050", "names-fd00--2:21050"]);
        let node = &model.pools["q"].members[0].node;
        assert_eq!(node.hostname.as_deref(), Some("impala.example.com"));
        assert!(model.nodes.contains_key("names"), "it is resolved on");
        let renamed = self::written(&FILE.replace("impala.example.com", "other.example.com"));
        assert_eq!(members(&effective(&renamed, &found), "q"), ["names:21050"], "of another name nothing is known");
    }
}
