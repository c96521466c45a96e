//! Any bytes as a file: PEM sections, PKCS#7, keys, revocation lists.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pronk::cert::bundle;

fuzz_target!(|bytes: &[u8]| {
    let _ = bundle::parse(Path::new("fuzzed"), bytes, 0o600, None);
});
