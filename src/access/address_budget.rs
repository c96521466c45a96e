//! How often an address may do something: so many times at once, and then at a steady rate.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How often each address may do something. All IPv6 addresses of a /64 network count as one address, as a host may use
/// any of them.
#[derive(Debug)]
pub struct AddressBudget {
    /// Times at once.
    burst: u32,
    /// After this time it may be done once more.
    every: Duration,
    /// When each address will have all of its budget again. One that has is forgotten.
    full_at: HashMap<IpAddr, Instant>,
    most: usize,
}

impl AddressBudget {
    /// Lets each address do something `burst` times at once, and once more after each `every`.
    pub fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, full_at: HashMap::new(), most: MOST_ADDRESSES }
    }

    /// Returns how long an address has to wait, if it has.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let full_at = self.full_at.get(&network_of(address))?;
        let missing = full_at.saturating_duration_since(now) + self.every;
        let over = missing.saturating_sub(self.every * self.burst);
        (!over.is_zero()).then_some(over)
    }

    /// Takes one time from the budget of an address, whether it has any left or not.
    pub fn spend(&mut self, address: IpAddr, now: Instant) {
        let network = network_of(address);
        if !self.full_at.contains_key(&network) && self.full_at.len() >= self.most {
            self.make_room(now);
        }
        let full_at = self.full_at.entry(network).or_insert(now);
        // What is over the budget is not held against the address for ever.
        *full_at = ((*full_at).max(now) + self.every).min(now + self.every * self.burst);
    }

    /// Forgets the addresses that have all of their budget, or else the one that will have it first.
    fn make_room(&mut self, now: Instant) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= self.most
            && let Some(first) = self.full_at.iter().min_by_key(|(_, full_at)| **full_at).map(|(network, _)| *network)
        {
            self.full_at.remove(&first);
        }
    }
}

/// Returns an IPv4 address itself, and the /64 network of an IPv6 address.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        v4 => v4,
    }
}

/// The first 64 bits.
const NETWORK: u128 = !0 << 64;
/// Addresses that are remembered.
const MOST_ADDRESSES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn so_often_at_once_and_then_at_a_steady_rate() {
        let (mut budget, start) = (AddressBudget::new(10, Duration::from_secs(6)), Instant::now());
        let one = address("10.0.0.1");
        for _ in 0..10 {
            assert_eq!(budget.wait(one, start), None);
            budget.spend(one, start);
        }
        assert_eq!(budget.wait(one, start), Some(Duration::from_secs(6)));
        assert_eq!(budget.wait(address("10.0.0.2"), start), None);
        for _ in 0..100 {
            budget.spend(one, start);
        }
        let later = start + Duration::from_secs(6);
        assert_eq!(budget.wait(one, later - Duration::from_millis(1)), Some(Duration::from_millis(1)));
        assert_eq!(budget.wait(one, later), None);
        budget.spend(one, later);
        assert_eq!(budget.wait(one, later), Some(Duration::from_secs(6)));
    }

    #[test]
    fn network_of_ipv6_counts_as_one_and_mapped_addresses_are_those_of_ipv4() {
        let (mut budget, now) = (AddressBudget::new(1, Duration::from_secs(60)), Instant::now());
        budget.spend(address("2001:db8::1"), now);
        budget.spend(address("::ffff:10.0.0.1"), now);
        for (same, waits) in
            [("2001:db8::ffff:1", true), ("2001:db8:0:1::1", false), ("10.0.0.1", true), ("10.0.0.2", false)]
        {
            assert_eq!(budget.wait(address(same), now).is_some(), waits, "{same}");
        }
    }

    #[test]
    fn many_addresses_take_bounded_memory_and_push_nobody_out_who_tried_more() {
        let (mut budget, now) = (AddressBudget::new(3, Duration::from_secs(6)), Instant::now());
        budget.most = 100;
        let guesser = address("10.9.9.9");
        (0..3).for_each(|_| budget.spend(guesser, now));
        for number in 0..10_000_u32 {
            budget.spend(IpAddr::from(number.to_be_bytes()), now);
            assert!(budget.full_at.len() <= 100);
        }
        assert!(budget.wait(guesser, now).is_some());
    }
}
