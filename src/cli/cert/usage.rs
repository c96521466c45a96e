//! Which profiles use which entry.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::Loaded;
use crate::model::Host;
use crate::model::profile::{CertKey, Certificate, Passphrase};

/// What the virtual servers of a configuration file use of a store, by entry.
#[derive(Debug, Default)]
pub(super) struct Usage(BTreeMap<String, Uses>);

#[derive(Debug, Default)]
struct Uses {
    /// `profile front of vs-impala-21050`.
    by: Vec<String>,
    /// The names that clients of these virtual servers connect to.
    hosts: Vec<Host>,
    /// Of its key, as the first of the profiles has it.
    passphrase: Option<Passphrase>,
}

impl Usage {
    /// Returns what a configuration uses of a store: nothing if it has another one.
    pub(super) fn of(loaded: &Loaded, store: &Path) -> Self {
        let mut usage = Self::default();
        let place = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
        if place(&loaded.model.certificate_store) != place(store) {
            return usage;
        }
        for server in loaded.model.virtual_servers.values() {
            let host = server.hostname.as_deref().and_then(|name| Host::parse(name).ok());
            if let Some(profile) = &server.client_ssl {
                let by = format!("profile {} of {}", profile.name, server.name);
                profile.cert_key_chain.iter().for_each(|pair| usage.add(pair, by.clone(), host.clone()));
            }
            if let Some((profile, pair)) =
                server.server_ssl.as_ref().and_then(|profile| Some((profile, profile.client_certificate.as_ref()?)))
            {
                usage.add(pair, format!("profile {} of {}", profile.name, server.name), None);
            }
        }
        usage
    }

    fn add(&mut self, pair: &CertKey, by: String, host: Option<Host>) {
        if let Certificate::Store(name) = &pair.certificate {
            let uses = self.0.entry(name.clone()).or_default();
            uses.by.push(by);
            uses.hosts.extend(host);
            uses.passphrase = uses.passphrase.take().or_else(|| pair.passphrase.clone());
        }
    }

    /// Returns the profiles that use an entry.
    pub(super) fn by(&self, entry: &str) -> Vec<String> {
        self.0.get(entry).map(|uses| uses.by.clone()).unwrap_or_default()
    }

    /// Returns where the passphrase of its key is.
    pub(super) fn passphrase(&self, entry: &str) -> Option<&Passphrase> {
        self.0.get(entry)?.passphrase.as_ref()
    }

    /// Returns the names that clients connect to where an entry is shown.
    pub(super) fn hosts(&self, entry: &str) -> Vec<Host> {
        let mut hosts = self.0.get(entry).map(|uses| uses.hosts.clone()).unwrap_or_default();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}
