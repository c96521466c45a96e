//! Each member directly: whether it answers, in the protocol that its virtual servers speak to it, and what its monitors
//! say.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::answers::{Answers, MemberSeen};
use super::at_once::at_once;
use super::check::Check;
use super::scope::{LIMIT, Scope, protocol};
use crate::inventory::targets::node_name;
use crate::model::{Address, ImpalaProtocol, Member, MemberKey, Mode, Name, Pool, Transport, VirtualServer};
use crate::monitor::{How, NoAnswer, PortAnswer, ask_port, probe_once, resolve_once};
use crate::reading::os_reason;
use crate::tls::fetch_chain;

pub(super) async fn verify(scope: &Scope, answers: &mut Answers) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut members: BTreeMap<MemberKey, (&Member, &Arc<Pool>)> = BTreeMap::new();
    for pool in scope.pools().into_values() {
        if pool.discovery.is_some() {
            let what = "its members are discovered while pronk runs, and are verified through its virtual servers only";
            checks.push(Check::skipped("discovery", &pool.name, what, "see `pronk show map` for its members"));
        }
        members.extend(pool.members.iter().map(|member| (member.key(), (&**member, pool))));
    }
    for (key, seen) in at_once(members.values().map(|(member, pool)| observe(scope, member, pool))).await {
        match seen {
            Ok(seen) => {
                let users: Vec<_> = users(scope, &key).collect();
                checks.extend(judge(&key, &seen, &users));
                answers.members.insert(key, seen);
            }
            Err(check) => checks.push(check),
        }
    }
    for pool in scope.pools().into_values() {
        checks.extend(judge_pool(pool, answers));
    }
    checks
}

/// Returns the virtual servers that use a member, each with its mode.
fn users<'a>(scope: &'a Scope, key: &'a MemberKey) -> impl Iterator<Item = (&'a Name, Mode)> {
    let uses = |it: &&Arc<VirtualServer>| it.pool.members.iter().any(|member| member.key() == *key);
    scope.virtual_servers.iter().filter(uses).map(|it| (&it.name, it.mode()))
}

/// Asks a member everything, one question after the other, as it may have few threads.
async fn observe(scope: &Scope, member: &Member, pool: &Pool) -> (MemberKey, Result<MemberSeen, Check>) {
    let key = member.key();
    let addresses = match addresses(member).await {
        Ok(addresses) => addresses,
        Err(reason) => {
            let check = Check::failed(
                "node-does-not-resolve",
                &key,
                format!("{} does not resolve: {reason}", member.node.address),
                "correct the node's `address`, or give the name an address record in DNS",
            );
            return (key, Err(check));
        }
    };
    let monitors = monitors(scope, &key, &pool.name, &addresses).await;
    let (speaks, mut seen) = (protocol(pool, member.port), None);
    for ip in addresses {
        let address = SocketAddr::new(ip, member.port);
        let name = node_name(&member.node).map(|name| name.to_string());
        let tls = scope.anybody(name, address).into_iter().collect();
        let port = ask_port(address, speaks, &Transport::Either(tls), LIMIT).await;
        let is_good = port.is_ok();
        seen = Some((address, port));
        if is_good {
            break;
        }
    }
    // A node has an address, or there is an error above.
    let no_address = || NoAnswer { reason: "it has no address".to_owned(), how: How::NotMade };
    let (address, port) = seen.unwrap_or_else(|| ((IpAddr::from([0, 0, 0, 0]), 0).into(), Err(no_address())));
    let speaks_tls = matches!(&port, Ok(answer) if answer.tls);
    let mut observed = MemberSeen { address, port, chain: None, handshakes: Vec::new(), monitors };
    if speaks_tls {
        observed.chain = Some(fetch_chain(address, node_name(&member.node).as_ref(), LIMIT).await);
        for virtual_server in &scope.virtual_servers {
            let uses = virtual_server.pool.members.iter().any(|it| it.key() == key);
            if let Some(tls) = scope.preview.tls_toward(virtual_server, member).filter(|_| uses) {
                let made = ask_port(address, speaks, &Transport::Tls(vec![tls]), LIMIT).await;
                observed.handshakes.push((virtual_server.name.clone(), made));
            }
        }
    }
    (key, Ok(observed))
}

async fn addresses(member: &Member) -> Result<Vec<IpAddr>, String> {
    match &member.node.address {
        Address::Ip(address) => Ok(vec![*address]),
        Address::Fqdn(name) => match tokio::time::timeout(LIMIT, resolve_once(name)).await {
            Ok(found) => found.map_err(|error| os_reason(&error)),
            Err(_) => Err("no answer in time".to_owned()),
        },
    }
}

/// Has each monitor of a member probe it once.
async fn monitors(
    scope: &Scope,
    key: &MemberKey,
    pool: &Name,
    addresses: &[IpAddr],
) -> Vec<(Name, Result<(), String>)> {
    let mut said = Vec::new();
    let own = scope.preview.assignments.iter().filter(|it| it.member == *key && it.pool == *pool);
    for assignment in own {
        assignment.node.set_addresses(addresses.to_vec());
        if let Some(outcome) = probe_once(assignment).await {
            said.push((assignment.monitor.name.clone(), outcome));
        }
    }
    said
}

/// Judges what a member answered, for the virtual servers that use it.
fn judge(about: &MemberKey, seen: &MemberSeen, users: &[(&Name, Mode)]) -> Vec<Check> {
    let failing = seen.monitors.iter().filter_map(|(monitor, said)| Some((monitor, said.as_ref().err()?)));
    let answer = match &seen.port {
        Ok(answer) => answer,
        Err(failure) => {
            // Of a port that says nothing, a monitor that asks the web UI knows more.
            let is_silent = failure.how == How::Silent;
            let more = failing.filter(|_| is_silent).map(|(monitor, why)| format!("monitor {monitor} says: {why}"));
            let more: Vec<_> = more.collect();
            return vec![judge_no_answer(about, seen.address, failure, &more)];
        }
    };
    let mut checks = Vec::new();
    if answer.is_draining {
        checks.push(Check::warning(
            "member-draining",
            about,
            "it says that it is being shut down",
            "wait until it is started again, or take it out of its pool",
        ));
    }
    for (virtual_server, mode) in users {
        checks.extend(judge_mode(about, answer, virtual_server, *mode));
    }
    if checks.is_empty() {
        checks.extend(failing.map(|(monitor, why)| judge_monitor(about, monitor, why)));
    }
    if checks.is_empty() {
        checks.push(Check::ok("member", about, format!("{} answers ({})", seen.address, spoken(answer))));
    }
    checks
}

fn judge_no_answer(about: &MemberKey, address: SocketAddr, failure: &NoAnswer, more: &[String]) -> Check {
    let (id, remedy) = match failure.how {
        How::Refused => (
            "member-refuses",
            "start its impalad, or correct the member's port (Impala's are 21050, 21000 and 28000); an executor-only \
             daemon opens none",
        ),
        How::Unreached => ("member-unreachable", "see to a route to it, and to firewalls between"),
        How::Silent if NOT_OF_CLIENTS.contains(&about.port) => (
            "member-silent",
            "the port is not for clients but that of a web UI or among daemons: correct the member's port (Impala's are \
             21050, 21000 and 28000)",
        ),
        How::Silent if ImpalaProtocol::of_usual_port(about.port).is_none() => (
            "member-silent",
            "see whether the port is for clients at all (Impala's are 21050, 21000 and 28000); if it is, its service \
             threads are probably all in use: raise Impala's --fe_service_threads, and give the member a \
             `connection-limit` below it and the pool `queue-on-connection-limit: true`",
        ),
        How::Silent => (
            "member-silent",
            "its service threads are probably all in use: raise Impala's --fe_service_threads, and give the member a \
             `connection-limit` below it and the pool `queue-on-connection-limit: true`",
        ),
        How::NotMade => ("member-not-asked", "see to what pronk lacks, and verify again"),
        How::Ended | How::NotTls | How::Tls | How::Other => (
            "member-is-no-impalad",
            "see whether the port is that of an impalad, and what the daemon logs; a web UI or a statestore is none",
        ),
    };
    let reason = [std::slice::from_ref(&failure.reason), more].concat().join("; ");
    let begin = if reason.contains(&address.to_string()) { String::new() } else { format!("{address}: ") };
    Check::failed(id, about, format!("{begin}{reason}"), remedy)
}

fn judge_mode(about: &MemberKey, answer: &PortAnswer, virtual_server: &Name, mode: Mode) -> Option<Check> {
    match mode {
        Mode::Offload if answer.tls => Some(Check::failed(
            "member-speaks-tls",
            about,
            format!("it speaks TLS, and virtual server {virtual_server} (offload) sends it plaintext"),
            "give the virtual server a server-ssl profile (re-encrypt), or take its client-ssl away (passthrough)",
        )),
        Mode::ReEncrypt | Mode::ServerOnly if !answer.tls => Some(Check::failed(
            "member-speaks-plaintext",
            about,
            format!("it speaks plaintext, and virtual server {virtual_server} ({}) opens TLS to it", mode.as_str()),
            "take the server-ssl profile away (offload), or give Impala a certificate (--ssl_server_certificate and \
             --ssl_private_key)",
        )),
        Mode::Offload | Mode::ReEncrypt | Mode::ServerOnly | Mode::Passthrough => None,
    }
}

/// The port answers, and a monitor is not content.
fn judge_monitor(about: &MemberKey, monitor: &Name, why: &str) -> Check {
    Check::failed(
        "monitor-fails",
        about,
        format!("its port answers, and monitor {monitor} says: {why}"),
        "correct what it says; where it asks otherwise than the member speaks, see the monitor's `ssl`, `sasl`, \
         `protocol` and `web-port`",
    )
}

/// Members of a pool must speak alike, as any of them may be chosen.
fn judge_pool(pool: &Pool, answers: &Answers) -> Vec<Check> {
    let seen = pool.members.iter().filter_map(|member| {
        let key = member.key();
        Some((answers.members.get(&key)?.port.as_ref().ok()?, key))
    });
    let seen: Vec<_> = seen.collect();
    let differ = |id, what: &str, other: &str, is: fn(&PortAnswer) -> bool, remedy: &str| {
        let (with, without): (Vec<_>, Vec<_>) = seen.iter().partition(|(answer, _)| is(answer));
        let names = |some: &[&(&PortAnswer, MemberKey)]| {
            crate::words::first_of(some.iter().map(|(_, key)| key.to_string()), crate::words::MOST_NAMES)
        };
        let message = format!("{} {what}, and {} {other}", names(&with), names(&without));
        (!with.is_empty() && !without.is_empty()).then(|| Check::failed(id, &pool.name, message, remedy))
    };
    let tls = differ(
        "members-differ-in-tls",
        "speak TLS",
        "plaintext",
        |answer| answer.tls,
        "have all daemons of the pool speak alike: set Impala's certificate flags on all of them, or on none",
    );
    let sasl = differ(
        "members-differ-in-sasl",
        "ask for a login (SASL)",
        "do not",
        |answer| answer.sasl,
        "have all daemons of the pool authenticate alike (Kerberos or LDAP flags), or leave out those that differ",
    );
    tls.into_iter().chain(sasl).chain(differ_in_protocol(pool, &seen)).collect()
}

/// A client of one protocol can use only some of the members then.
fn differ_in_protocol(pool: &Pool, seen: &[(&PortAnswer, MemberKey)]) -> Option<Check> {
    let (first, first_key) = seen.first()?;
    let (other, other_key) = seen.iter().find(|(answer, _)| answer.protocol != first.protocol)?;
    Some(Check::failed(
        "members-differ-in-protocol",
        &pool.name,
        format!("{first_key} speaks {}, and {other_key} {}", first.protocol.title(), other.protocol.title()),
        "give all members of the pool the port of one protocol (Impala's are 21050, 21000 and 28000), and each protocol \
         a pool of its own",
    ))
}

/// Returns what a port speaks, in words.
pub(super) fn spoken(answer: &PortAnswer) -> String {
    let tls = if answer.tls { "TLS" } else { "plaintext" };
    format!("{}, {tls}{}", answer.protocol.as_str(), if answer.sasl { ", SASL" } else { "" })
}

/// Ports of Impala that take no client: web UIs, and those among daemons.
const NOT_OF_CLIENTS: [u16; 9] = [22000, 23000, 23020, 24000, 25000, 25010, 25020, 26000, 27000];

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(port: Result<(bool, bool), How>) -> MemberSeen {
        let protocol = ImpalaProtocol::Hs2;
        let port = port
            .map(|(tls, sasl)| PortAnswer { protocol, tls, sasl, is_draining: false })
            .map_err(|how| NoAnswer { reason: "no".to_owned(), how });
        let address = "10.0.0.1:21050".parse().unwrap();
        MemberSeen { address, port, chain: None, handshakes: Vec::new(), monitors: Vec::new() }
    }

    #[test]
    fn member_must_speak_what_its_virtual_servers_speak_to_it() {
        let (about, vs) = (MemberKey { node: Name::from("n"), port: 21050 }, Name::from("vs"));
        for (port, mode, id) in [
            (Ok((true, false)), Mode::Offload, "member-speaks-tls"),
            (Ok((false, false)), Mode::Offload, "member"),
            (Ok((false, true)), Mode::ReEncrypt, "member-speaks-plaintext"),
            (Ok((true, true)), Mode::ReEncrypt, "member"),
            (Ok((true, false)), Mode::Passthrough, "member"),
            (Ok((false, false)), Mode::Passthrough, "member"),
            (Ok((false, false)), Mode::ServerOnly, "member-speaks-plaintext"),
            (Err(How::Refused), Mode::Offload, "member-refuses"),
            (Err(How::Unreached), Mode::Offload, "member-unreachable"),
            (Err(How::Silent), Mode::Offload, "member-silent"),
            (Err(How::Ended), Mode::Offload, "member-is-no-impalad"),
        ] {
            let checks = judge(&about, &seen(port), &[(&vs, mode)]);
            assert_eq!(checks.iter().map(|it| it.id).collect::<Vec<_>>(), [id], "{port:?} {mode:?}");
        }
        let mut discontent = seen(Ok((false, false)));
        discontent.monitors = vec![(Name::from("watch"), Err("its page is not JSON".to_owned()))];
        assert_eq!(judge(&about, &discontent, &[(&vs, Mode::Offload)])[0].id, "monitor-fails");
    }

    #[test]
    fn members_of_a_pool_must_speak_one_protocol() {
        let text = "nodes: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }\n\
                    pools: { p: { members: ['a:21050', 'b:21000'] } }\n\
                    virtual-servers: { vs: { destination: '10.0.0.9:21050', pool: p } }\n";
        let model = crate::config::parse("pronk.yaml", text, std::path::Path::new("/")).unwrap().model;
        let pool = &model.pools["p"];
        let asked: Vec<_> = pool.members.iter().map(|member| protocol(pool, member.port)).collect();
        assert_eq!(asked, [ImpalaProtocol::Hs2, ImpalaProtocol::Beeswax]);
        for (other, ids) in [
            (ImpalaProtocol::Beeswax, &["members-differ-in-protocol"][..]),
            (ImpalaProtocol::Hs2Http, &["members-differ-in-protocol"]),
            (ImpalaProtocol::Hs2, &[]),
        ] {
            let mut answers = Answers::default();
            for (member, protocol) in pool.members.iter().zip([ImpalaProtocol::Hs2, other]) {
                let answer = PortAnswer { protocol, tls: false, sasl: false, is_draining: false };
                answers.members.insert(member.key(), MemberSeen { port: Ok(answer), ..seen(Err(How::Other)) });
            }
            let checks = judge_pool(pool, &answers);
            assert_eq!(checks.iter().map(|it| it.id).collect::<Vec<_>>(), ids, "{other:?}");
        }
    }

    #[test]
    fn silence_of_a_port_that_is_not_for_clients_is_not_blamed_on_threads_alone() {
        for (port, is_of_clients, may_be_threads) in
            [(21050, true, true), (21000, true, true), (25000, false, false), (9999, false, true)]
        {
            let about = MemberKey { node: Name::from("n"), port };
            let remedy = judge(&about, &seen(Err(How::Silent)), &[])[0].remedy.clone().unwrap();
            assert_eq!(remedy.contains("Impala's are 21050"), !is_of_clients, "{port}: {remedy}");
            assert_eq!(remedy.contains("--fe_service_threads"), may_be_threads, "{port}: {remedy}");
        }
    }
}
