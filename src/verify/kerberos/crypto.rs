//! Kerberos's encryption with AES and SHA-1 (RFC 3961, RFC 3962), as far as a client needs it to show a ticket.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use aws_lc_rs::hmac;

use super::ccache::SessionKey;

/// Encrypts for a use of a key; none for a kind of key that is not AES with SHA-1, or of the wrong length.
pub(super) fn encrypt(key: &SessionKey, usage: u32, plain: &[u8]) -> Option<Vec<u8>> {
    let length = match key.encryption {
        AES128 => 16,
        AES256 => 32,
        _ => return None,
    };
    if key.key.len() != length {
        return None;
    }
    let derived = |kind: u8| derive(&key.key, &[&usage.to_be_bytes()[..], &[kind]].concat());
    let (encryption, integrity) = (derived(0xaa)?, derived(0x55)?);
    let mut message = vec![0; BLOCK];
    fastrand::Rng::new().fill(&mut message);
    message.extend_from_slice(plain);
    let checksum = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &integrity), &message);
    let mut encrypted = with_stealing(&encryption, &message)?;
    encrypted.extend_from_slice(checksum.as_ref().get(..CHECKSUM)?);
    Some(encrypted)
}

/// Encrypts in CBC mode with ciphertext stealing, from an initial vector of zeros; more than one block.
fn with_stealing(key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut blocks: Vec<[u8; BLOCK]> = Vec::new();
    let mut last = [0; BLOCK];
    for chunk in message.chunks(BLOCK) {
        last.iter_mut().zip(chunk).for_each(|(byte, plain)| *byte ^= plain);
        last = block(key, last)?;
        blocks.push(last);
    }
    let count = blocks.len();
    if count < 2 {
        return None;
    }
    blocks.swap(count - 1, count - 2);
    let mut encrypted = blocks.concat();
    encrypted.truncate(message.len());
    Some(encrypted)
}

fn block(key: &[u8], block: [u8; BLOCK]) -> Option<[u8; BLOCK]> {
    let mut block = block.into();
    match key.len() {
        16 => Aes128::new_from_slice(key).ok()?.encrypt_block(&mut block),
        _ => Aes256::new_from_slice(key).ok()?.encrypt_block(&mut block),
    }
    Some(block.into())
}

/// Returns the key that is derived from another for a purpose.
fn derive(key: &[u8], purpose: &[u8]) -> Option<Vec<u8>> {
    let mut derived = Vec::new();
    let mut next = folded(purpose);
    while derived.len() < key.len() {
        next = block(key, next)?;
        derived.extend_from_slice(&next);
    }
    derived.truncate(key.len());
    Some(derived)
}

/// Stretches text over a block: copies of it, each turned by 13 bits more, are added with the carry at the end (n-fold).
fn folded(text: &[u8]) -> [u8; BLOCK] {
    let bits = text.len() * 8;
    let whole = lcm(text.len(), BLOCK);
    let bit = |at: usize| {
        let (copy, within) = (at / bits, at % bits);
        let from = (within + bits - (13 * copy) % bits) % bits;
        text[from / 8] >> (7 - from % 8) & 1
    };
    let byte = |at: usize| (0..8).fold(0u8, |byte, offset| byte << 1 | bit(at * 8 + offset));
    let mut sum = [0u32; BLOCK];
    for at in 0..whole {
        sum[at % BLOCK] += u32::from(byte(at));
    }
    // Carries go from the last byte to the first, and from there around to the last.
    let mut carry = 0;
    loop {
        for part in sum.iter_mut().rev() {
            *part += carry;
            carry = *part >> 8;
            *part &= 0xff;
        }
        if carry == 0 {
            return sum.map(|part| part as u8);
        }
    }
}

fn lcm(one: usize, other: usize) -> usize {
    let (mut a, mut b) = (one, other);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    one / a * other
}

const AES128: u16 = 17;
const AES256: u16 = 18;
const BLOCK: usize = 16;
/// Bytes of the checksum that are sent.
const CHECKSUM: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn text_is_stretched_as_the_rfc_has_it() {
        // RFC 3961, appendix A.1.
        assert_eq!(folded(b"kerberos").to_vec(), hex("6b65726265726f737b9b5b2b93132b93"));
    }

    #[test]
    fn messages_are_encrypted_as_the_rfc_has_it() {
        // RFC 3962, appendix B.
        let key = b"chicken teriyaki";
        for (plain, expected) in [
            ("I would like the ", "c6353568f2bf8cb4d8a580362da7ff7f97"),
            ("I would like the General Gau's ", "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5"),
            ("I would like the General Gau's C", "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584"),
        ] {
            assert_eq!(with_stealing(key, plain.as_bytes()), Some(hex(expected)), "{plain}");
        }
    }
}
