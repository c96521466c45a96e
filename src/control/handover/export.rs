//! What this process tells the one that takes over from it.

use std::time::Instant;

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
use crate::pool::{RecordView, Sharing};

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

/// Returns what may have changed until now, in parts.
pub(in crate::control) fn state(state: &SystemState) -> impl Iterator<Item = State> + '_ {
    let registry = &state.registry;
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
    let first = State {
        last_connection: state.open.last_id(),
        held: held_in_processes(state),
        verdicts: verdicts.collect(),
        ..State::default()
    };
    let records = registry.all_records().into_iter().flat_map(|(sharing, records)| {
        let all = records.list(|_| true, Instant::now());
        let parts: Vec<_> = all.chunks(RECORDS).map(|part| records_of(&sharing, part)).collect();
        parts.into_iter().map(|part| State { records: vec![part], ..State::default() })
    });
    std::iter::once(first).chain(records)
}

fn records_of(sharing: &Sharing, part: &[RecordView]) -> HandedRecords {
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
    HandedRecords { virtual_server, address, records: part.iter().map(record).collect() }
}

/// Records in a message.
const RECORDS: usize = 5000;
