//! The connections of each client of a virtual server, counted exactly, so that a limit for each client is one.
//!
//! They are counted by address, whether there is a limit or not, and summed under the mask when a client comes. So a
//! reload can set a limit or another mask, and connections that are open already count.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::ops::Bound;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use parking_lot::Mutex;

use crate::model::ClientLimits;
use crate::model::profile::SourceMask;

/// The connections of a virtual server, by the address of the client.
#[derive(Debug, Default)]
pub(super) struct ClientCounts(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// Addresses with an open connection, or one of the last second.
    clients: BTreeMap<IpAddr, Counts>,
    /// The connections of the last second, the oldest first; none while there is no rate limit.
    recent: VecDeque<(Instant, IpAddr)>,
    /// Open connections in processes that drain after an upgrade.
    elsewhere: BTreeMap<IpAddr, u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    open: u32,
    recent: u32,
}

/// The limit that a client has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Connections,
    Rate,
}

impl ClientCounts {
    /// Counts one connection of a client, unless it has reached a limit.
    ///
    /// # Errors
    /// The limit that it has reached.
    pub(super) fn try_enter(&self, client: IpAddr, limits: &ClientLimits, now: Instant) -> Result<(), Reached> {
        let mut table = self.0.lock();
        table.forget(now);
        table.check(client, limits)?;
        if limits.rate.is_some() {
            table.recent.push_back((now, client));
        } else if !table.recent.is_empty() {
            table.forget_rates();
        }
        let counts = table.clients.entry(client).or_default();
        counts.open += 1;
        counts.recent += u32::from(limits.rate.is_some());
        Ok(())
    }

    /// Returns which limit a client has reached, if any, and counts nothing.
    pub(super) fn look(&self, client: IpAddr, limits: &ClientLimits, now: Instant) -> Result<(), Reached> {
        let mut table = self.0.lock();
        table.forget(now);
        table.check(client, limits)
    }

    /// Returns how many connections a client has open.
    pub(super) fn open(&self, client: IpAddr, mask: SourceMask) -> u32 {
        self.0.lock().open(client, mask, u32::MAX)
    }

    /// Returns the addresses with open connections in this process, each with how many. The lock is not held for long.
    pub(super) fn addresses(&self) -> Vec<(IpAddr, u32)> {
        let (mut all, mut after) = (Vec::new(), Bound::Unbounded);
        loop {
            let table = self.0.lock();
            let part = table.clients.range((after, Bound::Unbounded)).take(AT_ONCE);
            let before = all.len();
            let mut last = None;
            all.extend(part.map(|(client, counts)| {
                last = Some(*client);
                (*client, counts.open)
            }));
            match last {
                Some(client) if all.len() == before + AT_ONCE => after = Bound::Excluded(client),
                _ => break,
            }
        }
        all.retain(|(_, open)| *open > 0);
        all
    }

    /// Sets which clients have open connections in other processes.
    pub(super) fn set_elsewhere(&self, clients: BTreeMap<IpAddr, u32>) {
        let before = std::mem::replace(&mut self.0.lock().elsewhere, clients);
        // It is given back without the lock.
        drop(before);
    }

    /// Counts a connection out that is over.
    pub(super) fn leave(&self, client: IpAddr) {
        let mut table = self.0.lock();
        table.change(client, |counts| counts.open = counts.open.saturating_sub(1));
    }

    /// Takes a connection out of those of the last second, as another rule refused it.
    pub(super) fn take_rate_back(&self, client: IpAddr, now: Instant) {
        let mut table = self.0.lock();
        let Some(at) = table.recent.iter().rposition(|entered| *entered == (now, client)) else { return };
        table.recent.remove(at);
        table.change(client, |counts| counts.recent = counts.recent.saturating_sub(1));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().clients.len()
    }
}

impl Table {
    fn check(&self, client: IpAddr, limits: &ClientLimits) -> Result<(), Reached> {
        let ClientLimits { connections, rate, mask } = *limits;
        if connections.is_some_and(|limit| self.open(client, mask, limit) >= limit) {
            return Err(Reached::Connections);
        }
        if rate.is_some_and(|limit| sum(&self.clients, client, mask, limit, |counts| counts.recent) >= limit) {
            return Err(Reached::Rate);
        }
        Ok(())
    }

    /// Counts the open connections of a client in all processes, until there are `enough`.
    fn open(&self, client: IpAddr, mask: SourceMask, enough: u32) -> u32 {
        let own = sum(&self.clients, client, mask, enough, |counts| counts.open);
        own.saturating_add(sum(&self.elsewhere, client, mask, enough, |open| *open))
    }

    /// Forgets connections that began a second ago.
    fn forget(&mut self, now: Instant) {
        while let Some((entered, client)) = self.recent.front().copied()
            && now.saturating_duration_since(entered) >= SECOND
        {
            self.recent.pop_front();
            self.change(client, |counts| counts.recent = counts.recent.saturating_sub(1));
        }
    }

    /// Forgets when connections began, as no rate is limited any more.
    fn forget_rates(&mut self) {
        while let Some((_, client)) = self.recent.pop_front() {
            self.change(client, |counts| counts.recent = counts.recent.saturating_sub(1));
        }
    }

    /// Changes the counts of an address, and forgets it if nothing is counted of it any more.
    fn change(&mut self, client: IpAddr, change: impl FnOnce(&mut Counts)) {
        let Some(counts) = self.clients.get_mut(&client) else { return };
        change(counts);
        if counts.open == 0 && counts.recent == 0 {
            self.clients.remove(&client);
        }
    }
}

/// Sums counts of all addresses that are one client under the mask, until there are `enough`.
fn sum<T>(
    addresses: &BTreeMap<IpAddr, T>,
    client: IpAddr,
    mask: SourceMask,
    enough: u32,
    count: impl Fn(&T) -> u32,
) -> u32 {
    let bits = if client.is_ipv4() { mask.v4.min(32) } else { mask.v6.min(128) };
    let Ok(network) = IpNet::new(client, bits) else { return 0 };
    let mut sum: u32 = 0;
    for (_, counts) in addresses.range(network.network()..=network.broadcast()) {
        sum = sum.saturating_add(count(counts));
        if sum >= enough {
            break;
        }
    }
    sum
}

const SECOND: Duration = Duration::from_secs(1);
/// Addresses that are copied under the lock at once.
const AT_ONCE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: SourceMask = SourceMask::HOST;

    fn limits(connections: Option<u32>, rate: Option<u32>, mask: SourceMask) -> ClientLimits {
        ClientLimits { connections, rate, mask }
    }

    /// Random clients that come, leave and are refused, while limits and masks change, against plain lists.
    #[test]
    fn limits_are_exact_whatever_comes_and_nothing_is_left_behind() {
        let masks = [HOSTS, SourceMask { v4: 30, v6: 64 }, SourceMask { v4: 0, v6: 0 }];
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let counts = ClientCounts::default();
            let mut now = Instant::now();
            let (mut open, mut recent): (Vec<IpAddr>, Vec<(Instant, IpAddr)>) = Default::default();
            let mut set = limits(None, None, HOSTS);
            for step in 0..300 {
                now += Duration::from_millis(random.u64(..300));
                if random.u8(..20) == 0 {
                    let limit = |random: &mut fastrand::Rng| random.bool().then(|| random.u32(1..4));
                    set = limits(limit(&mut random), limit(&mut random), *random.choice(&masks).unwrap());
                }
                let client: IpAddr = if random.bool() {
                    [10, 0, 0, random.u8(..6)].into()
                } else {
                    [0xfd00, 0, 0, random.u16(..2), 0, 0, 0, random.u16(..3)].into()
                };
                match random.u8(..3) {
                    0 if !open.is_empty() => counts.leave(open.swap_remove(random.usize(..open.len()))),
                    _ => {
                        let same = |other: &IpAddr| {
                            other.is_ipv4() == client.is_ipv4() && set.mask.apply(*other) == set.mask.apply(client)
                        };
                        recent.retain(|(entered, _)| now - *entered < SECOND);
                        let [has, came] = [
                            open.iter().filter(|it| same(it)).count(),
                            recent.iter().filter(|(_, it)| same(it)).count(),
                        ];
                        let expected = match () {
                            () if set.connections.is_some_and(|limit| has >= limit as usize) => {
                                Err(Reached::Connections)
                            }
                            () if set.rate.is_some_and(|limit| came >= limit as usize) => Err(Reached::Rate),
                            () => Ok(()),
                        };
                        assert_eq!(counts.look(client, &set, now), expected, "{seed}, {step}: foretold");
                        assert_eq!(counts.try_enter(client, &set, now), expected, "{seed}, {step}: {set:?}");
                        if set.rate.is_none() && expected.is_ok() {
                            recent.clear();
                        }
                        if expected.is_ok() && random.u8(..8) == 0 {
                            // Another rule refuses it.
                            counts.take_rate_back(client, now);
                            counts.leave(client);
                        } else if expected.is_ok() {
                            open.push(client);
                            recent.extend(set.rate.map(|_| (now, client)));
                        }
                        let open_of_client = open.iter().filter(|it| same(it)).count();
                        assert_eq!(counts.open(client, set.mask) as usize, open_of_client, "{seed}, {step}");
                    }
                }
            }
            open.into_iter().for_each(|client| counts.leave(client));
            let later = now + SECOND;
            assert_eq!(counts.look([10, 0, 0, 1].into(), &set, later), Ok(()));
            assert_eq!(counts.len(), 0, "{seed}: something is left");
        }
    }

    #[test]
    fn connections_of_other_processes_count_under_the_mask() {
        let (counts, now) = (ClientCounts::default(), Instant::now());
        let set = limits(Some(3), None, SourceMask { v4: 24, v6: 64 });
        let [one, other, far] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 1, 1]].map(IpAddr::from);
        counts.set_elsewhere(BTreeMap::from([(other, 2), (far, 7)]));
        assert_eq!(counts.try_enter(one, &set, now), Ok(()));
        assert_eq!(counts.try_enter(one, &set, now), Err(Reached::Connections));
        assert_eq!((counts.open(one, set.mask), counts.addresses()), (3, vec![(one, 1)]));
        counts.set_elsewhere(BTreeMap::new());
        assert_eq!(counts.try_enter(other, &set, now), Ok(()));
        let many: Vec<_> = (0..1000_u32).map(|number| (IpAddr::from(number.to_be_bytes()), 1)).collect();
        let counts = ClientCounts::default();
        many.iter()
            .for_each(|(client, _)| assert_eq!(counts.try_enter(*client, &limits(None, None, HOSTS), now), Ok(())));
        assert_eq!(counts.addresses(), many);
    }

    #[test]
    fn limit_holds_while_many_threads_come_and_leave() {
        let counts = ClientCounts::default();
        let inside = std::sync::atomic::AtomicU32::new(0);
        let (client, three) = (IpAddr::from([10, 0, 0, 1]), limits(Some(3), None, HOSTS));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        if counts.try_enter(client, &three, Instant::now()).is_ok() {
                            let before = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                            assert!(before < 3, "{before} were inside");
                            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            counts.leave(client);
                        }
                    }
                });
            }
        });
        assert_eq!(counts.len(), 0);
    }
}
