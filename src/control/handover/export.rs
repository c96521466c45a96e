//! What this process tells the one that takes over from it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::held::held_in_processes;
use crate::cert::hex::hexadecimal;
use crate::control::administration;
use crate::control::built_profiles::BuiltProfiles;
use crate::control::desired::{Desired, Discovered};
use crate::control::system_state::SystemState;
use crate::handover::{
    FoundCoordinators, Greeting, HandedRecord, HandedRecords, HandedVerdict, ResolvedName, State, TicketKeysOfProfile,
};
use crate::model::Discovery;
use crate::monitor::FoundHost;
use crate::pool::{RecordView, Registry, Sharing};

/// Returns what the other process prepares its configuration with.
pub(in crate::control) fn greeting(desired: &Desired, profiles: &BuiltProfiles) -> Greeting {
    let Discovered { coordinators, addresses } = &desired.discovered;
    let found = coordinators.iter().map(|(pool, (search, hosts))| FoundCoordinators {
        pool: pool.to_string(),
        search: cluster(search),
        hosts: hosts.iter().map(|FoundHost { host, addresses }| (host.clone(), addresses.clone())).collect(),
    });
    let resolved =
        addresses.iter().map(|(fqdn, addresses)| ResolvedName { fqdn: fqdn.clone(), addresses: addresses.clone() });
    let tickets = profiles.client.iter().map(|(name, profile)| TicketKeysOfProfile {
        profile: name.to_string(),
        fingerprint: profile.fingerprint().to_owned(),
        keys: profile.export_ticket_keys().iter().map(|key| (hexadecimal(&key.secret), key.in_use)).collect(),
    });
    Greeting {
        settings: administration::export(&desired.administration),
        tickets: tickets.filter(|tickets| !tickets.keys.is_empty()).collect(),
        coordinators: found.collect(),
        addresses: resolved.collect(),
    }
}

/// Returns what tells clusters apart, in any version of pronk.
pub(in crate::control) fn cluster(search: &Discovery) -> String {
    let Discovery { seeds, port, filter, interval: _ } = search;
    let seeds: Vec<_> = seeds.iter().map(|seed| json!({ "host": seed.host, "port": seed.port })).collect();
    json!({ "seeds": seeds, "port": port, "filter": filter }).to_string()
}

/// What has been told of persistence records.
#[derive(Debug)]
pub(in crate::control) struct ToldRecords {
    since: Instant,
    /// How often records had been deleted of each table by then.
    deletions: HashMap<Sharing, u64>,
}

#[cfg(test)]
impl ToldRecords {
    /// Returns the same without the second by which changes are told too often.
    pub(super) fn told_exactly_at(self, since: Instant) -> Self {
        Self { since, ..self }
    }
}

/// Returns all persistence records, in parts, and from when on changes of them have to be told.
pub(in crate::control) fn all_records(registry: &Registry) -> (impl Iterator<Item = State> + use<>, ToldRecords) {
    // One that is written now may have begun a moment before.
    let since = Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now);
    let tables = registry.all_records();
    let deletions = tables.iter().map(|(sharing, records)| (sharing.clone(), records.deletions())).collect();
    let parts = tables
        .into_iter()
        .flat_map(move |(sharing, records)| parts(sharing, records.list(|_| true, Instant::now()), false));
    (parts, ToldRecords { since, deletions })
}

/// Returns how many connections there are, of this process and of those that drained before it, and their last number.
pub(in crate::control) fn connections(state: &SystemState) -> State {
    State { last_connection: state.open.last_id(), held: held_in_processes(state), ..State::default() }
}

/// Returns what monitors have concluded, and the persistence records that have changed since they were told, in parts.
pub(in crate::control) fn changes(registry: &Registry, told: ToldRecords) -> impl Iterator<Item = State> + use<> {
    let verdicts = registry.members().into_iter().flat_map(|(pool, member, live)| {
        live.verdicts().into_iter().map(move |(monitor, verdict)| HandedVerdict {
            pool: pool.to_string(),
            node: member.node.to_string(),
            port: member.port,
            monitor: monitor.to_string(),
            verdict: verdict.as_str().to_owned(),
            reason: verdict.reason().map(ToOwned::to_owned),
        })
    });
    let verdicts = State { verdicts: verdicts.collect(), ..State::default() };
    let records = registry.all_records().into_iter().flat_map(move |(sharing, records)| {
        // Of those that are deleted nothing is left to be told.
        let begins_anew = told.deletions.get(&sharing).copied().unwrap_or_default() != records.deletions();
        let now = Instant::now();
        let elapsed = now.saturating_duration_since(told.since);
        let is_new = |it: &RecordView| begins_anew || it.connections > 0 || it.idle <= elapsed;
        parts(sharing, records.list(is_new, now), begins_anew)
    });
    std::iter::once(verdicts).chain(records)
}

/// Returns records of a table in parts. If the table begins anew, the first of these says so.
fn parts(sharing: Sharing, all: Vec<RecordView>, begins_anew: bool) -> impl Iterator<Item = State> + use<> {
    let of = move |all: &[RecordView], begins_anew| State {
        records: vec![records_of(&sharing, all, begins_anew)],
        ..State::default()
    };
    let first = begins_anew.then(|| of(&[], true));
    let count = all.len().div_ceil(RECORDS);
    let rest = (0..count).map(move |part| of(&all[part * RECORDS..all.len().min((part + 1) * RECORDS)], false));
    first.into_iter().chain(rest)
}

fn records_of(sharing: &Sharing, part: &[RecordView], begins_anew: bool) -> HandedRecords {
    let (virtual_server, address) = match sharing {
        Sharing::VirtualServer(name) => (Some(name.to_string()), None),
        Sharing::Address(address) => (None, Some(*address)),
        Sharing::All => (None, None),
    };
    let record = |view: &RecordView| HandedRecord {
        client: view.client,
        pool: view.target.pool.to_string(),
        node: view.target.member.node.to_string(),
        port: view.target.member.port,
        // One in use does not age.
        idle: if view.connections > 0 { 0 } else { u64::try_from(view.idle.as_millis()).unwrap_or(u64::MAX) },
    };
    HandedRecords { virtual_server, address, begins_anew, records: part.iter().map(record).collect() }
}

/// Records in a message.
const RECORDS: usize = 5000;
