//! Rendezvous hashing: which member a client goes to without a record (F5's `carp`).

use std::net::IpAddr;

use super::client::key;
use crate::model::MemberKey;
use crate::model::profile::Persistence;

/// Returns how well a client and a node fit, by the client's address under the profile's mask. Everybody who computes
/// it finds the same, and the highest score wins. A member with a higher ratio wins as many more clients.
pub(in crate::pool) fn score(profile: &Persistence, client: IpAddr, member: &MemberKey, ratio: u32) -> f64 {
    let client = key(profile, client);
    let mut hash = FNV_BASIS;
    for byte in client.into_iter().chain(member.node.as_str().bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    }
    // FNV leaves the high bits alike for texts that differ at their end.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    // In (0, 1), as evenly as 53 bits allow.
    let even = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    f64::from(ratio) / -even.ln()
}

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
            let fit = |node: &&&str| {
                let member = MemberKey { node: Name::from(**node), port: 21050 };
                score(&profile, IpAddr::from(client.to_be_bytes()), &member, 1)
            };
            (*nodes.iter().max_by(|one, other| fit(one).total_cmp(&fit(other))).unwrap()).to_owned()
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
