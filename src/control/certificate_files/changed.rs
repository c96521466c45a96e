//! Noticing certificates, keys, authorities and revocation lists that changed on disk, and building the profiles anew.
//!
//! Only files that the running configuration names are checked, and the configuration file is not read. A profile takes
//! all of its files or none. Files that cannot be used are often half-written, so they are reported only if the next
//! check finds them unchanged.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::control::built_profiles::BuiltProfiles;
use crate::inventory::profile_files::{client_ssl_paths, server_ssl_paths};
use crate::model::profile::{ClientSsl, ServerSsl};
use crate::model::{Model, Name};
use crate::tls::{LiveClientSsl, LiveServerSsl, ProfileError};

/// The files of the profiles in force, as the last check found them.
#[derive(Clone, Debug, Default)]
pub(in crate::control) struct CertificateFiles {
    in_force: HashMap<Name, Stamps>,
    unusable: HashMap<Name, Unusable>,
}

/// Files that a profile cannot use.
#[derive(Clone, Debug)]
struct Unusable {
    stamps: Stamps,
    reason: String,
    /// The reason that was last reported; none until a second check finds the same files.
    reported: Option<String>,
    /// Whether these very files were reported.
    is_reported: bool,
}

/// What differs between a file and another in its place: device, inode, size, and the times of modification and change.
/// A change of permissions sets the change time as well.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));
type Stamps = Vec<Option<Stamp>>;

/// What a check found new.
#[derive(Debug, Default)]
pub(in crate::control) struct ChangedProfiles {
    /// Profiles that were built anew.
    pub replaced: Vec<Name>,
    /// Profiles whose new files cannot be used, each with the reason.
    pub unusable: Vec<(Name, String)>,
}

/// The profiles as their files on disk are by now.
#[derive(Debug)]
pub(in crate::control) struct CheckedFiles {
    pub profiles: BuiltProfiles,
    pub files: CertificateFiles,
    pub changed: ChangedProfiles,
}

/// Checks the files of the profiles in force. It reads files and derives keys, so it may block.
pub(super) fn check(model: &Model, mut profiles: BuiltProfiles, mut files: CertificateFiles) -> CheckedFiles {
    let changed = files.check(model, &mut profiles);
    CheckedFiles { profiles, files, changed }
}

impl CertificateFiles {
    /// Returns the state of the files of a model that are about to be read.
    pub(in crate::control) fn of(model: &Model) -> Self {
        let profiles = Profile::all(model).into_values();
        let in_force = profiles.map(|it| (it.name().clone(), stamps(&it.paths(&model.certificate_store)))).collect();
        Self { in_force, unusable: HashMap::new() }
    }

    /// Returns the profiles whose files cannot be used, each with the reason.
    pub(in crate::control) fn unusable(&self) -> HashMap<Name, String> {
        let reported = |(name, it): (&Name, &Unusable)| Some((name.clone(), it.reported.clone()?));
        self.unusable.iter().filter_map(reported).collect()
    }

    fn check(&mut self, model: &Model, profiles: &mut BuiltProfiles) -> ChangedProfiles {
        let mut changed = ChangedProfiles::default();
        for (name, profile) in Profile::all(model) {
            let stamps = stamps(&profile.paths(&model.certificate_store));
            if self.in_force.get(&name) == Some(&stamps) {
                // The files that are in force are back.
                let reported = self.unusable.remove(&name).and_then(|it| it.reported);
                changed.replaced.extend(reported.is_some().then_some(name));
                continue;
            }
            if let Some(known) = self.unusable.get_mut(&name).filter(|it| it.stamps == stamps) {
                if !known.is_reported {
                    known.is_reported = true;
                    known.reported = Some(known.reason.clone());
                    changed.unusable.push((name, known.reason.clone()));
                }
                continue;
            }
            match profile.build(&model.certificate_store, profiles) {
                Ok(is_other) => {
                    let reported = self.unusable.remove(&name).and_then(|it| it.reported);
                    self.in_force.insert(name.clone(), stamps);
                    // The same contents again change nothing, unless other files were reported as unusable before.
                    changed.replaced.extend((is_other || reported.is_some()).then_some(name));
                }
                Err(errors) => {
                    let reasons: Vec<_> = errors.iter().map(|it| format!("{}: {}", it.key, it.message)).collect();
                    let reported = self.unusable.remove(&name).and_then(|it| it.reported);
                    self.unusable
                        .insert(name, Unusable { stamps, reason: reasons.join("; "), reported, is_reported: false });
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
        let client = model.client_ssl_in_use().into_values().map(|it| (it.name.clone(), Self::Client(Arc::clone(it))));
        let server = model.server_ssl_in_use().into_iter().map(|(name, it)| (name, Self::Server(it)));
        client.chain(server).collect()
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

    /// Builds the profile from its files. Returns whether it is another than before.
    fn build(&self, store: &Path, profiles: &mut BuiltProfiles) -> Result<bool, Vec<ProfileError>> {
        match self {
            Self::Client(profile) => {
                let live = LiveClientSsl::build(profile, store, profiles.client.get(&profile.name))?;
                let old = profiles.client.insert(profile.name.clone(), Arc::clone(&live));
                Ok(old.is_none_or(|old| !Arc::ptr_eq(&old, &live)))
            }
            Self::Server(profile) => {
                let live = LiveServerSsl::build(profile, store, profiles.server.get(&profile.name))?;
                let old = profiles.server.insert(profile.name.clone(), Arc::clone(&live));
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

    /// Returns a folder with a profile's files, and the model that names them.
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
        let (folder, mut profiles) = (folder.path(), BuiltProfiles::default());
        let write_key = |pair: &CertifiedKey<KeyPair>| {
            write(&folder.join("lb.key"), &pair.signing_key.serialize_pem());
        };
        write_key(&pair(folder));
        let model = model(folder);
        let mut files = CertificateFiles::default();
        assert_eq!(files.check(&model, &mut profiles).replaced.len(), 1);
        let served = Arc::clone(&profiles.client["f"]);
        let mut check = |profiles: &mut BuiltProfiles| {
            let changed = files.check(&model, profiles);
            (changed.replaced.len(), changed.unusable.len(), files.unusable().len())
        };
        assert_eq!(check(&mut profiles), (0, 0, 0), "nothing was replaced");

        let second = pair(folder);
        assert_eq!(check(&mut profiles), (0, 0, 0), "the key is still to come");
        assert!(Arc::ptr_eq(&served, &profiles.client["f"]));
        write_key(&second);
        assert_eq!(check(&mut profiles), (1, 0, 0));
        assert!(!Arc::ptr_eq(&served, &profiles.client["f"]));

        let third = pair(folder);
        assert_eq!(check(&mut profiles), (0, 0, 0));
        assert_eq!(check(&mut profiles), (0, 1, 1), "it stayed");
        assert_eq!(check(&mut profiles), (0, 0, 1), "and is told once");
        pair(folder);
        assert_eq!(check(&mut profiles), (0, 0, 1), "what was told holds while another is looked at");
        assert_eq!(check(&mut profiles), (0, 1, 1));
        write(&folder.join("lb.pem"), &third.cert.pem());
        write_key(&third);
        assert_eq!(check(&mut profiles), (1, 0, 0));
    }
}
