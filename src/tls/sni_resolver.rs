//! The SNI resolver: which certificate a client is shown.
//!
//! Of the certificates whose key the client can verify, that one is shown which is first in this order:
//!
//! 1. It has the name that the client asks for itself, then through a wildcard, then it is the default, or has the
//!    names of the default (the same in RSA and in ECDSA).
//! 2. It is valid today, before one that has expired or is not valid yet.
//! 3. It is first in the file; the default is before others of its names.
//!
//! When no key suits the client, the first of all is chosen: the handshake then fails because there is no common
//! algorithm, which is the true reason, and not because there is no certificate.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use super::peer_trust::seconds;
use crate::cert::name_match::dns_name_covers;
use crate::cert::{CertificateNames, Identity};

/// Chooses the certificate for a client by its SNI, by dates, and by the signature schemes that it can verify.
pub(super) struct SniResolver {
    /// At least one, best first.
    identities: Vec<Identity>,
    /// Which of them is served when none has the name asked for.
    default: usize,
    sni_require: bool,
    clock: Arc<dyn TimeProvider>,
}

/// How a certificate suits a client: the least is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_unverifiable: bool,
    claim: Claim,
    is_out_of_date: bool,
    is_not_default: bool,
    index: usize,
}

/// By what a certificate may be shown to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Name,
    Wildcard,
    Default,
}

impl SniResolver {
    pub(super) fn new(
        identities: Vec<Identity>,
        default: usize,
        sni_require: bool,
        clock: Arc<dyn TimeProvider>,
    ) -> Self {
        Self { identities, default, sni_require, clock }
    }

    /// Chooses a certificate; `None` only for a name that the profile insists on knowing.
    fn choose(&self, sni: Option<&str>, schemes: &[SignatureScheme], now: i64) -> Option<&Identity> {
        let rank = |(index, identity): (usize, &Identity)| {
            Some(Rank {
                is_unverifiable: identity.key.key.choose_scheme(schemes).is_none(),
                claim: self.claim(&identity.names, sni)?,
                is_out_of_date: !identity.is_valid_at(now),
                is_not_default: index != self.default,
                index,
            })
        };
        let best = self.identities.iter().enumerate().filter_map(rank).min()?;
        self.identities.get(best.index)
    }

    fn claim(&self, names: &CertificateNames, sni: Option<&str>) -> Option<Claim> {
        let covering = |host: &str| {
            let claims = names.dns.iter().filter(|name| dns_name_covers(name, host));
            claims.map(|name| if name.starts_with("*.") { Claim::Wildcard } else { Claim::Name }).min()
        };
        let is_default = || {
            let default = self.identities.get(self.default).filter(|_| !self.sni_require)?;
            has_names_of(names, &default.names).then_some(Claim::Default)
        };
        sni.and_then(covering).or_else(is_default)
    }
}

impl ResolvesServerCert for SniResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let now = self.clock.current_time().map_or(0, seconds);
        self.choose(hello.server_name(), hello.signature_schemes(), now).map(|identity| identity.key.clone())
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
