//! The latest connections of a virtual server, for `pronk explain`.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use crate::model::MemberKey;

/// The latest connections of a virtual server and their members.
#[derive(Debug, Default)]
pub struct RecentConnections(Mutex<VecDeque<RecentConnection>>);

/// A connection and its member.
#[derive(Clone, Debug)]
pub struct RecentConnection {
    pub client: IpAddr,
    pub when: SystemTime,
    pub member: MemberKey,
    /// Whether persistence chose the member, or the load-balancing method.
    pub persisted: bool,
    /// How many members failed the connection before.
    pub failed: usize,
    /// How long it waited in the queue, if it did.
    pub queued: Option<Duration>,
}

impl RecentConnections {
    pub(super) fn add(&self, connection: RecentConnection) {
        let mut connections = self.0.lock();
        if connections.len() >= KEPT {
            connections.pop_back();
        }
        connections.push_front(connection);
    }

    /// Returns the latest connections of a client, newest first.
    pub fn of(&self, client: IpAddr) -> Vec<RecentConnection> {
        let connections = self.0.lock();
        connections.iter().filter(|connection| connection.client == client).take(SHOWN).cloned().collect()
    }
}

/// How many connections are remembered.
const KEPT: usize = 4096;
/// How many of them are shown of one client.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[test]
    fn latest_connections_are_remembered() {
        let connections = RecentConnections::default();
        for number in 0..10_000_u32 {
            let client = IpAddr::from([10, 0, 0, (number % 2) as u8]);
            let member = MemberKey { node: Name::from("n"), port: (number % 60_000) as u16 };
            connections.add(RecentConnection {
                client,
                when: SystemTime::now(),
                member,
                persisted: false,
                failed: 0,
                queued: None,
            });
        }
        let ports: Vec<_> =
            connections.of([10, 0, 0, 1].into()).into_iter().map(|connection| connection.member.port).collect();
        assert_eq!(ports, [9999, 9997, 9995, 9993, 9991]);
        assert!(connections.of([10, 0, 0, 2].into()).is_empty());
        assert_eq!(connections.0.lock().len(), KEPT);
    }
}
