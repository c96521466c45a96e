//! The sockets that pronk listens on.

mod open;

pub(super) use open::{Listeners, OpenSockets, Sockets, bind, listening};
