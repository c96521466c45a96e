//! Any bytes as a private key, in DER or PEM, plain or under the seeds' passphrase.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pronk::cert::{Parts, Passphrase, PrivateKey};

fuzz_target!(|bytes: &[u8]| {
    let passphrase = Passphrase::new(b"fuzz".to_vec().into());
    let path = Path::new("fuzzed.key");
    let Ok(parts) = Parts::of(path, bytes, None) else { return };
    for key in &parts.keys {
        let _ = key.pem();
        if let Ok(key) = key.open(path, Some(&passphrase)) {
            let _ = PrivateKey::new(key);
        }
    }
});
