//! What this process begins with: of the process that it takes over from, or of the service manager.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::Context;
use socket2::{SockRef, Type};

use super::systemd::is_kept;
use crate::control::Inheritance;
use crate::handover::{HandedDescriptors, HandedSocket, Predecessor};
use crate::net;

/// What this process begins with.
#[derive(Debug, Default)]
pub(super) struct Begun {
    pub inheritance: Inheritance,
    pub admin_socket: Option<OwnedFd>,
}

/// Takes what another process of pronk hands over to this one, or the sockets that the service manager passes. It blocks.
///
/// # Errors
/// The process that runs is of a version that cannot hand over to this one, or has ended.
pub(super) fn take() -> anyhow::Result<Begun> {
    if let Some((predecessor, handed)) = Predecessor::of_this_process().map_err(anyhow::Error::msg)? {
        let HandedDescriptors { sockets, admin_socket, processes } = handed;
        let inheritance = Inheritance { predecessor: Some(Arc::new(predecessor)), sockets, processes };
        return Ok(Begun { inheritance, admin_socket });
    }
    let passed = net::take_passed_descriptors().context("the environment of a socket unit makes no sense")?;
    let mut begun = Begun::default();
    for (descriptor, name) in passed {
        match listening(&descriptor) {
            Some(Listening::Tcp(destination)) => {
                let sockets = &mut begun.inheritance.sockets;
                // The service manager may have it twice, of a socket unit and among those that it keeps.
                if !sockets.iter().any(|(known, _): &(HandedSocket, _)| known.destination == destination) {
                    let is_held = !is_kept(&name);
                    sockets.push((HandedSocket { destination, owner: None, is_held }, descriptor));
                }
            }
            Some(Listening::Unix) if begun.admin_socket.is_none() => begun.admin_socket = Some(descriptor),
            Some(Listening::Unix) | None => {
                tracing::warn!(name, "the service manager passes a descriptor of which pronk has no use");
            }
        }
    }
    Ok(begun)
}

/// What a socket that was passed listens on.
enum Listening {
    Tcp(SocketAddr),
    Unix,
}

fn listening(descriptor: &OwnedFd) -> Option<Listening> {
    let socket = SockRef::from(descriptor);
    let is_listening = socket.r#type().ok()? == Type::STREAM && socket.is_listener().ok()?;
    let address = socket.local_addr().ok().filter(|_| is_listening)?;
    address.as_socket().map(Listening::Tcp).or_else(|| address.is_unix().then_some(Listening::Unix))
}
