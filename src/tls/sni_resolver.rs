//! The SNI resolver: which certificate a client is shown.
//!
//! Of the certificates whose key the client can verify, that one is shown which is first in this order:
//!
//! 1. It has the name that the client asks for itself, then through a wildcard, then it is the default, or has the
//!    names of the default (the same in RSA and in ECDSA).
//! 2. It is valid today, before one that has expired or is not valid yet.
//! 3. It is first in the file; where nothing has the name, the default is before others of its names.
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
    /// It has the names of the default, and is another.
    is_stand_in: bool,
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
            let claim = self.claim(&identity.names, sni)?;
            Some(Rank {
                is_unverifiable: identity.key.key.choose_scheme(schemes).is_none(),
                claim,
                is_out_of_date: !identity.is_valid_at(now),
                is_stand_in: claim == Claim::Default && index != self.default,
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

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
    use rustls::SignatureScheme as Scheme;
    use rustls::crypto::aws_lc_rs::sign::any_supported_type;
    use rustls::time_provider::DefaultTimeProvider;

    use super::*;

    const NOW: i64 = 1_000_000;
    const VALID: (i64, i64) = (NOW - 10, NOW);
    const EXPIRED: (i64, i64) = (NOW - 10, NOW - 1);
    const EARLY: (i64, i64) = (NOW + 1, NOW + 10);
    const ECDSA: &[Scheme] = &[Scheme::ECDSA_NISTP256_SHA256];
    const RSA: &[Scheme] = &[Scheme::RSA_PSS_SHA256];
    const BOTH: &[Scheme] = &[Scheme::RSA_PSS_SHA256, Scheme::ECDSA_NISTP256_SHA256];

    fn identity(names: &[&str], validity: (i64, i64), is_rsa: bool) -> Identity {
        static KEYS: OnceLock<[Arc<CertifiedKey>; 2]> = OnceLock::new();
        let keys = KEYS.get_or_init(|| {
            [&PKCS_ECDSA_P256_SHA256, &PKCS_RSA_SHA256].map(|algorithm| {
                let key = KeyPair::generate_for(algorithm).unwrap();
                let certificate = CertificateParams::default().self_signed(&key).unwrap();
                let signing = any_supported_type(&key.serialize_der().try_into().unwrap()).unwrap();
                Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing))
            })
        });
        let dns = names.iter().map(ToString::to_string).collect();
        let names = CertificateNames { dns, ..CertificateNames::default() };
        Identity { key: Arc::clone(&keys[usize::from(is_rsa)]), names, validity }
    }

    fn resolver(identities: Vec<Identity>, default: usize, sni_require: bool) -> SniResolver {
        SniResolver::new(identities, default, sni_require, Arc::new(DefaultTimeProvider))
    }

    fn chosen(resolver: &SniResolver, sni: Option<&str>, schemes: &[Scheme]) -> Option<usize> {
        let chosen = resolver.choose(sni, schemes, NOW)?;
        resolver.identities.iter().position(|it| std::ptr::eq(it, chosen))
    }

    #[test]
    fn each_rule_yields_to_the_one_before() {
        let lb = |validity, is_rsa| identity(&["lb.example.com"], validity, is_rsa);
        let wild = |validity, is_rsa| identity(&["*.example.com"], validity, is_rsa);
        for (identities, schemes, expected, rule) in [
            (vec![wild(VALID, false), lb(VALID, false)], BOTH, 1, "an exact name before a wildcard"),
            (vec![wild(VALID, false), lb(EXPIRED, false)], BOTH, 1, "even if it has expired"),
            (vec![lb(EXPIRED, false), lb(VALID, false)], BOTH, 1, "valid before expired"),
            (vec![lb(EARLY, false), lb(VALID, false)], BOTH, 1, "valid before not valid yet"),
            (vec![wild(EXPIRED, false), wild(VALID, false)], BOTH, 1, "among wildcards as well"),
            (vec![lb(VALID, true), lb(VALID, false)], BOTH, 0, "the file's order"),
            (vec![lb(VALID, true), lb(VALID, false)], ECDSA, 1, "a key that the client can verify"),
            (vec![lb(VALID, true), lb(EXPIRED, false)], ECDSA, 1, "even with a certificate that has expired"),
            (vec![lb(VALID, true), wild(VALID, false)], ECDSA, 1, "even through a wildcard"),
            (vec![wild(VALID, true), lb(VALID, true)], ECDSA, 1, "the best of all if none can be verified"),
        ] {
            assert_eq!(
                chosen(&resolver(identities, 0, true), Some("lb.example.com"), schemes),
                Some(expected),
                "{rule}"
            );
        }
    }

    #[test]
    fn default_yields_to_a_valid_one_of_its_names() {
        let other = || identity(&["other.example.org"], VALID, false);
        let lb = |validity| identity(&["lb.example.com"], validity, false);
        assert_eq!(chosen(&resolver(vec![other(), lb(EXPIRED), lb(VALID)], 1, false), None, BOTH), Some(2));
        assert_eq!(chosen(&resolver(vec![lb(VALID), other(), lb(VALID)], 2, false), None, BOTH), Some(2));
        assert_eq!(chosen(&resolver(vec![lb(VALID), other()], 1, false), Some("x.example.net"), BOTH), Some(1));
    }

    /// The choice as the documentation tells it: rule after rule, each keeps the best of what is left.
    fn as_documented(resolver: &SniResolver, sni: Option<&str>, schemes: &[Scheme]) -> Option<usize> {
        let all = &resolver.identities;
        let covers = |at: &usize, wild: bool| {
            let mut names = all[*at].names.dns.iter().filter(|name| name.starts_with('*') == wild);
            sni.is_some_and(|sni| names.any(|name| dns_name_covers(name, sni)))
        };
        let has_all = |at: &usize, names: &[String]| names.iter().all(|name| all[*at].names.dns.contains(name));
        let is_default = |at: &usize| has_all(at, &all[resolver.default].names.dns);
        let mut left: Vec<usize> = (0..all.len())
            .filter(|at| covers(at, false) || covers(at, true) || (!resolver.sni_require && is_default(at)))
            .collect();
        let mut keep = |rule: &dyn Fn(&usize) -> bool| {
            if left.iter().any(rule) {
                left.retain(rule);
            }
        };
        keep(&|at| all[*at].key.key.choose_scheme(schemes).is_some());
        keep(&|at| covers(at, false));
        keep(&|at| covers(at, false) || covers(at, true));
        keep(&|at| all[*at].is_valid_at(NOW));
        if !left.iter().any(|at| covers(at, false) || covers(at, true)) && left.contains(&resolver.default) {
            return Some(resolver.default);
        }
        left.first().copied()
    }

    fn any_identity() -> impl Strategy<Value = Identity> {
        let names = prop_oneof![
            Just(&["lb.example.com"][..]),
            Just(&["*.example.com"][..]),
            Just(&["lb.example.com", "*.example.com"][..]),
            Just(&["other.example.org"][..]),
        ];
        let validity = prop_oneof![Just(VALID), Just(EXPIRED), Just(EARLY)];
        (names, validity, any::<bool>()).prop_map(|(names, validity, is_rsa)| identity(names, validity, is_rsa))
    }

    proptest! {
        #[test]
        fn the_choice_is_as_documented(
            identities in prop::collection::vec(any_identity(), 1..7),
            default in any::<prop::sample::Index>(),
            sni_require: bool,
            sni in prop::sample::select(&[None, Some("lb.example.com"), Some("LB.Example.com"), Some("a.example.com"),
                Some("a.b.example.com"), Some("other.example.org"), Some("nobody.example.net")][..]),
            schemes in prop::sample::select(&[ECDSA, RSA, BOTH, &[Scheme::ED448]][..]),
        ) {
            let default = default.index(identities.len());
            let resolver = resolver(identities, default, sni_require);
            prop_assert_eq!(chosen(&resolver, sni, schemes), as_documented(&resolver, sni, schemes));
        }

        #[test]
        fn what_cannot_win_does_not_matter(
            identities in prop::collection::vec(any_identity(), 1..6),
            schemes in prop::sample::select(&[ECDSA, RSA, BOTH][..]),
        ) {
            let before = chosen(&resolver(identities.clone(), 0, true), Some("lb.example.com"), schemes);
            let with_last = |more: Identity| [identities.clone(), vec![more]].concat();
            // Last in the file and through a wildcard: it is shown only if nothing else can be.
            let wild = resolver(with_last(identity(&["*.example.com"], EXPIRED, false)), 0, true);
            let after = chosen(&wild, Some("lb.example.com"), schemes);
            let could_be_verified = before.is_some_and(|at| identities[at].key.key.choose_scheme(schemes).is_some());
            prop_assert!(after == before || !could_be_verified);
        }
    }
}
