//! Taking over certificates, keys, authorities and revocation lists that were replaced on disk.
//!
//! Only what the running configuration names is looked at, and the configuration file is not read. A profile takes all
//! of its files or none. What cannot be used is often half-written, so it is reported only when it stays as it is.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tls::{Tls, server_ssl};
use crate::inventory::profile_files::{client_ssl_paths, server_ssl_paths};
use crate::model::profile::{ClientSsl, ServerSsl};
use crate::model::{Model, Name};
use crate::tls::{LiveClientSsl, LiveServerSsl, ProfileError};

/// What stands on disk for the profiles in force, as it was last looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Replacements {
    in_force: HashMap<Name, Stamps>,
    refused: HashMap<Name, Unusable>,
}

/// Files that a profile cannot use.
#[derive(Clone, Debug)]
struct Unusable {
    stamps: Stamps,
    reason: String,
    /// The reason that was last reported; none until a second look finds the same files.
    reported: Option<String>,
    /// Whether these very files were reported.
    settled: bool,
}

/// What tells a file from another that took its place: device, inode, size, and when it was written and changed. The
/// change time tells of permissions as well.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));
type Stamps = Vec<Option<Stamp>>;

/// What a look found new.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Profiles that are another than before.
    pub taken: Vec<Name>,
    /// Profiles whose files cannot be used, each with the reason.
    pub refused: Vec<(Name, String)>,
}

/// What is on disk by now, made ready for use.
#[derive(Debug)]
pub(super) struct Looked {
    pub tls: Tls,
    pub replacements: Replacements,
    pub changed: Changed,
}

/// Looks at the files of the profiles in force. Reads files and derives keys, so it may block.
pub(super) fn look(model: &Model, mut tls: Tls, mut replacements: Replacements) -> Looked {
    let changed = replacements.look(model, &mut tls);
    Looked { tls, replacements, changed }
}

impl Replacements {
    /// Of a model whose files are about to be read.
    pub(super) fn of(model: &Model) -> Self {
        let profiles = Profile::all(model).into_values();
        let in_force = profiles.map(|it| (it.name().clone(), stamps(&it.paths(&model.certificate_store)))).collect();
        Self { in_force, refused: HashMap::new() }
    }

    /// The profiles whose files cannot be used, each with the reason.
    pub(super) fn refused(&self) -> HashMap<Name, String> {
        let reported = |(name, it): (&Name, &Unusable)| Some((name.clone(), it.reported.clone()?));
        self.refused.iter().filter_map(reported).collect()
    }

    fn look(&mut self, model: &Model, tls: &mut Tls) -> Changed {
        let mut changed = Changed::default();
        for (name, profile) in Profile::all(model) {
            let stamps = stamps(&profile.paths(&model.certificate_store));
            if self.in_force.get(&name) == Some(&stamps) {
                // The very files that are in force came back.
                let reported = self.refused.remove(&name).and_then(|it| it.reported);
                changed.taken.extend(reported.is_some().then_some(name));
                continue;
            }
            if let Some(known) = self.refused.get_mut(&name).filter(|it| it.stamps == stamps) {
                if !known.settled {
                    known.settled = true;
                    known.reported = Some(known.reason.clone());
                    changed.refused.push((name, known.reason.clone()));
                }
                continue;
            }
            match profile.build(&model.certificate_store, tls) {
                Ok(is_other) => {
                    let reported = self.refused.remove(&name).and_then(|it| it.reported);
                    self.in_force.insert(name.clone(), stamps);
                    // The same contents again are no news, unless somebody waits to hear that all is well.
                    changed.taken.extend((is_other || reported.is_some()).then_some(name));
                }
                Err(errors) => {
                    let reasons: Vec<_> = errors.iter().map(|it| format!("{}: {}", it.key, it.message)).collect();
                    let reported = self.refused.remove(&name).and_then(|it| it.reported);
                    self.refused
                        .insert(name, Unusable { stamps, reason: reasons.join("; "), reported, settled: false });
                }
            }
        }
        changed
    }
}

/// An SSL profile in use.
enum Profile {
    Client(Arc<ClientSsl>),
    Server(Arc<ServerSsl>),
}

impl Profile {
    fn all(model: &Model) -> BTreeMap<Name, Self> {
        let mut all = BTreeMap::new();
        for config in model.virtual_servers.values() {
            all.extend(config.client_ssl.iter().map(|it| (it.name.clone(), Self::Client(Arc::clone(it)))));
        }
        all.extend(server_ssl(model).map(|it| (it.name.clone(), Self::Server(Arc::clone(it)))));
        all
    }

    fn name(&self) -> &Name {
        match self {
            Self::Client(profile) => &profile.name,
            Self::Server(profile) => &profile.name,
        }
    }

    fn paths(&self, store: &Path) -> Vec<PathBuf> {
        match self {
            Self::Client(profile) => client_ssl_paths(profile, store),
            Self::Server(profile) => server_ssl_paths(profile, store),
        }
    }

    /// Builds the profile from its files, and tells whether it is another than before.
    fn build(&self, store: &Path, tls: &mut Tls) -> Result<bool, Vec<ProfileError>> {
        match self {
            Self::Client(profile) => {
                let live = LiveClientSsl::build(profile, store, tls.client.get(&profile.name))?;
                let old = tls.client.insert(profile.name.clone(), Arc::clone(&live));
                Ok(old.is_none_or(|old| !Arc::ptr_eq(&old, &live)))
            }
            Self::Server(profile) => {
                let live = LiveServerSsl::build(profile, store, tls.server.get(&profile.name))?;
                let old = tls.server.insert(profile.name.clone(), Arc::clone(&live));
                Ok(old.is_none_or(|old| !Arc::ptr_eq(&old, &live)))
            }
        }
    }
}

fn stamps(paths: &[PathBuf]) -> Stamps {
    let stamp = |path: &PathBuf| {
        let it = std::fs::metadata(path).ok()?;
        Some((it.dev(), it.ino(), it.size(), (it.mtime(), it.mtime_nsec()), (it.ctime(), it.ctime_nsec())))
    };
    paths.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

    use super::*;
    use crate::config;

    /// A folder with a profile's files, and the model that names them.
    fn model(folder: &Path) -> Model {
        let text = "nodes: { a: { address: 127.0.0.1 } }
pools: { p: { members: ['a:1'] } }
profiles: { f: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key }] } }
virtual-servers: { vs: { destination: '127.0.0.1:1', pool: p, client-ssl: f } }
";
        config::parse("pronk.yaml", text, folder).unwrap().model
    }

    fn write(path: &Path, text: &str) {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        // Another inode each time, whatever the clock's grain.
        let new = path.with_extension("new");
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    fn pair(folder: &Path) -> CertifiedKey<KeyPair> {
        let pair = generate_simple_self_signed(["lb.example.com".to_owned()]).unwrap();
        write(&folder.join("lb.pem"), &pair.cert.pem());
        pair
    }

    #[test]
    fn half_written_files_are_told_only_if_they_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, mut tls) = (folder.path(), Tls::default());
        let write_key = |pair: &CertifiedKey<KeyPair>| {
            write(&folder.join("lb.key"), &pair.signing_key.serialize_pem());
        };
        write_key(&pair(folder));
        let model = model(folder);
        let mut replacements = Replacements::default();
        assert_eq!(replacements.look(&model, &mut tls).taken.len(), 1);
        let served = Arc::clone(&tls.client["f"]);
        let mut look = |tls: &mut Tls| {
            let changed = replacements.look(&model, tls);
            (changed.taken.len(), changed.refused.len(), replacements.refused().len())
        };
        assert_eq!(look(&mut tls), (0, 0, 0), "nothing was replaced");

        let second = pair(folder);
        assert_eq!(look(&mut tls), (0, 0, 0), "the key is still to come");
        assert!(Arc::ptr_eq(&served, &tls.client["f"]));
        write_key(&second);
        assert_eq!(look(&mut tls), (1, 0, 0));
        assert!(!Arc::ptr_eq(&served, &tls.client["f"]));

        let third = pair(folder);
        assert_eq!(look(&mut tls), (0, 0, 0));
        assert_eq!(look(&mut tls), (0, 1, 1), "it stayed");
        assert_eq!(look(&mut tls), (0, 0, 1), "and is told once");
        pair(folder);
        assert_eq!(look(&mut tls), (0, 0, 1), "what was told holds while another is looked at");
        assert_eq!(look(&mut tls), (0, 1, 1));
        write(&folder.join("lb.pem"), &third.cert.pem());
        write_key(&third);
        assert_eq!(look(&mut tls), (1, 0, 0));
    }
}
