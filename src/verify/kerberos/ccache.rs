//! The user's ticket cache, where it is a file, and a copy of it that has no service's ticket yet.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::bytes::Bytes;
use super::keytab::Principal;

/// A ticket for a service, with the key that the KDC gave its owner.
#[derive(Clone)]
pub(super) struct Credential {
    pub client: Principal,
    /// As the KDC encoded it.
    pub ticket: Vec<u8>,
    pub key: SessionKey,
}

/// A key of Kerberos.
#[derive(Clone)]
pub(super) struct SessionKey {
    pub encryption: u16,
    pub key: zeroize::Zeroizing<Vec<u8>>,
}

/// A ticket cache of our own, which is removed in the end. It begins with the user's own ticket (TGT) alone: a service's
/// ticket that is long in the user's cache tells nothing of the key that the service has at the KDC now. What is asked
/// for goes into it, and not into the user's cache.
pub(super) struct PrivateCache(PathBuf);

impl PrivateCache {
    /// Copies a cache that is named as `klist` names it; none where it is no file of version 4.
    pub(super) fn of(name: &str) -> Option<Self> {
        let path = match name.split_once(':') {
            Some(("FILE", path)) => path,
            Some((kind, _)) if kind.chars().all(|letter| letter.is_ascii_uppercase()) => return None,
            _ => name,
        };
        let bytes = zeroize::Zeroizing::new(std::fs::read(path).ok()?);
        let copy = zeroize::Zeroizing::new(without_services(&bytes)?);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let name = format!("pronk-verify-{}-{}", std::process::id(), since.as_nanos());
        let path = std::env::temp_dir().join(name);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).ok()?;
        let cache = Self(path);
        file.write_all(&copy).ok()?;
        Some(cache)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the newest ticket for a service.
    pub(super) fn credential(&self, service: &Principal) -> Option<Credential> {
        let bytes = zeroize::Zeroizing::new(std::fs::read(&self.0).ok()?);
        let (_, entries) = parse(&bytes)?;
        entries.into_iter().rfind(|entry| entry.server == *service).map(|entry| entry.credential)
    }
}

impl Drop for PrivateCache {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A ticket in a cache.
struct Entry<'a> {
    server: Principal,
    credential: Credential,
    /// As it is written.
    bytes: &'a [u8],
}

impl Entry<'_> {
    /// Returns whether it is a user's own ticket, or one of the cache's settings.
    fn is_of_no_service(&self) -> bool {
        self.server.realm == SETTINGS || self.server.components.first().is_some_and(|first| first == TGT)
    }
}

/// Returns a cache without tickets for services.
fn without_services(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, entries) = parse(bytes)?;
    let kept = entries.iter().filter(|entry| entry.is_of_no_service()).map(|entry| entry.bytes);
    Some(std::iter::once(head).chain(kept).collect::<Vec<_>>().concat())
}

/// Reads a cache of version 4, as all Kerberos of this century write it: what stands before the tickets, and these.
fn parse(bytes: &[u8]) -> Option<(&[u8], Vec<Entry<'_>>)> {
    let mut all = Bytes(bytes);
    if all.u16()? != VERSION {
        return None;
    }
    let header = usize::from(all.u16()?);
    all.take(header)?;
    principal(&mut all)?;
    let head = bytes.split_at_checked(bytes.len() - all.0.len())?.0;
    let mut entries = Vec::new();
    while !all.0.is_empty() {
        let begin = all.0;
        let client = principal(&mut all)?;
        let server = principal(&mut all)?;
        let encryption = all.u16()?;
        let key = all.data()?.to_vec().into();
        all.take(TIMES_AND_FLAGS)?;
        for _ in 0..2 {
            // Addresses, and authorization data.
            for _ in 0..all.u32()? {
                all.u16()?;
                all.data()?;
            }
        }
        let ticket = all.data()?.to_vec();
        all.data()?;
        let bytes = begin.split_at_checked(begin.len() - all.0.len())?.0;
        let credential = Credential { client, ticket, key: SessionKey { encryption, key } };
        entries.push(Entry { server, credential, bytes });
    }
    Some((head, entries))
}

fn principal(all: &mut Bytes<'_>) -> Option<Principal> {
    all.u32()?;
    let count = all.u32()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let realm = text(all.data()?);
    let components = (0..count).map(|_| all.data().map(text)).collect::<Option<_>>()?;
    Some(Principal { components, realm })
}

const VERSION: u16 = 0x0504;
/// The first component of a principal of tickets to ask for others with.
const TGT: &str = "krbtgt";
/// The realm under which a cache keeps its settings.
const SETTINGS: &str = "X-CACHECONF:";
/// Four times, whether the key is a session's, and the flags.
const TIMES_AND_FLAGS: usize = 4 * 4 + 1 + 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A principal as a cache has it.
    fn written(realm: &str, components: &[&str]) -> Vec<u8> {
        let data = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
        let names: Vec<_> = components.iter().map(|it| data(it)).collect();
        [&1u32.to_be_bytes()[..], &(components.len() as u32).to_be_bytes(), &data(realm), &names.concat()].concat()
    }

    fn ticket(realm: &str, server: &[&str], ticket: &[u8]) -> Vec<u8> {
        let data = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let key = [&18u16.to_be_bytes()[..], &data(&[7; 32])].concat();
        [
            written("R", &["alice"]),
            written(realm, server),
            key,
            vec![0; TIMES_AND_FLAGS + 4 + 4],
            data(ticket),
            data(b""),
        ]
        .concat()
    }

    #[test]
    fn copy_of_a_cache_has_the_users_own_ticket_and_none_for_a_service() {
        let head = [&[5, 4, 0, 0][..], &written("R", &["alice"])].concat();
        let own = ticket("R", &["krbtgt", "R"], b"own");
        let settings = ticket(SETTINGS, &["krb5_ccache_conf_data", "fast_avail"], b"yes");
        let services = [ticket("R", &["impala", "lb"], b"old"), ticket("R", &["impala", "lb"], b"new")].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let users = [&head[..], &own, &services, &settings].concat();
        std::fs::write(&path, &users).unwrap();
        for name in [format!("FILE:{}", path.display()), path.display().to_string()] {
            let cache = PrivateCache::of(&name).unwrap();
            assert_eq!(std::fs::read(cache.path()).unwrap(), [&head[..], &own, &settings].concat());
            let lb = Principal { components: vec!["impala".to_owned(), "lb".to_owned()], realm: "R".to_owned() };
            assert!(cache.credential(&lb).is_none());
            std::fs::write(cache.path(), &users).unwrap();
            assert_eq!(cache.credential(&lb).unwrap().ticket, b"new");
            let own = cache.path().to_owned();
            drop(cache);
            assert!(!own.exists() && std::fs::read(&path).unwrap() == users, "the user's is as it was");
        }
        assert!(PrivateCache::of("KCM:0").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_cache_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&[&[5, 4, 0, 0][..], &bytes].concat());
        }
    }
}
