//! Any bytes as a revocation list: why it is not taken is told in words.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pronk::cert::revocation_list::flaw;
use pronk::cert::Parts;

fuzz_target!(|bytes: &[u8]| {
    if let Some(flaw) = flaw(bytes) {
        assert!(flaw.starts_with("it "), "{flaw:?}");
    }
    let _ = Parts::of(Path::new("fuzzed.crl"), bytes, None).and_then(Parts::revocation_lists);
});
