//! The sockets that pronk listens on: `bind` opens them, `handover` decides what becomes of them on reload, `open`
//! holds the listeners that accept from them.

mod bind;
mod handover;
mod open;

pub(super) use bind::{CannotListen, InheritedSocket, OpenSockets, Place, Sockets, bind, inherit, listening};
pub(super) use open::Listeners;
