//! Any bytes as a PKCS#12 archive, with the seeds' passphrase.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pronk::cert::{Certificate, Passphrase};
use pronk::cert::pkcs12;

fuzz_target!(|bytes: &[u8]| {
    let passphrase = Passphrase::new(b"fuzz".to_vec().into());
    let _ = pkcs12::is_archive(bytes);
    if let Ok(archive) = pkcs12::read(bytes, Some(&passphrase)) {
        for certificate in archive.certificates {
            let _ = Certificate::decode(certificate);
        }
    }
});
