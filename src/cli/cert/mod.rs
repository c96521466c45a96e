//! `pronk cert`: the certificate store.

mod args;
mod check;
mod command;
mod create;
mod csr;
mod export;
mod findings;
mod import;
mod list;
mod remove;
mod renew;
mod request_output;
mod show;
mod summary;
mod table;
mod trust;
mod usage;

pub(super) use command::Command;
pub(super) use create::create_self_signed;
pub(super) use csr::request;
