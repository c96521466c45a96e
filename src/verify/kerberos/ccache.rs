//! Reading the user's ticket cache, where it is a file.

use std::path::PathBuf;

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

/// Returns the newest ticket for a service in the user's cache; none where the cache is no file.
pub(super) fn credential(service: &Principal) -> Option<Credential> {
    let name =
        std::env::var("KRB5CCNAME").unwrap_or_else(|_| format!("/tmp/krb5cc_{}", rustix::process::getuid().as_raw()));
    let path = match name.split_once(':') {
        Some(("FILE", path)) => PathBuf::from(path),
        Some((kind, _)) if kind.chars().all(|letter| letter.is_ascii_uppercase()) => return None,
        _ => PathBuf::from(name),
    };
    parse(&std::fs::read(path).ok()?, service)
}

/// Reads a cache of version 4, as all Kerberos of this century write it.
fn parse(bytes: &[u8], service: &Principal) -> Option<Credential> {
    let mut all = Bytes(bytes);
    if all.u16()? != VERSION {
        return None;
    }
    let header = usize::from(all.u16()?);
    all.take(header)?;
    principal(&mut all)?;
    let mut found = None;
    while !all.0.is_empty() {
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
        if server == *service {
            found = Some(Credential { client, ticket, key: SessionKey { encryption, key } });
        }
    }
    found
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
/// Four times, whether the key is a session's, and the flags.
const TIMES_AND_FLAGS: usize = 4 * 4 + 1 + 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_cache_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let nobody = Principal { components: Vec::new(), realm: String::new() };
            let _ = parse(&[&[5, 4, 0, 0][..], &bytes].concat(), &nobody);
        }
    }
}
