//! SSL profiles, proven by handshakes.

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod handshake;
mod material;
mod members;
mod resumption;
mod revocation;
