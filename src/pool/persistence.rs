use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::live::locked;
use crate::model::MemberKey;
use crate::model::profile::Persistence;

/// Records a virtual server may have; beyond it the oldest expired ones go first, then new clients get none.
const MOST_RECORDS: usize = 1_000_000;

/// Which member serves which client of a virtual server.
#[derive(Debug, Default)]
pub struct Records(Mutex<Table>);

impl Records {
    /// The member that `client` goes back to, unless its record has expired.
    pub fn find(&self, profile: &Persistence, client: IpAddr, now: Instant) -> Option<MemberKey> {
        locked(&self.0).find(profile.mask.apply(client), profile.timeout, now).cloned()
    }

    /// Records that `client` is served by `member`, for as long as the hold lives and the timeout after that.
    pub fn hold(
        self: &Arc<Self>,
        profile: &Persistence,
        client: IpAddr,
        member: &MemberKey,
        now: Instant,
    ) -> PersistenceHold {
        let client = profile.mask.apply(client);
        locked(&self.0).hold(client, member, profile.timeout, now);
        PersistenceHold { records: Arc::clone(self), client, member: member.clone() }
    }
}

/// Keeps a record from expiring while a connection uses it.
#[derive(Debug)]
pub struct PersistenceHold {
    records: Arc<Records>,
    client: IpAddr,
    member: MemberKey,
}

impl Drop for PersistenceHold {
    fn drop(&mut self) {
        locked(&self.records.0).release(self.client, &self.member, Instant::now());
    }
}

#[derive(Debug, Default)]
struct Table {
    records: HashMap<IpAddr, Record>,
    /// The size at which expired records are looked for.
    purge_at: usize,
}

#[derive(Debug)]
struct Record {
    member: MemberKey,
    used: Instant,
    connections: u32,
}

impl Record {
    fn has_expired(&self, timeout: Option<Duration>, now: Instant) -> bool {
        let idle = now.saturating_duration_since(self.used);
        self.connections == 0 && timeout.is_some_and(|timeout| idle >= timeout)
    }
}

impl Table {
    fn find(&self, client: IpAddr, timeout: Option<Duration>, now: Instant) -> Option<&MemberKey> {
        let record = self.records.get(&client)?;
        (!record.has_expired(timeout, now)).then_some(&record.member)
    }

    fn hold(&mut self, client: IpAddr, member: &MemberKey, timeout: Option<Duration>, now: Instant) {
        if self.records.len() >= self.purge_at.max(1024) {
            self.records.retain(|_, record| !record.has_expired(timeout, now));
            self.purge_at = self.records.len() * 2;
        }
        if let Some(record) = self.records.get_mut(&client) {
            let same = record.member == *member;
            record.connections = if same { record.connections + 1 } else { 1 };
            record.member = member.clone();
            record.used = now;
        } else if self.records.len() < MOST_RECORDS {
            self.records.insert(client, Record { member: member.clone(), used: now, connections: 1 });
        }
    }

    /// The record may by now be of another member, where the client was sent since.
    fn release(&mut self, client: IpAddr, member: &MemberKey, now: Instant) {
        if let Some(record) = self.records.get_mut(&client).filter(|record| record.member == *member) {
            record.connections = record.connections.saturating_sub(1);
            record.used = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    const TIMEOUT: Option<Duration> = Some(Duration::from_secs(180));

    fn member(node: &str) -> MemberKey {
        MemberKey { node: Name::from(node), port: 21050 }
    }

    #[test]
    fn record_outlives_its_last_connection_by_the_timeout() {
        let (start, client) = (Instant::now(), IpAddr::from([10, 0, 0, 1]));
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::default();
        table.hold(client, &member("a"), TIMEOUT, start);
        assert_eq!(table.find(client, TIMEOUT, after(10_000)), Some(&member("a")), "a live connection keeps it");
        table.release(client, &member("a"), after(1000));
        assert_eq!(table.find(client, TIMEOUT, after(1179)), Some(&member("a")));
        assert_eq!(table.find(client, TIMEOUT, after(1180)), None);
        assert_eq!(table.find(client, None, after(99_999)), Some(&member("a")), "indefinite");
    }

    #[test]
    fn client_that_moved_is_not_released_by_its_old_connection() {
        let (start, client) = (Instant::now(), IpAddr::from([10, 0, 0, 1]));
        let mut table = Table::default();
        table.hold(client, &member("a"), TIMEOUT, start);
        table.hold(client, &member("b"), TIMEOUT, start);
        table.release(client, &member("a"), start);
        let later = start + Duration::from_secs(1000);
        assert_eq!(table.find(client, TIMEOUT, later), Some(&member("b")));
    }

    #[test]
    fn expired_records_make_room() {
        let start = Instant::now();
        let mut table = Table::default();
        for number in 0..5000_u32 {
            let (client, now) = (IpAddr::from(number.to_be_bytes()), start + Duration::from_secs(u64::from(number)));
            table.hold(client, &member("a"), TIMEOUT, now);
            table.release(client, &member("a"), now);
        }
        assert!(table.records.len() < 1500, "{}", table.records.len());
    }
}
