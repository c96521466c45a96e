//! The cipher suites of each group and their order, the key exchanges, and the versions of TLS.

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite as suite, kx_group};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use crate::model::profile::{CipherGroup, TlsVersion, TlsVersions};

/// Returns the cryptography of a cipher group, made once for the process.
pub fn provider(group: CipherGroup) -> Arc<CryptoProvider> {
    static PROVIDERS: LazyLock<[Arc<CryptoProvider>; 4]> = LazyLock::new(|| {
        CipherGroup::ALL.map(|group| {
            Arc::new(CryptoProvider {
                cipher_suites: suites(group, sha256_in_hardware()),
                // The hybrid post-quantum exchange first: a recorded session must not fall to a later quantum computer.
                kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
                ..aws_lc_rs::default_provider()
            })
        })
    });
    let index = CipherGroup::ALL.iter().position(|&each| each == group).unwrap_or_default();
    PROVIDERS[index].clone()
}

pub(super) fn versions(range: TlsVersions) -> Vec<&'static SupportedProtocolVersion> {
    [(TlsVersion::Tls13, &rustls::version::TLS13), (TlsVersion::Tls12, &rustls::version::TLS12)]
        .into_iter()
        .filter(|(version, _)| (range.minimum..=range.maximum).contains(version))
        .map(|(_, supported)| supported)
        .collect()
}

/// Returns whether the processor has instructions for SHA-256, which has none for the SHA-384 of the other AES suites.
pub fn sha256_in_hardware() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("sha");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("sha2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

/// Returns the suites of a group, best first. SHA-384 in the key schedule costs 12 % of a handshake where SHA-256 is
/// free.
fn suites(group: CipherGroup, sha256_in_hardware: bool) -> Vec<SupportedCipherSuite> {
    let mut families: Vec<Vec<SupportedCipherSuite>> = match group {
        CipherGroup::Default => vec![TLS13.to_vec(), ECDSA.to_vec(), RSA.to_vec()],
        CipherGroup::Secure => [TLS13, ECDSA, RSA].map(|[aes256, _, chacha]| vec![aes256, chacha]).to_vec(),
        CipherGroup::Aes => vec![TLS13[..2].to_vec(), ECDSA[..2].to_vec(), RSA[..2].to_vec()],
        CipherGroup::Ecc => vec![TLS13[..2].to_vec(), ECDSA[..2].to_vec()],
    };
    if sha256_in_hardware && group != CipherGroup::Secure {
        families.iter_mut().for_each(|family| family.swap(0, 1));
    }
    families.concat()
}

// Each family: AES-256, AES-128, ChaCha20.
const TLS13: [SupportedCipherSuite; 3] =
    [suite::TLS13_AES_256_GCM_SHA384, suite::TLS13_AES_128_GCM_SHA256, suite::TLS13_CHACHA20_POLY1305_SHA256];
const ECDSA: [SupportedCipherSuite; 3] = [
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];
const RSA: [SupportedCipherSuite; 3] = [
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

#[cfg(test)]
mod tests {
    use rustls::CipherSuite;

    use super::*;

    fn names(group: CipherGroup, hardware: bool) -> Vec<&'static str> {
        suites(group, hardware).iter().filter_map(|suite| suite.suite().as_str()).collect()
    }

    #[test]
    fn aes_128_is_first_where_sha_256_is_in_hardware() {
        assert_eq!(suites(CipherGroup::Default, true)[0].suite(), CipherSuite::TLS13_AES_128_GCM_SHA256);
        assert_eq!(suites(CipherGroup::Default, false)[0].suite(), CipherSuite::TLS13_AES_256_GCM_SHA384);
        assert_eq!(suites(CipherGroup::Default, true).len(), 9);
    }

    #[test]
    fn secure_has_only_256_bit_keys() {
        for hardware in [true, false] {
            let names = names(CipherGroup::Secure, hardware);
            assert_eq!(names.len(), 6);
            assert!(names.iter().all(|name| !name.contains("AES_128")), "{names:?}");
            assert_eq!(names[0], "TLS13_AES_256_GCM_SHA384");
        }
    }

    #[test]
    fn aes_and_ecc_leave_out_chacha_and_rsa() {
        assert!(names(CipherGroup::Aes, true).iter().all(|name| name.contains("AES")));
        assert!(
            names(CipherGroup::Ecc, true)
                .iter()
                .all(|name| name.contains("AES") && !name.contains("RSA_WITH") || name.contains("ECDSA_WITH_AES"))
        );
    }

    #[test]
    fn every_group_keeps_the_hybrid_key_exchange() {
        for group in CipherGroup::ALL {
            assert_eq!(provider(group).kx_groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
        }
    }

    #[test]
    fn version_range_includes_both_ends() {
        use TlsVersion::*;
        let count = |minimum, maximum| versions(TlsVersions { minimum, maximum }).len();
        assert_eq!((count(Tls12, Tls13), count(Tls12, Tls12), count(Tls13, Tls13)), (2, 1, 1));
    }
}
