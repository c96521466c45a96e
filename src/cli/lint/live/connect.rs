//! The ports that a user names.

use super::collected::Collected;
use super::fetch::fetch;
use super::port::Port;
use crate::lint::Role;
use crate::model::Host;

/// Fetches the chains of live TLS ports, all at once.
///
/// # Errors
/// There are no threads to ask from.
pub(in crate::cli::lint) fn connect(ports: &[Port], role: &Role) -> anyhow::Result<Collected> {
    let mut collected = Collected::default();
    // Clients ask for the name that they connect to, and a server may choose its certificate by that.
    let front_end = role.front_ends.iter().find(|host| matches!(host, Host::Name(_)));
    let asked: Vec<_> = ports.iter().map(|port| port.clone().asked_for(front_end)).collect();
    let chains = fetch(&asked)?;
    for (port, fetched) in ports.iter().zip(chains) {
        // Nobody looks for an address in a certificate only because we have no name for the node.
        let node = port.server_name.clone().filter(|it| matches!(it, Host::Name(_)) && !role.front_ends.contains(it));
        let role = Role { node: node.or_else(|| role.node.clone()), ..role.clone() };
        collected.add(&port.to_string(), fetched, &[(role, None)], "TLS, with a certificate");
    }
    Ok(collected)
}
