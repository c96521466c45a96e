//! The clients with the most connections to each member.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answers::AskedProcess;
use super::connection_list::seconds;
use crate::control::Serving;
use crate::model::{MemberKey, Name};
use crate::proxy::{OpenConnection, OpenConnections, Selection};

/// Who holds the connections of each member.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct TopClients {
    pub members: Vec<TopOfMember>,
    /// Processes that drain after an upgrade, whose connections count too.
    #[serde(default)]
    pub processes: Vec<AskedProcess>,
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

impl TopClients {
    /// Returns those of this process, with every client.
    pub(super) fn of(open: &OpenConnections, selection: &Selection, serving: &Serving) -> Self {
        let mut members: BTreeMap<(Name, MemberKey), HashMap<IpAddr, TopClient>> = BTreeMap::new();
        open.each(selection, |connection| {
            let Some(member) = connection.member.clone() else { return };
            let clients = members.entry((connection.pool.clone(), member)).or_default();
            clients.entry(connection.client.ip()).or_insert_with(|| TopClient::new(&connection)).add(&connection);
        });
        let members = members.into_iter().map(|((pool, member), clients)| {
            let of_pool = serving.pools.get(&pool).into_iter().flat_map(|pool| &pool.members);
            let known = of_pool.into_iter().find(|it| it.key == member);
            let clients: Vec<_> = clients.into_values().collect();
            let (connections, all_clients) = (clients.iter().map(|client| client.connections).sum(), clients.len());
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
        Self { members: members.collect(), processes: Vec::new() }
    }

    /// Adds those of another process.
    pub(super) fn add(&mut self, other: Self) {
        let name = |member: &TopOfMember| (member.pool.clone(), member.member.clone());
        let mut known: HashMap<_, _> = self.members.iter().enumerate().map(|(at, member)| (name(member), at)).collect();
        for other in other.members {
            match known.entry(name(&other)) {
                Entry::Occupied(at) => self.members[*at.get()].add(other),
                Entry::Vacant(new) => {
                    new.insert(self.members.len());
                    self.members.push(other);
                }
            }
        }
    }

    /// Puts those first that have the most connections, and leaves all but so many clients of each member out.
    pub(super) fn sort(&mut self, limit: usize) {
        for TopOfMember { clients, .. } in &mut self.members {
            clients.sort_by(|one, other| (other.connections, &one.client).cmp(&(one.connections, &other.client)));
            clients.truncate(limit);
        }
        self.members.sort_by_key(|member| std::cmp::Reverse(member.connections));
    }
}

impl TopOfMember {
    fn add(&mut self, other: Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.connection_limit = self.connection_limit.or(other.connection_limit);
        self.service_threads = self.service_threads.or(other.service_threads);
        let mut known: HashMap<_, _> =
            self.clients.iter().enumerate().map(|(at, client)| (client.client.clone(), at)).collect();
        for client in other.clients {
            match known.get(&client.client) {
                Some(at) => self.clients[*at].add_all(&client),
                None => {
                    known.insert(client.client.clone(), self.clients.len());
                    self.clients.push(client);
                }
            }
        }
        self.all_clients = self.clients.len();
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

    /// Adds its connections in another process.
    fn add_all(&mut self, other: &Self) {
        self.connections = self.connections.saturating_add(other.connections);
        self.awaiting_answer = self.awaiting_answer.saturating_add(other.awaiting_answer);
        self.oldest = self.oldest.max(other.oldest);
        self.idle = self.idle.min(other.idle);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(members: &[(&str, &str, u32)]) -> TopClients {
        let member = |(pool, member, connections): &(&str, &str, u32)| {
            let count = format!(r#""connections":{connections}"#);
            let client = format!(r#"{{"client":"c",{count},"awaiting_answer":{connections},"oldest":1,"idle":1,"#);
            let client = format!(r#"{client}"bytes_in":{0},"bytes_out":{0}}}"#, u64::MAX);
            format!(r#"{{"pool":"{pool}","member":"{member}",{count},"clients":[{client}],"all_clients":1}}"#)
        };
        let members: Vec<_> = members.iter().map(member).collect();
        serde_json::from_str(&format!(r#"{{"members":[{}]}}"#, members.join(","))).unwrap()
    }

    #[test]
    fn clients_of_each_member_are_added_up_as_far_as_numbers_go() {
        let mut all = of(&[("p", "a:1", 1), ("q", "a:1", 2)]);
        all.add(of(&[("q", "a:1", u32::MAX), ("p", "b:1", 4), ("p", "b:1", 1)]));
        let count = |at: usize| (all.members[at].connections, all.members[at].clients[0].connections);
        let counts: Vec<_> = (0..all.members.len()).map(count).collect();
        assert_eq!(counts, [(1, 1), (u32::MAX, u32::MAX), (5, 5)]);
        let client = &all.members[1].clients[0];
        assert_eq!((client.awaiting_answer, client.bytes_in, client.bytes_out), (u32::MAX, u64::MAX, u64::MAX));
    }
}
