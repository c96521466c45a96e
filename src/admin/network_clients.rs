//! How many connections clients of the network may have to the API, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::access::network_of;

/// The connections that are open, by address.
#[derive(Clone, Debug, Default)]
pub(super) struct NetworkClients(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them, until this is dropped.
#[derive(Debug)]
pub(super) struct NetworkClient {
    clients: NetworkClients,
    address: IpAddr,
}

impl NetworkClients {
    /// Counts a connection, if there may be one more.
    pub(super) fn admit(&self, address: IpAddr) -> Option<NetworkClient> {
        let address = network_of(address);
        let mut open = self.0.lock();
        if open.values().sum::<usize>() >= MOST || open.get(&address).is_some_and(|count| *count >= MOST_OF_ADDRESS) {
            return None;
        }
        *open.entry(address).or_default() += 1;
        drop(open);
        Some(NetworkClient { clients: self.clone(), address })
    }
}

impl Drop for NetworkClient {
    fn drop(&mut self) {
        let mut open = self.clients.0.lock();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// Connections at a time.
const MOST: usize = 128;
/// Connections from one address at a time.
const MOST_OF_ADDRESS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_others_and_all_have_an_end() {
        let clients = NetworkClients::default();
        let of = |number: u32| clients.admit(IpAddr::from(number.to_be_bytes()));
        let mut open: Vec<_> = (0..100).filter_map(|_| of(1)).collect();
        assert_eq!(open.len(), MOST_OF_ADDRESS);
        open.extend((0..1000).filter_map(|number| of(100 + number)));
        assert_eq!(open.len(), MOST);
        assert!(of(5).is_none());
        open.truncate(1);
        assert!(of(5).is_some());
        open.clear();
        assert!(clients.0.lock().is_empty());
    }
}
