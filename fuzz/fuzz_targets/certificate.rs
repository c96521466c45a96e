//! Any bytes as a certificate: decoded, shown, matched against names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pronk::cert::{Certificate, text};
use pronk::model::Host;
use rustls_pki_types::CertificateDer;

fuzz_target!(|bytes: &[u8]| {
    let Ok(certificate) = Certificate::decode(CertificateDer::from(bytes.to_vec())) else { return };
    for (_, line) in text::lines(&certificate, usize::MAX) {
        assert!(!line.contains(|letter: char| letter.is_control()), "{line:?}");
    }
    for name in certificate.names.dns.iter().chain(&certificate.names.common).chain([&"lb.example.com".to_owned()]) {
        if let Ok(host) = Host::parse(name) {
            let _ = certificate.names.cover(&host);
        }
    }
    let _ = (certificate.fingerprint(), certificate.title(), certificate.days_left(0));
});
