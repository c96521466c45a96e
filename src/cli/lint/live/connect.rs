//! The ports that a user names.

use anyhow::Context;

use super::collected::Collected;
use super::fetch::fetch;
use super::port::Port;
use crate::lint::Role;
use crate::model::Host;

/// Fetches the chains of live TLS ports (`host:port`, `[v6]:port`, or a host alone for port 21050), all at once.
///
/// # Errors
/// An address that is none.
pub(in crate::cli::lint) fn connect(addresses: &[String], role: &Role) -> anyhow::Result<Collected> {
    let ports = addresses
        .iter()
        .map(|text| Port::parse(text).with_context(|| format!("cannot connect to \"{text}\"")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut collected = Collected::default();
    let chains = fetch(&ports)?;
    for (port, fetched) in ports.iter().zip(chains) {
        // Nobody looks for an address in a certificate only because we have no name for the node.
        let node = port.server_name.clone().filter(|it| matches!(it, Host::Name(_)) && !role.front_ends.contains(it));
        let role = Role { node: node.or_else(|| role.node.clone()), ..role.clone() };
        collected.add(&port.to_string(), fetched, &[(role, None)], "TLS, with a certificate");
    }
    Ok(collected)
}
