//! The SSL profiles in use, built from their certificates and keys.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Change, Diagnostics, Loaded};
use crate::inventory::Chain;
use crate::model::Name;
use crate::tls::{LiveClientSsl, LiveServerSsl, ProfileError};

/// The SSL profiles that virtual servers and monitors use, ready for connections.
#[derive(Clone, Debug, Default)]
pub(super) struct BuiltProfiles {
    pub(super) client: HashMap<Name, Arc<LiveClientSsl>>,
    pub(super) server: HashMap<Name, Arc<LiveServerSsl>>,
}

impl BuiltProfiles {
    /// Reads certificates and keys and builds the profiles. One whose files did not change is kept from `previous`, so
    /// that its sessions can be resumed.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, at the place in the configuration that names it.
    pub(super) fn build(loaded: &Loaded, previous: &Self) -> Result<Self, Diagnostics> {
        let (mut built, mut wrong) = (Self::default(), Diagnostics::default());
        let store = &loaded.model.certificate_store;
        // Mistakes that are reported already would lead to others that nobody made.
        let is_good = |name: &Name| {
            !loaded.has_mistakes(&["certificate-store"]) && !loaded.has_mistakes(&["profiles", name.as_str()])
        };
        for (name, profile) in loaded.model.client_ssl_in_use().into_iter().filter(|(name, _)| is_good(name)) {
            if profile.cert_key_chain.is_empty() {
                // Reported where a virtual server names the profile.
                continue;
            }
            match LiveClientSsl::build(profile, store, previous.client.get(name)) {
                Ok(live) => drop(built.client.insert(name.clone(), live)),
                Err(errors) => report(loaded, errors, &mut wrong),
            }
        }
        for (name, profile) in loaded.model.server_ssl_in_use().into_iter().filter(|(name, _)| is_good(name)) {
            match LiveServerSsl::build(&profile, store, previous.server.get(&name)) {
                Ok(live) => drop(built.server.insert(name, live)),
                Err(errors) => report(loaded, errors, &mut wrong),
            }
        }
        if wrong.has_errors() { Err(wrong) } else { Ok(built) }
    }

    /// Returns the certificate chains that client-ssl profiles present.
    pub(super) fn served(&self) -> HashMap<Name, Vec<Chain>> {
        let chains = |live: &Arc<LiveClientSsl>| live.identities().iter().map(|it| it.chain().to_vec()).collect();
        self.client.iter().map(|(name, live)| (name.clone(), chains(live))).collect()
    }

    /// Returns a line for each profile whose files have changed, except those in `listed`.
    pub(super) fn changed_files(&self, new: &Self, listed: &[Change]) -> Vec<String> {
        let mut names: Vec<_> =
            replaced(&self.client, &new.client).chain(replaced(&self.server, &new.server)).collect();
        names.retain(|name| !listed.iter().any(|change| change.name == name.as_str()));
        names.sort();
        names.iter().map(|name| format!("~ profile {name}: its certificates or authorities")).collect()
    }
}

/// Returns the names of the profiles that are in both and differ.
fn replaced<'a, T>(old: &'a HashMap<Name, Arc<T>>, new: &'a HashMap<Name, Arc<T>>) -> impl Iterator<Item = &'a Name> {
    new.iter().filter(|(name, live)| old.get(*name).is_some_and(|old| !Arc::ptr_eq(old, live))).map(|(name, _)| name)
}

fn report(loaded: &Loaded, errors: Vec<ProfileError>, wrong: &mut Diagnostics) {
    for error in errors {
        let path: Vec<_> = ["profiles", error.profile.as_str()].into_iter().chain(error.key.split('.')).collect();
        let diagnostic = loaded.diagnose(&path, error.message.clone(), error.help.clone());
        if !wrong.iter().any(|other| *other == diagnostic) {
            wrong.push(diagnostic);
        }
    }
}
