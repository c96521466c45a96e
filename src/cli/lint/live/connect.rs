//! The ports that a user names.

use super::collected::Collected;
use super::port::Port;
use super::question::{Questions, ask};
use crate::lint::Role;
use crate::model::Host;

/// Fetches the chains of live TLS ports, all at once.
///
/// # Errors
/// There are no threads to ask from.
pub(in crate::cli::lint) fn connect(ports: &[Port], role: &Role) -> anyhow::Result<Collected> {
    let questions = ports.iter().map(|port| {
        // Nobody looks for an address in a certificate only because we have no name for the node.
        let node = port.server_name.clone().filter(|it| matches!(it, Host::Name(_)) && !role.front_ends.contains(it));
        let role = Role { node: node.or_else(|| role.node.clone()), ..role.clone() };
        Questions {
            port: port.clone(),
            address: port.to_string(),
            roles: vec![(role, None)],
            expected: "TLS, with a certificate".into(),
        }
    });
    let mut collected = Collected::default();
    for answers in ask(questions.collect())? {
        answers.add_to(&mut collected);
    }
    Ok(collected)
}
