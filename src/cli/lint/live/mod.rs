//! What live ports and a configuration file give the linter.

mod collected;
mod configured;
mod connect;
mod fetch;
mod hello;
mod port;
mod question;

pub(super) use configured::from_config;
pub(super) use connect::connect;
pub(super) use port::Port;
