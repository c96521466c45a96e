//! The bytes that a side sends: each follows from the stream and its place, so that a reader can check every one.

use std::sync::LazyLock;

/// Returns the bytes of a stream from a place on, at least [`LONGEST`] of them.
pub fn bytes(stream: u64, place: u64) -> &'static [u8] {
    let start = stream.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let at = ((start + place) % PERIOD as u64) as usize;
    &BLOCK[at..at + LONGEST]
}

/// Returns the place of the first byte that is not the stream's, if any.
pub fn wrong_byte(stream: u64, place: u64, received: &[u8]) -> Option<u64> {
    let expected = &bytes(stream, place)[..received.len()];
    // Comparing all of them first is fast, also in a build that is not optimized.
    if expected == received {
        return None;
    }
    let at = expected.iter().zip(received).position(|(expected, received)| expected != received);
    at.map(|at| place + at as u64)
}

/// The most bytes that are written or read at once.
pub const LONGEST: usize = 64 << 10;

/// Prime, so that bytes which were lost or came twice shift the rest by what is no period of a buffer.
const PERIOD: usize = 1_048_573;

static BLOCK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = fastrand::Rng::with_seed(12);
    let mut block: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(PERIOD).collect();
    block.extend_from_within(..LONGEST);
    block
});

#[test]
fn lost_bytes_are_noticed() {
    let sent = bytes(7, 5000);
    assert_eq!(wrong_byte(7, 5000, &sent[..100]), None);
    assert_eq!(wrong_byte(7, 5001, &sent[1..100]), None);
    assert!(wrong_byte(7, 5000, &sent[1..100]).is_some());
    assert!(wrong_byte(8, 5000, &sent[..100]).is_some());
    assert_eq!(bytes(7, PERIOD as u64 + 3)[..10], bytes(7, 3)[..10]);
}
