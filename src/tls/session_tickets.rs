//! Session tickets and the session cache toward clients.
//!
//! Both belong to one profile as it was built: with its certificates and its policy for client certificates. A session
//! that was made under one policy can't be resumed under another. What a session rests on is judged again whenever a
//! client comes back with it: `judged_tickets`.

use std::sync::Arc;

use rustls::server::{NoServerSessionStorage, ServerConfig, ServerSessionMemoryCache};
use rustls::time_provider::TimeProvider;

use super::judged_tickets::{JudgedCache, JudgedTickets, SessionJudge};
use super::ticket_keys::{NoKey, TicketKeys};
use crate::model::profile::ClientSsl;

/// Gives a configuration ticket keys and a cache of its own, as the profile has it. Returns the keys, if it has tickets.
///
/// # Errors
/// There is no randomness for a ticket key.
pub(super) fn configure(
    config: &mut ServerConfig,
    profile: &ClientSsl,
    judge: SessionJudge,
    clock: &Arc<dyn TimeProvider>,
) -> Result<Option<Arc<TicketKeys>>, NoKey> {
    let judge = Arc::new(judge);
    config.session_storage = match profile.cache_size {
        0 => Arc::new(NoServerSessionStorage {}),
        size => JudgedCache::new(ServerSessionMemoryCache::new(size as usize), Arc::clone(&judge)),
    };
    // A client uses a ticket once and gets a new one with each connection, so a second is work for nothing.
    config.send_tls13_tickets = usize::from(profile.session_ticket || profile.cache_size > 0);
    if !profile.session_ticket {
        return Ok(None);
    }
    let keys = TicketKeys::new(Arc::clone(clock))?;
    config.ticketer = JudgedTickets::new(Arc::clone(&keys) as Arc<_>, judge);
    Ok(Some(keys))
}
