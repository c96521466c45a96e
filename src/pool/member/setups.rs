//! The connections that are being set up with a member, by client.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

/// The connections that a member has not answered yet, by client.
#[derive(Debug, Default)]
pub(in crate::pool) struct Setups(Mutex<ByClient>);

#[derive(Debug, Default)]
struct ByClient {
    all: u32,
    clients: HashMap<IpAddr, u32>,
}

/// Whether one more connection may be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pool) enum SetupRoom {
    Free,
    /// As many as may be are set up.
    Taken,
    /// The same, and all of them are this client's: another client's connection may be set up.
    TakenByClient,
}

impl Setups {
    pub(in crate::pool) fn enter(&self, client: IpAddr) {
        let mut setups = self.0.lock();
        setups.all += 1;
        *setups.clients.entry(client).or_default() += 1;
    }

    pub(in crate::pool) fn leave(&self, client: IpAddr) {
        let mut setups = self.0.lock();
        setups.all -= 1;
        if let Some(count) = setups.clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                setups.clients.remove(&client);
            }
        }
    }

    /// Returns whether a client's connection may be set up beside those that are, `limit` in all. Beside as many of one
    /// client there may be one of another, so that no client makes all others wait, however long its connections take.
    /// `None` is a client of whom nothing is known.
    pub(in crate::pool) fn room(&self, client: Option<IpAddr>, limit: u32) -> SetupRoom {
        let setups = self.0.lock();
        let is_of_one = setups.is_of_one();
        let is_own = client.is_some_and(|client| setups.clients.contains_key(&client));
        match () {
            () if setups.all < limit => SetupRoom::Free,
            () if setups.all > limit || !is_of_one => SetupRoom::Taken,
            () if is_own => SetupRoom::TakenByClient,
            () => SetupRoom::Free,
        }
    }

    /// Returns whether it depends on the client whether there is room.
    pub(in crate::pool) fn room_depends_on_client(&self, limit: u32) -> bool {
        let setups = self.0.lock();
        setups.all == limit && setups.is_of_one()
    }
}

impl ByClient {
    fn is_of_one(&self) -> bool {
        self.clients.len() == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[test]
    fn one_client_leaves_one_place_to_another() {
        let setups = Setups::default();
        let room = |last| setups.room(Some(client(last)), 2);
        setups.enter(client(1));
        assert_eq!(room(1), SetupRoom::Free, "where nobody else comes it has all");
        setups.enter(client(1));
        assert_eq!((room(1), room(2)), (SetupRoom::TakenByClient, SetupRoom::Free));
        assert_eq!(setups.room(None, 2), SetupRoom::Free);
        setups.enter(client(2));
        assert_eq!((room(1), room(2), room(3)), (SetupRoom::Taken, SetupRoom::Taken, SetupRoom::Taken));
        setups.leave(client(1));
        assert_eq!((room(1), room(3)), (SetupRoom::Taken, SetupRoom::Taken), "two clients have one each");
        setups.leave(client(1));
        assert_eq!(room(1), SetupRoom::Free);
    }

    proptest! {
        /// Whoever may, enters.
        #[test]
        fn limit_is_passed_by_one_at_most_and_no_client_keeps_others_out(
            limit in 1_u32..5,
            steps in prop::collection::vec((0_u8..4, any::<bool>()), 0..60),
        ) {
            let setups = Setups::default();
            let mut open: Vec<u8> = Vec::new();
            for (last, enters) in steps {
                if !enters {
                    if let Some(at) = open.iter().position(|open| *open == last) {
                        open.swap_remove(at);
                        setups.leave(client(last));
                    }
                } else if setups.room(Some(client(last)), limit) == SetupRoom::Free {
                    open.push(last);
                    setups.enter(client(last));
                }
                prop_assert!(open.len() as u32 <= limit + 1);
                for one in 0..4 {
                    if open.iter().all(|open| *open == one) {
                        prop_assert_eq!(setups.room(Some(client(one + 1)), limit), SetupRoom::Free);
                    }
                }
            }
            open.drain(..).for_each(|last| setups.leave(client(last)));
            prop_assert_eq!(setups.0.lock().all, 0);
            prop_assert!(setups.0.lock().clients.is_empty());
        }
    }
}
