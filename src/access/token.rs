//! A token, as the tokens file has it.

use super::role::Role;
use super::secret::{Digest, Secret};

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By which the audit log names whoever uses it.
    pub name: String,
    pub role: Role,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
    pub(super) digest: Digest,
}

impl Token {
    /// Returns the token of a secret.
    ///
    /// # Errors
    /// The name cannot be a token's.
    pub fn new(name: &str, role: Role, expires: Option<i64>, secret: &Secret) -> Result<Self, String> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), role, expires, digest: secret.digest() })
    }

    /// Returns whether its time is over at `now`, in seconds since 1970.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

/// Refuses a name that would not be one word of the file, or not one of the audit log.
///
/// # Errors
/// What a name is.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_good = |letter: char| letter.is_ascii_alphanumeric() || "._-@".contains(letter);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_good) && !name.starts_with('-') {
        return Ok(());
    }
    Err(format!(
        "a token's name is of up to {LONGEST_NAME} letters, digits, `.`, `_`, `-` and `@`, and does not begin with `-`"
    ))
}

/// In bytes.
const LONGEST_NAME: usize = 100;
