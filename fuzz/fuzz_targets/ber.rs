//! Any bytes in the places of an archive that are read as BER, without encryption before them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pronk::cert::pkcs12;

fuzz_target!(|bytes: &[u8]| {
    let data = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    let content = |inside: &[u8]| {
        // The string in two pieces.
        let (first, second) = inside.split_at(inside.len() / 2);
        let piece = |bytes: &[u8]| [&[0x04, 0x84][..], &(bytes.len() as u32).to_be_bytes(), bytes].concat();
        let string = [&[0x24, 0x80][..], &piece(first), &piece(second), &[0, 0]].concat();
        [&[0x30, 0x80][..], &data, &[0xa0, 0x80], &string, &[0, 0, 0, 0]].concat()
    };
    let safe = [&[0x30, 0x80][..], &content(bytes), &[0, 0]].concat();
    let archive = [&[0x30, 0x80, 0x02, 0x01, 0x03][..], &content(&safe), &[0, 0]].concat();
    assert!(pkcs12::is_archive(&archive));
    let _ = pkcs12::read(&archive, None);
});
