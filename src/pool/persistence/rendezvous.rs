//! Rendezvous hashing: which member a client goes to without a record (F5's `carp`).

use std::net::IpAddr;

use super::client::key;
use crate::model::MemberKey;
use crate::model::profile::Persistence;

/// A client under a profile's mask, of which everybody computes the same scores. A member with a higher ratio wins as
/// many more clients.
#[derive(Clone, Copy, Debug)]
pub(in crate::pool) struct Fit {
    /// The hash of the client's address.
    client: u64,
}

impl Fit {
    pub(in crate::pool) fn of(profile: &Persistence, client: IpAddr) -> Self {
        Self { client: fnv(FNV_BASIS, &key(profile, client)) }
    }

    /// Returns which of the members, told with their keys and ratios, has the highest score; of equals the last.
    pub(in crate::pool) fn best<'a, T>(self, members: impl Iterator<Item = (T, &'a MemberKey, u32)>) -> Option<T> {
        let mut best: Option<Best<T>> = None;
        for (member, key, ratio) in members {
            let even = self.even(key);
            // The logarithm is most of the work.
            if best.as_ref().is_some_and(|best| ratio <= best.ratio && even < best.even - NEAR) {
                continue;
            }
            let score = f64::from(ratio) / -even.ln();
            if best.as_ref().is_none_or(|best| score >= best.score) {
                best = Some(Best { member, even, ratio, score });
            }
        }
        best.map(|best| best.member)
    }

    /// Returns how well the client and a node fit, in (0, 1), as evenly as 53 bits allow.
    pub(in crate::pool) fn even(self, member: &MemberKey) -> f64 {
        let mut hash = fnv(self.client, member.node.as_str().as_bytes());
        // FNV leaves the high bits alike for texts that differ at their end.
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
        ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

struct Best<T> {
    member: T,
    even: f64,
    ratio: u32,
    score: f64,
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// Of two that differ by more, the logarithms do too.
const NEAR: f64 = 1e-9;
/// Of the Fowler-Noll-Vo hash with 64 bits (RFC 9923).
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;
    use crate::model::profile::{PersistenceKind, SourceMask};

    #[test]
    fn scores_are_even_and_the_same_everywhere() {
        let name = Name::from("hash");
        let mask = SourceMask::HOST;
        let profile = Persistence { name, kind: PersistenceKind::Hash, mask, override_connection_limit: false };
        let best = |client: u32, nodes: &[&str]| {
            let keys: Vec<_> = nodes.iter().map(|node| MemberKey { node: Name::from(*node), port: 21050 }).collect();
            let members = keys.iter().map(|key| (key.node.as_str().to_owned(), key, 1));
            Fit::of(&profile, IpAddr::from(client.to_be_bytes())).best(members).unwrap()
        };
        let clients = || 0x0a00_0000..0x0a00_0000 + 30_000;
        let (three, two) = (["n1", "n2", "n3"], ["n1", "n3"]);
        for node in three {
            let share = clients().filter(|client| best(*client, &three) == node).count();
            assert!((9_700..=10_300).contains(&share), "{node}: {share}");
        }
        let moved = clients().filter(|client| {
            let before = best(*client, &three);
            before != "n2" && before != best(*client, &two)
        });
        assert_eq!(moved.count(), 0, "only the clients of the one that left move");
        assert_eq!(best(0x0a00_0001, &three), "n3", "every build of pronk must find the same");
    }
}
