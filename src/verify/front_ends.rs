//! Each virtual server, reached as a client reaches it: TLS, SASL or not, and a question that goes to a member.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::answers::{Answers, FrontEndSeen};
use super::check::Check;
use super::members::spoken;
use super::names::reached_at;
use super::scope::{Explanation, LIMIT, Scope, protocol};
use crate::model::profile::PeerCertMode;
use crate::model::{AdminState, Host, ImpalaProtocol, Mode, Transport, VirtualServer};
use crate::monitor::{How, NoAnswer, PortAnswer, ask_port};
use crate::tls::fetch_chain;

pub(super) async fn verify(scope: &Scope, answers: &mut Answers) -> Vec<Check> {
    let mut checks = Vec::new();
    for virtual_server in &scope.virtual_servers {
        let about = &virtual_server.name;
        if answers.not_running.contains(about) {
            let what = "pronk does not listen there at present";
            checks.push(Check::skipped("not-running", about, what, "start pronk, and verify again"));
            continue;
        }
        if virtual_server.client_ssl.as_ref().is_some_and(|it| it.peer_cert_mode == PeerCertMode::Require) {
            let what = "its client-ssl profile demands a certificate of clients, and pronk verify has none";
            checks.push(Check::skipped("client-certificate", about, what, "try it with a client that has one"));
            continue;
        }
        let told = scope.running.as_ref().ok().and_then(|running| running.explanations.get(about.as_str()));
        let from = source_toward(reached_at(virtual_server, answers));
        if let Some(check) = not_let_in(virtual_server, from, told) {
            checks.push(check);
            continue;
        }
        let seen = observe(scope, virtual_server, answers).await;
        checks.push(judge(virtual_server, &seen, told.map(|told| told.says.as_str())));
        answers.front_ends.insert(about.clone(), seen);
    }
    checks
}

/// Returns the address from which this machine connects to another. Nothing is sent.
fn source_toward(address: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(address).ok()?;
    Some(socket.local_addr().ok()?.ip().to_canonical())
}

/// Returns why a client on this machine is refused, though all may be well: a rule of the virtual server says so.
fn not_let_in(virtual_server: &VirtualServer, from: Option<IpAddr>, told: Option<&Explanation>) -> Option<Check> {
    let VirtualServer { name: about, source, state, rate_limit, connection_limit, .. } = virtual_server;
    let refused = told.and_then(|told| told.refused.as_deref());
    let from = from.filter(|from| !source.is_empty() && !source.iter().any(|network| network.contains(from)));
    if let Some(from) = from {
        let networks = crate::words::first_of(source.iter().map(ToString::to_string), crate::words::MOST_NAMES);
        let what = format!("its `source` lets in {networks}, and this machine comes from {from}");
        return Some(Check::skipped("source", about, what, "try it with a client in one of its networks"));
    }
    if *state == AdminState::Disabled || refused == Some(DISABLED) {
        let what = "it is disabled, and resets new clients";
        return Some(Check::skipped("disabled", about, what, "write `state: enabled` to have it serve"));
    }
    if let (Some(limit), Some(CONNECTION_LIMIT)) = (connection_limit, refused) {
        let what = format!("it has as many connections as its `connection-limit` of {limit} lets in");
        let remedy = "verify when it has fewer, or raise the limit";
        return Some(Check::skipped("connection-limit", about, what, remedy));
    }
    let limit = rate_limit.filter(|limit| *limit < ASKED || refused == Some(RATE_LIMIT))?;
    let what = format!("its `rate-limit` lets in {limit} clients in a second, and verify needs {ASKED} of them");
    Some(Check::skipped("rate-limit", about, what, "try it with a client, or raise the limit"))
}

async fn observe(scope: &Scope, virtual_server: &VirtualServer, answers: &Answers) -> FrontEndSeen {
    let address = reached_at(virtual_server, answers);
    let tls = scope.anybody(virtual_server.hostname.clone(), address);
    let all = || tls.iter().cloned().collect::<Vec<_>>();
    let transport = match virtual_server.mode() {
        Mode::Offload | Mode::ReEncrypt => Transport::Tls(all()),
        Mode::ServerOnly => Transport::Plaintext,
        Mode::Passthrough => Transport::Either(all()),
    };
    // Its members were asked before.
    let keys = virtual_server.pool.members.iter().map(|member| member.key());
    let told = keys.filter_map(|key| Some(answers.members.get(&key)?.port.as_ref().ok()?.protocol)).next();
    let speaks = told.unwrap_or_else(|| protocol(&virtual_server.pool, virtual_server.destination.port()));
    let port = ask_port(address, speaks, &transport, LIMIT).await;
    if virtual_server.rate_limit.is_some() {
        tokio::time::sleep(SECOND).await;
    }
    let shows_chain = match virtual_server.mode() {
        Mode::Offload | Mode::ReEncrypt => true,
        // Where members speak TLS.
        Mode::Passthrough => matches!(&port, Ok(answer) if answer.tls),
        Mode::ServerOnly => false,
    };
    let name = virtual_server.hostname.as_deref().and_then(|name| Host::parse(name).ok());
    let chain = if shows_chain { Some(fetch_chain(address, name.as_ref(), LIMIT).await) } else { None };
    let has_tls = matches!(&port, Ok(answer) if answer.tls);
    FrontEndSeen { address, port, chain, tls: tls.filter(|_| has_tls) }
}

/// Judges what a virtual server answered. `says` is what the running pronk says of it.
fn judge(virtual_server: &VirtualServer, seen: &FrontEndSeen, says: Option<&str>) -> Check {
    let (about, address) = (&virtual_server.name, seen.address);
    let usual = ImpalaProtocol::of_usual_port(virtual_server.destination.port());
    match &seen.port {
        Ok(PortAnswer { is_draining: true, .. }) => Check::warning(
            "front-end-draining",
            about,
            format!("{address} is answered by a daemon that is being shut down"),
            "give its pool a monitor of type impala, which takes such a daemon out",
        ),
        Ok(answer) if usual.is_some_and(|usual| usual != answer.protocol) => Check::failed(
            "front-end-protocol",
            about,
            format!(
                "its members speak {}, and clients of port {} speak {}",
                answer.protocol.title(),
                virtual_server.destination.port(),
                usual.unwrap_or(answer.protocol).title()
            ),
            "correct the members' port, or the destination's (Impala's are 21050 for HiveServer2, 21000 for Beeswax and \
             28000 for HiveServer2 over HTTP)",
        ),
        Ok(answer) => Check::ok("front-end", about, format!("{address} answers ({})", spoken(answer))),
        Err(failure) => judge_no_answer(virtual_server, seen, failure, says),
    }
}

fn judge_no_answer(
    virtual_server: &VirtualServer,
    seen: &FrontEndSeen,
    failure: &NoAnswer,
    says: Option<&str>,
) -> Check {
    let has_tls = matches!(virtual_server.mode(), Mode::Offload | Mode::ReEncrypt);
    let shows = matches!(&seen.chain, Some(Ok(_)));
    let (id, remedy) = match failure.how {
        How::Refused => ("front-end-refuses", "start pronk, or correct the `destination`"),
        How::Unreached => ("front-end-unreachable", "see to a route to it, and to firewalls between"),
        How::NotTls if has_tls && !shows => {
            ("front-end-is-plaintext", "another program listens there, or pronk has not taken the file: pronk reload")
        }
        _ if has_tls && !shows => ("front-end-handshake", "pronk's log has the reason of the failed handshake"),
        How::Silent => (
            "front-end-silent",
            "no member answers in time: see the members above; connections may wait in the pool's queue",
        ),
        _ => ("front-end-has-no-member", "see the members above; pronk's log has the connection's close.reason"),
    };
    let says = says.map(|says| format!("; pronk says: {says}")).unwrap_or_default();
    Check::failed(id, &virtual_server.name, format!("{}: {}{says}", seen.address, failure.reason), remedy)
}

/// Close reasons, as pronk tells them.
const DISABLED: &str = "virtual-server-disabled";
const CONNECTION_LIMIT: &str = "connection-limit";
const RATE_LIMIT: &str = "rate-limit";
/// Connections that a question may take, as it is put in each way that a port may speak.
const ASKED: u32 = 4;
/// In which a rate limit counts.
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    #[test]
    fn members_must_speak_what_clients_of_the_port_speak() {
        for (port, protocol, id) in [
            (21050, ImpalaProtocol::Hs2, "front-end"),
            (21050, ImpalaProtocol::Beeswax, "front-end-protocol"),
            (21050, ImpalaProtocol::Hs2Http, "front-end-protocol"),
            (21000, ImpalaProtocol::Hs2, "front-end-protocol"),
            (28000, ImpalaProtocol::Hs2Http, "front-end"),
            (443, ImpalaProtocol::Beeswax, "front-end"),
        ] {
            let file = format!(
                "nodes: {{ n: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: ['n:1'] }} }}\n\
                 virtual-servers: {{ vs: {{ destination: '10.0.0.1:{port}', pool: p }} }}\n"
            );
            let model = config::parse("pronk.yaml", &file, Path::new("/")).unwrap().model;
            let virtual_server = &model.virtual_servers["vs"];
            let answer = PortAnswer { protocol, tls: false, sasl: false, is_draining: false };
            let seen = FrontEndSeen { address: virtual_server.destination, port: Ok(answer), chain: None, tls: None };
            assert_eq!(judge(virtual_server, &seen, None).id, id, "{port} {protocol:?}");
        }
    }

    #[test]
    fn client_that_a_rule_refuses_says_nothing_of_the_virtual_server() {
        let refused = |reason: &str| Explanation { refused: Some(reason.to_owned()), ..Explanation::default() };
        let free = Explanation::default();
        for (keys, told, id) in [
            ("source: [10.0.0.0/8]", &free, Some("source")),
            ("source: [10.0.0.0/8, 192.0.2.0/24]", &free, None),
            ("state: disabled", &free, Some("disabled")),
            // Disabled by a command.
            ("state: enabled", &refused(DISABLED), Some("disabled")),
            ("connection-limit: 1", &refused(CONNECTION_LIMIT), Some("connection-limit")),
            ("connection-limit: 1", &free, None),
            ("rate-limit: 1", &free, Some("rate-limit")),
            ("rate-limit: 100", &free, None),
            ("rate-limit: 100", &refused(RATE_LIMIT), Some("rate-limit")),
            ("state: enabled", &refused("no-member-up"), None),
        ] {
            let file = format!(
                "nodes: {{ n: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: ['n:1'] }} }}\n\
                 virtual-servers: {{ vs: {{ destination: '192.0.2.1:443', pool: p, {keys} }} }}\n"
            );
            let model = config::parse("pronk.yaml", &file, Path::new("/")).unwrap().model;
            let from = Some(IpAddr::from([192, 0, 2, 1]));
            let check = not_let_in(&model.virtual_servers["vs"], from, Some(told));
            assert_eq!(check.as_ref().map(|it| it.id), id, "{keys} {told:?}");
            assert!(check.is_none_or(|it| it.outcome == crate::verify::Outcome::Skipped));
        }
    }

    #[test]
    fn machine_comes_from_its_own_address_to_itself() {
        let (loopback, port) = (IpAddr::from([127, 0, 0, 1]), 21050);
        assert_eq!(source_toward((loopback, port).into()), Some(loopback));
    }
}
