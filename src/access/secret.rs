//! The secret of a token, which its owner has and pronk does not keep.

use std::fmt;

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The SHA-256 of a secret.
pub(super) type Digest = [u8; 32];

/// The secret of a token; wiped when dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns a new secret of 256 random bits.
    ///
    /// # Errors
    /// The system has no random bits.
    pub fn generate() -> Result<Self, &'static str> {
        let mut bits = Zeroizing::new([0; 32]);
        rand::fill(&mut *bits).map_err(|_| "the system gives no random bits")?;
        Ok(Self(Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*bits)))))
    }

    /// Returns the secret as its owner sends it.
    pub fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn digest(&self) -> Digest {
        digest_of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Returns the SHA-256 of what somebody presents as a secret.
pub(super) fn digest_of(presented: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, presented.as_bytes()).as_ref());
    bytes
}

/// By which those who look for leaked secrets know one of pronk's.
const PREFIX: &str = "pronk_";
