//! Each virtual server, reached as a client reaches it: TLS, SASL or not, and a question that goes to a member.

use super::answers::{Answers, FrontEndSeen};
use super::check::Check;
use super::members::spoken;
use super::names::reached_at;
use super::scope::{LIMIT, Scope, protocol};
use crate::model::profile::PeerCertMode;
use crate::model::{Host, ImpalaProtocol, Mode, Transport, VirtualServer};
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
        let seen = observe(scope, virtual_server, answers).await;
        let says = scope.running.as_ref().ok().and_then(|running| running.explanations.get(about.as_str()));
        checks.push(judge(virtual_server, &seen, says.map(String::as_str)));
        answers.front_ends.insert(about.clone(), seen);
    }
    checks
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
}
