//! Any bytes as a revocation list: why it is not taken is told in words.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pronk::cert::Parts;
use pronk::cert::revocation::RevocationList;
use rustls_pki_types::CertificateRevocationListDer;

fuzz_target!(|bytes: &[u8]| {
    if let Err(unusable) = RevocationList::decode(CertificateRevocationListDer::from(bytes.to_vec())) {
        let reason = unusable.reason;
        assert!(["it ", "its ", "an entry "].iter().any(|start| reason.starts_with(start)), "{reason:?}");
    }
    let _ = Parts::of(Path::new("fuzzed.crl"), bytes, None).and_then(Parts::revocation_lists);
});
