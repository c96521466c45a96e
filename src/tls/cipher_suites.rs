//! The cipher suites of each group and their order, the key exchanges, and the versions of TLS.

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite as suite, kx_group};
use rustls::crypto::ring::ALL_CIPHER_SUITES as RING_SUITES;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use crate::model::profile::{CipherGroup, TlsVersion, TlsVersions};

/// Returns the cryptography of a cipher group, made once for the process.
pub fn provider(group: CipherGroup) -> Arc<CryptoProvider> {
    static PROVIDERS: LazyLock<[Arc<CryptoProvider>; 4]> = LazyLock::new(|| {
        CipherGroup::ALL.map(|group| {
            Arc::new(CryptoProvider {
                cipher_suites: fastest(&suites(group, sha256_in_hardware()), is_ring_faster()),
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

/// Returns whether ring's AES-GCM is faster than that of aws-lc. ring uses instructions that encrypt two blocks at once
/// (VAES) wherever the processor has them, aws-lc only together with AVX-512. So ring's takes less than half the time on
/// AMD's Zen 3 and on Intel's processors since Alder Lake that lack AVX-512.
fn is_ring_faster() -> bool {
    #[cfg(target_arch = "x86_64")]
    return {
        use std::arch::is_x86_feature_detected as has;
        let has_avx512 = has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl");
        has!("avx2") && has!("vaes") && has!("vpclmulqdq") && !has_avx512
    };
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Returns the suites, those with AES-GCM from ring if it is faster: with their hashes and key schedules. The rest is
/// aws-lc's, as are key exchange, signatures and tickets.
fn fastest(suites: &[SupportedCipherSuite], is_ring_faster: bool) -> Vec<SupportedCipherSuite> {
    let ring = |suite| of_ring(suite).filter(|_| is_ring_faster);
    suites.iter().map(|suite| ring(*suite).unwrap_or(*suite)).collect()
}

/// Returns the same suite from ring, if it is one with AES-GCM.
fn of_ring(suite: SupportedCipherSuite) -> Option<SupportedCipherSuite> {
    let is_gcm = suite.suite().as_str().is_some_and(|name| name.contains("GCM"));
    RING_SUITES.iter().copied().find(|ring| is_gcm && ring.suite() == suite.suite())
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
    use std::io::{Read, Write};

    use rustls::{CipherSuite, ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

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

    /// Passes on what there is to send. Returns the application's bytes.
    fn pass(from: &mut Connection, to: &mut Connection) -> Vec<u8> {
        let (mut records, mut received) = (Vec::new(), Vec::new());
        while from.wants_write() {
            from.write_tls(&mut records).unwrap();
        }
        let mut rest = &records[..];
        while !rest.is_empty() {
            to.read_tls(&mut rest).unwrap();
            to.process_new_packets().unwrap();
            // Until there is no more.
            let _ = to.reader().read_to_end(&mut received);
        }
        received
    }

    fn exchange(from: &mut Connection, to: &mut Connection, sent: &[u8]) {
        let (mut received, mut rest) = (Vec::new(), sent);
        while received.len() < sent.len() {
            let taken = from.writer().write(rest).unwrap();
            rest = &rest[taken..];
            received.extend(pass(from, to));
        }
        assert!(received == sent);
    }

    /// Whichever this processor uses, the other end may use either.
    #[test]
    fn suites_of_ring_and_of_aws_lc_understand_each_other() {
        let key = rcgen::generate_simple_self_signed(["lb".to_owned()]).unwrap();
        let chain = vec![key.cert.der().clone()];
        let mut roots = rustls::RootCertStore::empty();
        roots.add(chain[0].clone()).unwrap();
        let with = |suite| Arc::new(CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() });
        let both = suites(CipherGroup::Default, true).into_iter().filter_map(|suite| Some((suite, of_ring(suite)?)));
        let mut tried = 0;
        for (near, far) in both.flat_map(|(aws_lc, ring)| [(aws_lc, ring), (ring, aws_lc)]) {
            if near.suite().as_str().unwrap().contains("_RSA_") {
                continue; // The certificate is ECDSA.
            }
            let version = [near.version()];
            let config = ClientConfig::builder_with_provider(with(near)).with_protocol_versions(&version).unwrap();
            let config = config.with_root_certificates(roots.clone()).with_no_client_auth();
            let client = ClientConnection::new(Arc::new(config), "lb".try_into().unwrap()).unwrap();
            let config = ServerConfig::builder_with_provider(with(far)).with_protocol_versions(&version).unwrap();
            let private = rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
            let config = config.with_no_client_auth().with_single_cert(chain.clone(), private.into()).unwrap();
            let server = ServerConnection::new(Arc::new(config)).unwrap();
            let (mut client, mut server) = (Connection::from(client), Connection::from(server));
            while client.wants_write() || server.wants_write() {
                pass(&mut client, &mut server);
                pass(&mut server, &mut client);
            }
            let bytes: Vec<u8> = (0..100_000).map(|at| (at % 251) as u8).collect();
            for length in [1, 15, 16, 17, 255, 16_384, 100_000] {
                exchange(&mut client, &mut server, &bytes[..length]);
                exchange(&mut server, &mut client, &bytes[..length]);
            }
            tried += 1;
        }
        assert_eq!(tried, 8);
    }

    /// Returns what tells the same suite of two libraries apart: they compare as equal.
    fn implementation(suite: &SupportedCipherSuite) -> usize {
        match suite {
            SupportedCipherSuite::Tls12(suite) => std::ptr::from_ref(*suite).addr(),
            SupportedCipherSuite::Tls13(suite) => std::ptr::from_ref(*suite).addr(),
        }
    }

    #[test]
    fn suites_with_aes_gcm_and_no_others_are_taken_from_ring_where_it_is_faster() {
        for group in CipherGroup::ALL {
            let all = suites(group, true);
            assert_eq!(fastest(&all, true), all);
            for (suite, ring) in all.iter().zip(fastest(&all, true)) {
                let is_gcm = suite.suite().as_str().unwrap().contains("GCM");
                assert_eq!(implementation(suite) != implementation(&ring), is_gcm, "{suite:?}");
            }
            assert!(all.iter().map(implementation).eq(fastest(&all, false).iter().map(implementation)));
        }
    }

    #[test]
    fn provider_has_the_fastest_suites_of_this_processor() {
        let wanted = fastest(&suites(CipherGroup::Default, sha256_in_hardware()), is_ring_faster());
        let provided = &provider(CipherGroup::Default).cipher_suites;
        assert!(provided.iter().map(implementation).eq(wanted.iter().map(implementation)));
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
