//! Any bytes as the beginning of a connection: the protocol and the server name are told, by twelve bytes and by all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pronk::impala::{Opening, answered_instead_of_tls, is_tls_record};
use pronk::tls::server_name_on_wire;

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(Opening::of(bytes), Opening::of(&bytes[..bytes.len().min(12)]));
    let _ = (answered_instead_of_tls(bytes), is_tls_record(bytes));
    if let Some(name) = server_name_on_wire(bytes) {
        assert!(name.len() < 4000 && !name.contains(|letter: char| letter.is_control()), "{name:?}");
    }
});
