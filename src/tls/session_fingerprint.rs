//! What a client's TLS session belongs to, so that another process resumes it only where all of that is the same.

use aws_lc_rs::digest::{Context, SHA256};

use super::client_auth::ClientTrust;
use crate::cert::Identity;
use crate::cert::hex::hexadecimal;
use crate::model::profile::{ClientSsl, TlsVersions};

/// Returns what is the same in two processes, also of different versions of pronk, where a client-ssl profile, its
/// certificates and its policy for client certificates are. Hexadecimal.
pub(super) fn fingerprint(profile: &ClientSsl, identities: &[Identity], trust: &ClientTrust) -> String {
    let ClientSsl {
        name,
        sni_require,
        versions: TlsVersions { minimum, maximum },
        cipher_group,
        peer_cert_mode,
        crl_scope,
        authenticate_depth,
        alpn,
        cert_key_chain,
        // Their contents count, not where they are.
        ca_file: _,
        crl_file: _,
        // They say nothing about who may resume.
        handshake_timeout: _,
        session_ticket: _,
        cache_size: _,
    } = profile;
    let mut parts = Parts(Context::new(&SHA256));
    parts.add(name.as_str().as_bytes());
    parts.add(if *sni_require { b"sni-require" } else { b"" });
    for word in [minimum.as_str(), maximum.as_str(), cipher_group.as_str(), peer_cert_mode.as_str(), crl_scope.as_str()]
    {
        parts.add(word.as_bytes());
    }
    parts.add(&[*authenticate_depth]);
    parts.add_all(alpn.iter().map(String::as_bytes));
    for certificate in cert_key_chain {
        parts.add(if certificate.sni_default { b"sni-default" } else { b"" });
    }
    for identity in identities {
        parts.add_all(identity.chain().iter().map(AsRef::as_ref));
    }
    if let Some((roots, lists)) = trust.contents() {
        parts.add_all(roots.iter().map(AsRef::as_ref));
        parts.add_all(lists.iter().map(AsRef::as_ref));
    }
    hexadecimal(parts.0.finish().as_ref())
}

/// A digest of parts, each with its length.
struct Parts(Context);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.update(&(part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    fn add_all<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) {
        let all: Vec<_> = parts.into_iter().collect();
        self.0.update(&(all.len() as u64).to_be_bytes());
        all.into_iter().for_each(|part| self.add(part));
    }
}
