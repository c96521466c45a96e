//! Any bytes as the contents of a PKCS#7, in DER or BER: its certificates are decoded.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pronk::cert::{Certificate, Parts};

fuzz_target!(|bytes: &[u8]| {
    // A SignedData without more around it than its type.
    let length = |length: usize| [0x84].into_iter().chain((length as u32).to_be_bytes()).collect::<Vec<u8>>();
    let kind = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let inside = [&[0x30][..], &length(bytes.len()), bytes].concat();
    let explicit = [&[0xa0][..], &length(inside.len()), &inside].concat();
    let body = [&kind[..], &explicit].concat();
    let file = [&[0x30][..], &length(body.len()), &body].concat();
    for file in [&file[..], bytes] {
        let Ok(parts) = Parts::of(Path::new("fuzzed.p7b"), file, None) else { continue };
        for certificate in parts.certificates {
            let _ = Certificate::decode(certificate);
        }
    }
});
