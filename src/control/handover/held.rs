//! How many connections this process has, as it tells another one; and those of processes that drain, as this one counts
//! them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Once};

use crate::control::system_state::SystemState;
use crate::handover::{self, Held, HeldByMember, HeldByVirtualServer, HeldInProcess};
use crate::model::{MemberKey, Name};
use crate::pool::{Elsewhere, MembersElsewhere, Registry};
use crate::proxy::LiveVirtualServer;

/// Returns how many connections this process has.
pub(in crate::control) fn held(state: &SystemState) -> Held {
    let row = |pool: &Name, member: &MemberKey, connections, persisted| HeldByMember {
        pool: pool.to_string(),
        node: member.node.to_string(),
        port: member.port,
        connections,
        persisted,
    };
    let members = state.registry.members();
    let members = members.iter().map(|(pool, key, live)| row(pool, key, live.connections.current(), live.persisted()));
    let removed = state.registry.draining();
    let removed = removed.iter().map(|it| row(&it.pool, &it.member, it.connections, 0));
    let mut members: Vec<_> = members.chain(removed).filter(|row| row.connections > 0).collect();
    // So that what has not changed looks the same.
    members.sort_by(|one, other| (&one.pool, &one.node, one.port).cmp(&(&other.pool, &other.node, other.port)));
    Held { members, virtual_servers: virtual_servers(state) }
}

fn virtual_servers(state: &SystemState) -> Vec<HeldByVirtualServer> {
    let serving = state.serving.load();
    let (mut servers, mut all_clients) = (Vec::new(), Vec::new());
    for live in serving.virtual_servers.values() {
        let is_limited = live.snapshot.load().config.client_limits.connections.is_some();
        let clients = live.clients().into_iter();
        all_clients.extend(clients.map(|(client, count)| (Reverse((is_limited, count)), servers.len(), client)));
        let (name, connections) = (live.name.to_string(), live.connections.current());
        servers.push(HeldByVirtualServer { name, connections, clients: Vec::new() });
    }
    if all_clients.len() > MOST_CLIENTS {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| {
            tracing::warn!(clients = all_clients.len(), most = MOST_CLIENTS,
                "too many addresses of clients for the process that has taken over: those with the fewest connections do not \
                 count toward its client-connection-limit");
        });
        // Those matter most that are limited, and of these the ones with the most connections.
        all_clients.sort_unstable();
        all_clients.truncate(MOST_CLIENTS);
    }
    for (Reverse((_, count)), server, client) in all_clients {
        servers[server].clients.push((client, count));
    }
    servers.retain(|server| server.connections > 0);
    servers
}

/// Returns what the process that takes over begins with: what this one has, and those that drained before it.
pub(super) fn held_in_processes(state: &SystemState) -> Vec<HeldInProcess> {
    let own = HeldInProcess { pid: handover::own_facts().pid, held: held(state) };
    let others = state.draining_processes.held().into_iter();
    others.map(|(pid, held)| HeldInProcess { pid, held: Held::clone(&held) }).chain([own]).collect()
}

/// Counts the connections of processes that drain toward the limits of members, nodes, virtual servers and clients, and
/// where a member is chosen by how many it has.
pub(in crate::control) fn count_elsewhere(
    registry: &Registry,
    virtual_servers: &BTreeMap<Name, Arc<LiveVirtualServer>>,
    processes: &[(u32, Arc<Held>)],
) {
    let mut members = MembersElsewhere::new();
    let mut servers: HashMap<&str, (u32, BTreeMap<IpAddr, u32>)> = HashMap::new();
    for (_, held) in processes {
        for row in &held.members {
            let key = MemberKey { node: Name::from(row.node.as_str()), port: row.port };
            let of_pool = members.entry(Name::from(row.pool.as_str())).or_default();
            let more = Elsewhere { connections: row.connections, persisted: row.persisted };
            of_pool.entry(key).or_default().add(more);
        }
        for row in &held.virtual_servers {
            let (connections, clients) = servers.entry(row.name.as_str()).or_default();
            *connections = connections.saturating_add(row.connections);
            for (client, count) in &row.clients {
                let all = clients.entry(*client).or_default();
                *all = all.saturating_add(*count);
            }
        }
    }
    for (name, live) in virtual_servers {
        let (connections, clients) = servers.remove(name.as_str()).unwrap_or_default();
        live.set_elsewhere(connections, clients);
    }
    registry.set_elsewhere(&members);
}

/// Addresses of clients that are told to another process.
const MOST_CLIENTS: usize = 5000;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::model::{Address, Node};

    /// Processes that come, report and end in any order, against plain sums.
    #[test]
    fn what_counts_is_the_sum_of_what_each_process_has_left() {
        let (pools, nodes, ports) = (["p", "q"], ["a", "b"], [1, 2]);
        let every = || {
            let of_pool = |pool| nodes.iter().flat_map(move |node| ports.map(|port| (pool, *node, port)));
            pools.iter().flat_map(move |pool| of_pool(*pool))
        };
        for seed in 0..100 {
            let mut random = fastrand::Rng::with_seed(seed);
            let registry = Registry::default();
            let lives: Vec<_> = nodes
                .iter()
                .map(|name| registry.node(&Node::new(Name::from(*name), Address::Ip([10, 0, 0, 1].into()))))
                .collect();
            let member = |pool: &str, node: &str, port| {
                registry.pool(&Name::from(pool)).member(&MemberKey { node: Name::from(node), port }, Instant::now())
            };
            let members: Vec<_> = every().map(|(pool, node, port)| member(pool, node, port)).collect();
            let mut processes: BTreeMap<u32, Arc<Held>> = BTreeMap::new();
            for _ in 0..30 {
                let pid = random.u32(0..4);
                if random.u8(0..4) == 0 {
                    processes.remove(&pid);
                } else {
                    let row = |(pool, node, port): (&str, &str, u16), connections| HeldByMember {
                        pool: pool.to_owned(),
                        node: node.to_owned(),
                        port,
                        connections,
                        persisted: 0,
                    };
                    let rows = every().map(|it| row(it, random.u32(0..9))).collect();
                    processes.insert(pid, Arc::new(Held { members: rows, virtual_servers: Vec::new() }));
                }
                let all: Vec<_> = processes.iter().map(|(pid, held)| (*pid, Arc::clone(held))).collect();
                count_elsewhere(&registry, &BTreeMap::new(), &all);
                let sum = |is_meant: &dyn Fn(&HeldByMember) -> bool| -> u32 {
                    let rows = processes.values().flat_map(|held| &held.members);
                    rows.filter(|row| is_meant(row)).map(|row| row.connections).sum()
                };
                for ((pool, node, port), live) in every().zip(&members) {
                    let expected = sum(&|row| row.pool == pool && row.node == node && row.port == port);
                    assert_eq!(live.connections.everywhere(), expected, "{seed}");
                }
                for (name, live) in nodes.iter().zip(&lives) {
                    assert_eq!(live.connections.everywhere(), sum(&|row| row.node == *name), "{seed}");
                }
            }
        }
    }
}
