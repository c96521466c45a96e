//! The whole configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::admin::Admin;
use super::lint::LintLevel;
use super::monitor::Monitor;
use super::name::Name;
use super::node::Node;
use super::pool::Pool;
use super::profile::{ClientSsl, Profiles, ServerSsl};
use super::transport::PoolUse;
use super::virtual_server::VirtualServer;

/// Everything that one configuration file describes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub nodes: BTreeMap<Name, Arc<Node>>,
    /// Those of the file and the built-in ones, in use or not.
    pub profiles: Profiles,
    /// Those of the file and the built-in ones, in use or not.
    pub monitors: BTreeMap<Name, Arc<Monitor>>,
    pub pools: BTreeMap<Name, Arc<Pool>>,
    pub virtual_servers: BTreeMap<Name, Arc<VirtualServer>>,
    /// The folder of the certificate store, absolute.
    pub certificate_store: PathBuf,
    /// How often the files that profiles name are looked at for replacements; `None` is never (`indefinite`).
    pub certificate_refresh: Option<Duration>,
    /// By the id of the check.
    pub lint: BTreeMap<Name, LintLevel>,
    pub admin: Option<Arc<Admin>>,
}

impl Model {
    /// Returns the client-ssl profiles that virtual servers and the admin API use, each once.
    pub fn client_ssl_in_use(&self) -> BTreeMap<&Name, &Arc<ClientSsl>> {
        let of_virtual_servers = self.virtual_servers.values().filter_map(|it| it.client_ssl.as_ref());
        let of_admin_api = self.admin.as_ref().and_then(|admin| admin.client_ssl.as_ref());
        of_virtual_servers.chain(of_admin_api).map(|profile| (&profile.name, profile)).collect()
    }

    /// Returns the server-ssl profiles that virtual servers and monitors use, each once.
    pub fn server_ssl_in_use(&self) -> BTreeMap<Name, Arc<ServerSsl>> {
        let of_virtual_servers = self.virtual_servers.values().filter_map(|it| it.server_ssl.clone());
        let uses = self.pool_uses();
        let of_pool = |(used, pool): (&PoolUse<'_>, &Arc<Pool>)| {
            pool.monitors.all.iter().flat_map(|monitor| used.probed_by(monitor).tls().to_vec()).collect::<Vec<_>>()
        };
        let of_ports = uses.values().zip(self.pools.values()).flat_map(of_pool);
        let of_web_uis = self.monitors_in_use().into_values().filter_map(|monitor| monitor.web_ui()?.tls.clone());
        let all = of_virtual_servers.chain(of_ports).chain(of_web_uis);
        all.map(|profile| (profile.name.clone(), profile)).collect()
    }

    /// Returns the profiles that virtual servers and monitors use.
    pub fn profiles_in_use(&self) -> Profiles {
        let client_ssl = self.client_ssl_in_use().into_iter().map(|(name, it)| (name.clone(), Arc::clone(it)));
        let server_ssl = self.server_ssl_in_use();
        let mut used = Profiles { client_ssl: client_ssl.collect(), server_ssl, ..Profiles::default() };
        for virtual_server in self.virtual_servers.values() {
            let VirtualServer { protocol, persistence, fallback_persistence, .. } = &**virtual_server;
            used.protocol.insert(protocol.name.clone(), Arc::clone(protocol));
            let persistence = persistence.iter().chain(fallback_persistence);
            used.persistence.extend(persistence.map(|it| (it.name.clone(), Arc::clone(it))));
        }
        used
    }

    /// Returns which virtual servers speak what to the members of each pool.
    pub fn pool_uses(&self) -> BTreeMap<&Name, PoolUse<'_>> {
        let mut uses: BTreeMap<_, PoolUse<'_>> = self.pools.keys().map(|name| (name, PoolUse::default())).collect();
        for virtual_server in self.virtual_servers.values() {
            if let Some(used) = uses.get_mut(&virtual_server.pool.name) {
                used.add(virtual_server);
            }
        }
        uses
    }

    /// Returns the monitors that pools use, each once.
    pub fn monitors_in_use(&self) -> BTreeMap<&Name, &Arc<Monitor>> {
        self.pools.values().flat_map(|pool| &pool.monitors.all).map(|monitor| (&monitor.name, monitor)).collect()
    }
}
