//! How many connections a process has, of members, virtual servers and clients: what another process needs to know for its
//! limits and for balancing. It goes in parts, as packets are short.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How many connections a process has. What has none is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    pub members: Vec<HeldByMember>,
    pub virtual_servers: Vec<HeldByVirtualServer>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldByMember {
    pub pool: String,
    pub node: String,
    pub port: u16,
    pub connections: u32,
    /// Of those, how many persistence sent there.
    pub persisted: u32,
}

/// Several of one name count together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldByVirtualServer {
    pub name: String,
    pub connections: u32,
    /// The addresses of clients, each with its connections.
    pub clients: Vec<(IpAddr, u32)>,
}

/// Connections in a process of this number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldInProcess {
    pub pid: u32,
    pub held: Held,
}

impl Held {
    /// Adds what another part has.
    pub(super) fn add(&mut self, part: Self) {
        self.members.extend(part.members);
        self.virtual_servers.extend(part.virtual_servers);
    }

    /// Divides it into parts, each of about so many bytes of JSON. There is at least one.
    pub(super) fn parts(&self, bytes: usize) -> Vec<Self> {
        let mut parts = vec![Self::default()];
        let mut room = bytes;
        let mut add = |length: usize, put: &mut dyn FnMut(&mut Self)| {
            if length > room {
                parts.push(Self::default());
                room = bytes;
            }
            room = room.saturating_sub(length);
            parts.last_mut().into_iter().for_each(put);
        };
        for member in &self.members {
            add(json_length(member), &mut |part| part.members.push(member.clone()));
        }
        for HeldByVirtualServer { name, connections, clients } in &self.virtual_servers {
            let mut connections = *connections;
            let mut chunks: Vec<_> = clients.chunks(CLIENTS).map(<[_]>::to_vec).collect();
            if chunks.is_empty() {
                chunks.push(Vec::new());
            }
            for clients in chunks {
                let own = std::mem::take(&mut connections);
                let row = HeldByVirtualServer { name: name.clone(), connections: own, clients };
                add(json_length(&row), &mut |part| part.virtual_servers.push(row.clone()));
            }
        }
        parts
    }
}

/// Returns how many bytes a row takes, with what is between rows.
fn json_length(row: &impl Serialize) -> usize {
    serde_json::to_vec(row).map_or(usize::MAX, |text| text.len() + 1)
}

/// Clients in a row: with a long name it is still shorter than a packet.
const CLIENTS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_everything_and_each_is_short() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut number = |most: u32| random.u32(0..most);
            let long = "ü".repeat(255);
            let name = |number: u32| if number == 0 { long.clone() } else { format!("n{number}") };
            let members = (0..number(200)).map(|port| HeldByMember {
                pool: name(number(3)),
                node: name(number(3)),
                port: port as u16,
                connections: number(u32::MAX),
                persisted: 1,
            });
            let members: Vec<_> = members.collect();
            let servers: Vec<_> = (0..number(5))
                .map(|server| HeldByVirtualServer {
                    name: name(server),
                    connections: 7,
                    clients: (0..number(300)).map(|_| (IpAddr::from([0xfd00 + 7; 8]), number(u32::MAX))).collect(),
                })
                .collect();
            let held = Held { members, virtual_servers: servers };
            let parts = held.parts(3500);
            assert!(parts.iter().all(|part| serde_json::to_vec(part).unwrap().len() < 3900), "{seed}");
            let mut whole = Held::default();
            parts.into_iter().for_each(|part| whole.add(part));
            assert_eq!(whole.members, held.members);
            for server in &held.virtual_servers {
                let of = || whole.virtual_servers.iter().filter(|row| row.name == server.name);
                assert_eq!(of().map(|row| row.connections).sum::<u32>(), 7);
                assert_eq!(of().flat_map(|row| row.clients.clone()).collect::<Vec<_>>(), server.clients);
            }
        }
        assert_eq!(Held::default().parts(3500), [Held::default()]);
    }
}
