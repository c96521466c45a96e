//! What a configuration would connect with if it ran, for commands that try it out without running it.

use std::sync::Arc;
use std::time::Instant;

use super::assignments::assignments_of;
use super::built_profiles::BuiltProfiles;
use super::monitor_credentials::authorizations;
use crate::config::{Diagnostics, Loaded};
use crate::model::{Member, VirtualServer};
use crate::monitor::Assignment;
use crate::pool::{Pool, Registry};
use crate::tls::MemberTls;

/// What a configuration would connect with: its SSL profiles, and its monitors on their members.
#[derive(Debug)]
pub struct Preview {
    profiles: BuiltProfiles,
    /// One for each monitor of each member. Names of nodes are not resolved.
    pub assignments: Vec<Assignment>,
}

impl Preview {
    /// Reads what the file names, as a reload does.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn of(loaded: &Loaded) -> Result<Self, Diagnostics> {
        let profiles = BuiltProfiles::build(loaded, &BuiltProfiles::default())?;
        let authorizations = authorizations(loaded)?;
        let registry = Registry::default();
        let uses = loaded.model.pool_uses();
        let pools = loaded.model.pools.values().map(|pool| Pool::join(pool, &registry, Instant::now()));
        let of_pool = |pool: Pool| {
            uses.get(&pool.config.name).map(|used| assignments_of(&pool, used, &profiles, &authorizations))
        };
        let assignments = pools.filter_map(of_pool).flatten().collect();
        Ok(Self { profiles, assignments })
    }

    /// Returns the TLS with which a virtual server connects to a member, if it has any.
    pub fn tls_toward(&self, virtual_server: &VirtualServer, member: &Member) -> Option<Arc<MemberTls>> {
        let profile = virtual_server.server_ssl.as_ref()?;
        Some(self.profiles.server.get(&profile.name)?.for_member(member))
    }
}
