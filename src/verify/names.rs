//! Whether the names that clients connect to lead to the destinations of their virtual servers.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::answers::Answers;
use super::check::Check;
use super::scope::Scope;
use crate::model::VirtualServer;
use crate::monitor::resolve_once;
use crate::reading::os_reason;

pub(super) async fn verify(scope: &Scope, answers: &mut Answers) -> Vec<Check> {
    let mut checks = Vec::new();
    for virtual_server in &scope.virtual_servers {
        let Some(name) = &virtual_server.hostname else {
            checks.push(judge_nameless(virtual_server));
            continue;
        };
        let found = tokio::time::timeout(super::scope::LIMIT, resolve_once(name)).await;
        let found = match found {
            Ok(found) => found.map_err(|error| os_reason(&error)),
            Err(_) => Err("no answer in time".to_owned()),
        };
        checks.extend(judge(virtual_server, name, &found, is_local));
        if let Ok(found) = found {
            answers.names.insert(name.clone(), found);
        }
    }
    checks
}

/// Returns whether an address is one of this machine's.
pub(super) fn is_local(address: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

fn judge_nameless(virtual_server: &VirtualServer) -> Check {
    let what = "it has no `hostname`, so neither its name in DNS nor the names in certificates are checked";
    Check::skipped("no-hostname", &virtual_server.name, what, "write the name that clients connect to as `hostname`")
}

/// Judges what a virtual server's name resolves to.
fn judge(
    virtual_server: &VirtualServer,
    name: &str,
    found: &Result<Vec<IpAddr>, String>,
    is_local: impl Fn(IpAddr) -> bool,
) -> Vec<Check> {
    let VirtualServer { name: about, destination, .. } = virtual_server;
    let destination = *destination;
    let found = match found {
        Ok(found) => found,
        Err(reason) => {
            return vec![Check::failed(
                "name-does-not-resolve",
                about,
                format!("{name} does not resolve: {reason}"),
                format!("give it an address record for {} in DNS", suited(destination)),
            )];
        }
    };
    let (here, elsewhere): (Vec<IpAddr>, Vec<IpAddr>) = found.iter().partition(|it| takes(destination, **it));
    if here.is_empty() {
        return vec![judge_elsewhere(virtual_server, name, found)];
    }
    let mut checks = Vec::new();
    if destination.ip().is_unspecified() && !here.iter().any(|it| is_local(*it)) {
        checks.push(Check::warning(
            "name-of-another-machine",
            about,
            format!("{name} is {}, which is no address of this machine", listed(&here)),
            "right if another machine holds the address at present; else correct the record in DNS",
        ));
    }
    if !elsewhere.is_empty() {
        checks.push(Check::warning(
            "name-has-other-addresses",
            about,
            format!("{name} is also {}, where this virtual server does not listen ({destination})", listed(&elsewhere)),
            "clients that try that one first wait or fail: remove the record, or listen there too (`[::]` takes IPv4 and IPv6)",
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok("name", about, format!("{name} is {}", listed(&here))));
    }
    checks
}

/// None of the addresses is where the virtual server listens.
fn judge_elsewhere(virtual_server: &VirtualServer, name: &str, found: &[IpAddr]) -> Check {
    let VirtualServer { name: about, destination, .. } = virtual_server;
    let (port, is_v6) = (destination.port(), destination.is_ipv6());
    if found.iter().all(|it| it.is_ipv6() != is_v6) {
        let (has, listens) = if is_v6 { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
        let record = if is_v6 { "AAAA" } else { "A" };
        return Check::failed(
            if is_v6 { "name-only-ipv4" } else { "name-only-ipv6" },
            about,
            format!(
                "{name} has {has} addresses only ({}), and the virtual server listens on {listens} ({destination})",
                listed(found)
            ),
            format!("add an {record} record, or write `destination: '[::]:{port}'`, which takes both"),
        );
    }
    let hint = if found.iter().all(IpAddr::is_loopback) && !destination.ip().is_loopback() {
        " (this machine's /etc/hosts may say so, and other machines something else)"
    } else {
        ""
    };
    Check::failed(
        "name-elsewhere",
        about,
        format!("{name} is {}{hint}, and the virtual server listens on {destination}", listed(found)),
        "correct the record in DNS or the `destination`; for a name that clients do not use correct the `hostname`",
    )
}

/// Returns whether a connection to an address comes to a destination.
fn takes(destination: SocketAddr, address: IpAddr) -> bool {
    match destination.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => true,
        IpAddr::V4(ip) if ip.is_unspecified() => address.is_ipv4(),
        ip => ip == address,
    }
}

fn suited(destination: SocketAddr) -> String {
    if destination.ip().is_unspecified() { "this machine".to_owned() } else { destination.ip().to_string() }
}

fn listed(addresses: &[IpAddr]) -> String {
    crate::words::first_of(addresses.iter().map(ToString::to_string), 4)
}

/// Returns the address at which a client reaches a virtual server: that of its name where it has one.
pub(super) fn reached_at(virtual_server: &VirtualServer, answers: &Answers) -> SocketAddr {
    let destination = virtual_server.destination;
    let named = virtual_server.hostname.as_ref().and_then(|name| answers.names.get(name));
    let named = named.and_then(|found| found.iter().copied().find(|it| takes(destination, *it)));
    let loopback: IpAddr = if destination.is_ipv6() { [0, 0, 0, 0, 0, 0, 0, 1].into() } else { [127, 0, 0, 1].into() };
    let own = if destination.ip().is_unspecified() { loopback } else { destination.ip() };
    SocketAddr::new(named.unwrap_or(own), destination.port())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::verify::Outcome;

    fn judged(destination: &str, found: Result<&[&str], &str>) -> Vec<(&'static str, Outcome)> {
        let file = format!(
            "nodes: {{ n: {{ address: 127.0.0.1 }} }}\npools: {{ p: {{ members: ['n:1'] }} }}\n\
             virtual-servers: {{ vs: {{ destination: '{destination}', pool: p, hostname: lb.example.com }} }}\n"
        );
        let model = config::parse("pronk.yaml", &file, Path::new("/")).unwrap().model;
        let found = found.map(|all| all.iter().map(|it| it.parse().unwrap()).collect()).map_err(str::to_owned);
        let local = |address: IpAddr| address.to_string().starts_with("10.");
        let checks = judge(&model.virtual_servers["vs"], "lb.example.com", &found, local);
        checks.into_iter().map(|check| (check.id, check.outcome)).collect()
    }

    #[test]
    fn names_must_lead_to_the_destination() {
        for (destination, found, id, outcome) in [
            ("10.0.0.1:1", Ok(&["10.0.0.1"][..]), "name", Outcome::Ok),
            ("0.0.0.0:1", Ok(&["10.0.0.9"]), "name", Outcome::Ok),
            ("[::]:1", Ok(&["10.0.0.9", "fd00::1"]), "name", Outcome::Ok),
            ("10.0.0.1:1", Err("not found"), "name-does-not-resolve", Outcome::Failed),
            ("10.0.0.1:1", Ok(&["10.0.0.2"]), "name-elsewhere", Outcome::Failed),
            ("10.0.0.1:1", Ok(&["fd00::1"]), "name-only-ipv6", Outcome::Failed),
            ("0.0.0.0:1", Ok(&["fd00::1"]), "name-only-ipv6", Outcome::Failed),
            ("[fd00::1]:1", Ok(&["10.0.0.1"]), "name-only-ipv4", Outcome::Failed),
            ("10.0.0.1:1", Ok(&["10.0.0.1", "fd00::1"]), "name-has-other-addresses", Outcome::Warning),
            ("0.0.0.0:1", Ok(&["192.0.2.1"]), "name-of-another-machine", Outcome::Warning),
        ] {
            assert_eq!(judged(destination, found), [(id, outcome)], "{destination} {found:?}");
        }
    }
}
