//! What this process takes over from the one before.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::export::cluster;
use crate::cert::hex;
use crate::control::built_profiles::BuiltProfiles;
use crate::control::desired::Discovered;
use crate::control::system_state::SystemState;
use crate::handover::{Greeting, HandedSocket, Predecessor, ProcessFacts, State, TicketKeysOfProfile};
use crate::model::{MemberKey, Model, Name};
use crate::monitor::FoundHost;
use crate::pool::{LiveMember, Registry, Sharing, Verdict};
use crate::tls::HandedKey;

/// What a process begins with: of the process that it takes over from, or of the service manager.
#[derive(Debug, Default)]
pub struct Inheritance {
    pub predecessor: Option<Arc<Predecessor>>,
    /// Sockets that listen already.
    pub sockets: Vec<(HandedSocket, OwnedFd)>,
    /// Processes that drain, and where their reports are read.
    pub processes: Vec<(ProcessFacts, OwnedFd)>,
}

/// Returns what was found before by those searches that are the same in this configuration.
pub(in crate::control) fn discovered(greeting: &Greeting, written: &Model) -> Discovered {
    let coordinators = greeting.coordinators.iter().filter_map(|found| {
        let pool = written.pools.get(found.pool.as_str())?;
        let search = pool.discovery.clone().filter(|search| cluster(search) == found.search)?;
        let host =
            |(host, addresses): &(String, Vec<IpAddr>)| FoundHost { host: host.clone(), addresses: addresses.clone() };
        Some((pool.name.clone(), (search, found.hosts.iter().map(host).collect())))
    });
    let addresses = greeting.addresses.iter().map(|name| (name.fqdn.clone(), name.addresses.clone()));
    Discovered { coordinators: coordinators.collect(), addresses: addresses.collect() }
}

/// Counts the connections of other processes, before the first one of this process, whose numbers begin behind theirs.
pub(in crate::control) fn count_connections(part: &State, state: &SystemState) {
    state.open.begin_behind(part.last_connection);
    state.draining_processes.begin_with(&part.held);
}

/// Puts a part of the state into the registry, before the first connection.
pub(in crate::control) fn apply(part: &State, registry: &Registry, now: Instant) {
    let member = |pool: &str, node: &str, port: u16| -> Arc<LiveMember> {
        registry.pool(&Name::from(pool)).member(&MemberKey { node: Name::from(node), port }, now)
    };
    for it in &part.verdicts {
        if let Some(verdict) = verdict(&it.verdict, it.reason.clone().unwrap_or_default()) {
            member(&it.pool, &it.node, it.port).begin_with([(Name::from(it.monitor.as_str()), verdict)]);
        }
    }
    for shared in &part.records {
        let sharing = match (&shared.virtual_server, shared.address) {
            (Some(name), _) => Sharing::VirtualServer(Name::from(name.as_str())),
            (None, Some(address)) => Sharing::Address(address),
            (None, None) => Sharing::All,
        };
        if shared.begins_anew {
            registry.records(&sharing).delete(|_| true, now);
        }
        for record in &shared.records {
            let used = now.checked_sub(Duration::from_millis(record.idle)).unwrap_or(now);
            let member = member(&record.pool, &record.node, record.port);
            registry.begin_with_record(&sharing, record.client, &member, used);
        }
    }
}

/// Goes on with the ticket keys of those profiles that are the same in both processes.
pub(in crate::control) fn import_tickets(greeting: &Greeting, profiles: &BuiltProfiles) {
    for TicketKeysOfProfile { profile, fingerprint, keys } in &greeting.tickets {
        let Some(live) = profiles.client.get(profile.as_str()) else { continue };
        if live.fingerprint() == fingerprint {
            let keys = keys.iter().filter_map(|(secret, in_use)| {
                Some(HandedKey { secret: Zeroizing::new(hex::bytes(secret)?), in_use: *in_use })
            });
            live.import_ticket_keys(&keys.collect::<Vec<_>>());
        }
    }
}

fn verdict(word: &str, reason: String) -> Option<Verdict> {
    [Verdict::Up, Verdict::Disabled(reason.clone()), Verdict::Unavailable(reason.clone()), Verdict::Down(reason)]
        .into_iter()
        .find(|verdict| verdict.as_str() == word)
}
