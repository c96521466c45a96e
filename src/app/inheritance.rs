//! What this process begins with: of the process that it takes over from, or of the service manager.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::Context;
use socket2::{SockRef, Type};

use super::systemd::{is_kept, kept_name};
use crate::control::Inheritance;
use crate::handover::{HandedDescriptors, HandedSocket, Predecessor};
use crate::net;

/// What this process begins with.
#[derive(Debug, Default)]
pub(super) struct Begun {
    pub inheritance: Inheritance,
    pub admin_socket: Option<OwnedFd>,
    /// The names of sockets that the service manager keeps.
    pub kept: Vec<String>,
}

/// Takes what another process of pronk hands over to this one, or the sockets that the service manager passes. It blocks.
///
/// # Errors
/// The process that runs is of a version that cannot hand over to this one, or has ended.
pub(super) fn take() -> anyhow::Result<Begun> {
    if let Some((predecessor, handed)) = Predecessor::of_this_process().map_err(anyhow::Error::msg)? {
        let HandedDescriptors { sockets, admin_socket, processes } = handed;
        // The predecessor had each kept that has a port of its own.
        let kept = sockets.iter().map(|(socket, _)| kept_name(&socket.destination)).collect();
        let inheritance = Inheritance { predecessor: Some(Arc::new(predecessor)), sockets, processes };
        return Ok(Begun { inheritance, admin_socket, kept });
    }
    let passed = net::take_passed_descriptors().context("the environment of a socket unit makes no sense")?;
    let mut begun = Begun::default();
    for (descriptor, name) in passed {
        match listening(&descriptor) {
            Some(Listening::Tcp(destination)) => {
                let is_held = !is_kept(&name);
                if !is_held {
                    begun.kept.push(name);
                }
                let sockets = &mut begun.inheritance.sockets;
                // The service manager may have it twice, of a socket unit and among those that it keeps.
                match sockets.iter_mut().find(|(known, _)| known.destination == destination) {
                    Some((known, _)) => known.is_held |= is_held,
                    None => sockets.push((HandedSocket { destination, owner: None, is_held }, descriptor)),
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
