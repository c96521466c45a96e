use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Change, Diagnostics, Loaded};
use crate::inventory::Chain;
use crate::model::profile::ServerSsl;
use crate::model::{Model, Name};
use crate::tls::{LiveClientSsl, LiveServerSsl, ProfileError};

/// The SSL profiles that virtual servers and monitors use, ready.
#[derive(Clone, Debug, Default)]
pub(super) struct BuiltProfiles {
    pub(super) client: HashMap<Name, Arc<LiveClientSsl>>,
    pub(super) server: HashMap<Name, Arc<LiveServerSsl>>,
}

impl BuiltProfiles {
    /// Reads certificates and keys and makes the profiles; one whose files are as before stays as it is in `previous`,
    /// so that its sessions can be resumed.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, at the place of the file that names it.
    pub fn build(loaded: &Loaded, previous: &Self) -> Result<Self, Diagnostics> {
        let (mut tls, mut wrong) = (Self::default(), Diagnostics::default());
        let store = &loaded.model.certificate_store;
        for virtual_server in loaded.model.virtual_servers.values() {
            if let Some(profile) = virtual_server.client_ssl.as_ref().filter(|it| !tls.client.contains_key(&it.name)) {
                match LiveClientSsl::build(profile, store, previous.client.get(&profile.name)) {
                    Ok(live) => drop(tls.client.insert(profile.name.clone(), live)),
                    Err(errors) => report(loaded, errors, &mut wrong),
                }
            }
        }
        for profile in server_ssl(&loaded.model) {
            if tls.server.contains_key(&profile.name) {
                continue;
            }
            match LiveServerSsl::build(profile, store, previous.server.get(&profile.name)) {
                Ok(live) => drop(tls.server.insert(profile.name.clone(), live)),
                Err(errors) => report(loaded, errors, &mut wrong),
            }
        }
        if wrong.has_errors() { Err(wrong) } else { Ok(tls) }
    }

    /// What client-ssl profiles serve.
    pub(super) fn served(&self) -> HashMap<Name, Vec<Chain>> {
        let chains = |live: &Arc<LiveClientSsl>| live.identities().iter().map(|it| it.chain().to_vec()).collect();
        self.client.iter().map(|(name, live)| (name.clone(), chains(live))).collect()
    }

    /// A line for each profile whose files have changed, except those that `listed` has already.
    pub(super) fn replaced_by(&self, new: &Self, listed: &[Change]) -> Vec<String> {
        let mut names: Vec<_> =
            replaced(&self.client, &new.client).chain(replaced(&self.server, &new.server)).collect();
        names.retain(|name| !listed.iter().any(|change| change.name == name.as_str()));
        names.sort();
        names.iter().map(|name| format!("~ profile {name}: its certificates or authorities")).collect()
    }
}

/// The server-ssl profiles in use, by virtual servers and by monitors.
pub(super) fn server_ssl(model: &Model) -> impl Iterator<Item = &Arc<ServerSsl>> {
    let monitors = model.pools.values().flat_map(|pool| &pool.monitors);
    let of_virtual_servers = model.virtual_servers.values().filter_map(|it| it.server_ssl.as_ref());
    of_virtual_servers.chain(monitors.flat_map(|monitor| monitor.server_ssl()))
}

/// The names of what is in both and not the same.
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
