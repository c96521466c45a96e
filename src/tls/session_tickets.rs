//! Session tickets and the session cache toward clients.
//!
//! Both belong to one profile as it was built: with its certificates and its policy for client certificates. A session
//! that was made under one policy can't be resumed under another. What a session rests on is judged again whenever a
//! client comes back with it: `judged_tickets`.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{NoServerSessionStorage, ServerConfig, ServerSessionMemoryCache};

use super::judged_tickets::{JudgedCache, JudgedTickets, SessionJudge};
use crate::model::profile::ClientSsl;

/// Gives a configuration a ticket key and a cache of its own, as the profile has it.
///
/// # Errors
/// There is no randomness for the ticket key.
pub(super) fn configure(config: &mut ServerConfig, profile: &ClientSsl, judge: SessionJudge) -> Result<(), Error> {
    let judge = Arc::new(judge);
    config.session_storage = match profile.cache_size {
        0 => Arc::new(NoServerSessionStorage {}),
        size => JudgedCache::new(ServerSessionMemoryCache::new(size as usize), Arc::clone(&judge)),
    };
    // A client uses a ticket once and gets a new one with each connection, so a second is work for nothing.
    config.send_tls13_tickets = usize::from(profile.session_ticket || profile.cache_size > 0);
    if profile.session_ticket {
        config.ticketer = JudgedTickets::new(Ticketer::new()?, judge);
    }
    Ok(())
}
