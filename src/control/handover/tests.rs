//! What one process exports is what another one imports, whatever happens meanwhile.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::export::{all_records, changes};
use super::import::apply;
use crate::model::profile::{Affinity, Persistence, PersistenceKind, SourceMask};
use crate::model::{MemberKey, Name};
use crate::pool::{Registry, Sharing};

fn tables() -> [Sharing; 3] {
    [Sharing::VirtualServer(Name::from("vs")), Sharing::Address(IpAddr::from([10, 0, 0, 1])), Sharing::All]
}

/// Who is where, by table and client.
fn records(registry: &Registry) -> BTreeMap<(Sharing, IpAddr), String> {
    let of = |sharing: &Sharing| {
        let list = registry.records(sharing).list(|_| true, Instant::now());
        list.into_iter().map(|it| ((sharing.clone(), it.client), it.target.member.to_string())).collect::<Vec<_>>()
    };
    tables().iter().flat_map(of).collect()
}

/// Whatever clients and administrators do while the new process prepares, it has the same records in the end.
#[test]
fn persistence_records_go_over_whatever_happens_between_the_two_parts() {
    let affinity = Affinity {
        timeout: Some(Duration::from_secs(180)),
        match_across_services: false,
        match_across_virtuals: false,
        match_across_pools: false,
    };
    let name = Name::from("sticky");
    let kind = PersistenceKind::SourceAddr(affinity);
    let profile = Persistence { name, kind, mask: SourceMask::HOST, override_connection_limit: false };
    for seed in 0..500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (old, new) = (Registry::default(), Registry::default());
        let pool = old.pool(&Name::from("pool"));
        let targets = ["a", "b", "c"].map(|node| {
            let member = MemberKey { node: Name::from(node), port: 21050 };
            let (member, other) = (pool.member(&member, Instant::now()), Sharing::VirtualServer(Name::from(node)));
            old.begin_with_record(&other, IpAddr::from([127, 0, 0, 1]), &member, Instant::now());
            Arc::clone(&old.records(&other).list(|_| true, Instant::now())[0].target)
        });
        // Some are told in the first part alone.
        for number in 0..10 {
            let client = IpAddr::from([127, 0, 0, 20 + number]);
            let table = &tables()[random.usize(0..3)];
            let member = MemberKey { node: Name::from("a"), port: 21050 };
            let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
            old.begin_with_record(table, client, &pool.member(&member, Instant::now()), long_ago);
        }
        let mut held = Vec::new();
        let mut events = |old: &Registry, count: usize| {
            for _ in 0..count {
                let client = IpAddr::from([127, 0, 0, random.u8(0..30)]);
                let table = old.records(&tables()[random.usize(0..3)]);
                match random.u8(0..12) {
                    0..6 => held.push(table.hold(&profile, client, &targets[random.usize(0..3)], Instant::now())),
                    6..11 if !held.is_empty() => drop(held.swap_remove(random.usize(0..held.len()))),
                    _ => drop(table.delete(|it| it.client == client, Instant::now())),
                }
            }
        };
        events(&old, 30);
        let (first, told) = all_records(&old);
        let first: Vec<_> = first.collect();
        let told = told.told_exactly_at(Instant::now());
        events(&old, fastrand::Rng::with_seed(seed).usize(0..30));
        let rest: Vec<_> = changes(&old, told).collect();
        first.iter().chain(&rest).for_each(|part| apply(part, &new, Instant::now()));
        assert_eq!(records(&new), records(&old), "{seed}");
    }
}

#[test]
fn records_that_have_not_changed_are_told_once() {
    let old = Registry::default();
    let member = old.pool(&Name::from("pool")).member(&MemberKey { node: Name::from("a"), port: 1 }, Instant::now());
    let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    for number in 0..20_000_u32 {
        old.begin_with_record(&Sharing::All, IpAddr::from(number.to_be_bytes()), &member, long_ago);
    }
    let (first, told) = all_records(&old);
    let count = |parts: Vec<crate::handover::State>| -> usize {
        parts.iter().flat_map(|part| &part.records).map(|it| it.records.len()).sum()
    };
    assert_eq!(count(first.collect()), 20_000);
    assert_eq!(count(changes(&old, told).collect()), 0);
}
