//! Every key of the file, declared once: its name, what may be written, its default, and its meaning.
//!
//! One file a section. What is read, suggested, documented, offered to editors and told of a difference follows from
//! these declarations:
//!
//! - `key` is one key of a `kind`, which reads what is written and makes a value of the model.
//! - `declare` ties the fields of a struct of the model to keys. A field without a key does not compile.
//! - `section` is what a map in the file may have, and `typed` a type of profile or monitor.
//!
//! A new key is a field of the model, a line here, and the code that it is for.

mod admin;
mod certificate;
mod client_ssl;
mod declare;
mod discovery;
mod key;
mod kind;
mod lint;
mod member;
mod monitor;
mod node;
mod persistence;
mod pool;
mod profile;
mod profiles;
mod protocol;
mod section;
mod server_ssl;
mod setting;
mod ssl;
mod top;
mod typed;
mod virtual_server;

pub(super) use admin::{ADMIN, AdminKeys, check as check_admin};
pub(super) use certificate::CERTIFICATE;
pub(super) use client_ssl::ClientSslKeys;
pub(super) use lint::{LINT, LintKeys};
pub(super) use member::{MEMBER, MemberKeys};
pub(super) use monitor::{MONITORS, ProbingKeys, monitor_facts};
pub(super) use node::{NODE, NodeKeys, check as check_node};
pub(super) use persistence::PersistenceKeys;
pub(super) use pool::{POOL, PoolKeys, check as check_pool};
pub(super) use profiles::PROFILES;
pub(super) use protocol::{ProtocolKeys, default_protocol};
pub(super) use section::{AnyKey, Section};
pub(super) use server_ssl::ServerSslKeys;
pub(super) use setting::{Facts, Setting};
pub(super) use top::{TOP, Top, TopKeys};
pub(super) use typed::Type;
pub(super) use virtual_server::{VIRTUAL_SERVER, VirtualServerKeys, check as check_virtual_server};

#[cfg(test)]
mod tests;
