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
    let chains = fetch(ports)?;
    for (port, fetched) in ports.iter().zip(chains) {
        // Nobody looks for an address in a certificate only because we have no name for the node.
        let node = port.server_name.clone().filter(|it| matches!(it, Host::Name(_)) && !role.front_ends.contains(it));
        let role = Role { node: node.or_else(|| role.node.clone()), ..role.clone() };
        collected.add(&port.to_string(), fetched, &[(role, None)], "TLS, with a certificate");
    }
    Ok(collected)
}
