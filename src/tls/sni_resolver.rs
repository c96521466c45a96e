//! The SNI resolver: which certificate a client is shown.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::cert::{CertificateNames, Identity};

/// Chooses the certificate for a client by its SNI, then by the signature schemes that it can verify.
pub(super) struct SniResolver {
    /// At least one, best first.
    identities: Vec<Identity>,
    /// Which of them is served when none has the name asked for.
    default: usize,
    sni_require: bool,
}

impl SniResolver {
    pub(super) fn new(identities: Vec<Identity>, default: usize, sni_require: bool) -> Self {
        Self { identities, default, sni_require }
    }

    /// Chooses a certificate; `None` only for a name that the profile insists on knowing.
    ///
    /// When no key suits the client's schemes, one is chosen all the same: the handshake then fails because there is no
    /// common algorithm, which is the true reason, and not because there is no certificate.
    fn choose(&self, sni: Option<&str>, schemes: &[SignatureScheme]) -> Option<&Identity> {
        let named = || self.identities.iter().filter(|each| sni.is_some_and(|host| each.names.cover_host(host)));
        let default = if self.sni_require { None } else { self.identities.get(self.default) };
        // The default's certificate may come in RSA and in ECDSA: the client's schemes choose between those two.
        let same_names = || {
            self.identities.iter().filter(|each| default.is_some_and(|wanted| has_names_of(&each.names, &wanted.names)))
        };
        let candidates = || named().chain(default).chain(same_names());
        candidates().find(|each| suits(each, schemes)).or_else(|| candidates().next())
    }
}

impl ResolvesServerCert for SniResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes()).map(|identity| identity.key.clone())
    }
}

impl fmt::Debug for SniResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SniResolver").field("identities", &self.identities).finish_non_exhaustive()
    }
}

/// Returns whether a certificate has all the names of another.
fn has_names_of(names: &CertificateNames, wanted: &CertificateNames) -> bool {
    if wanted.dns.is_empty() && wanted.ip.is_empty() {
        return names.subject == wanted.subject;
    }
    wanted.dns.iter().all(|name| names.dns.iter().any(|each| each.eq_ignore_ascii_case(name)))
        && wanted.ip.iter().all(|address| names.cover_ip(*address))
}

fn suits(identity: &Identity, schemes: &[SignatureScheme]) -> bool {
    identity.key.key.choose_scheme(schemes).is_some()
}
