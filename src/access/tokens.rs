//! The tokens that are in force.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::secret::digest_of;
use super::token::Token;

/// The tokens that are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(pub(super) Vec<Token>);

/// What a secret is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    Valid(&'a Token),
    /// It was valid once.
    Expired(&'a Token),
    Unknown,
}

impl Tokens {
    /// Returns what a secret is worth at `now`, in seconds since 1970. How long it takes depends on how many tokens there
    /// are, and on nothing that is secret.
    pub fn verify(&self, presented: &str, now: i64) -> Verdict<'_> {
        let digest = digest_of(presented);
        let mut found = None;
        for token in &self.0 {
            // All are compared, whichever is the one.
            if verify_slices_are_equal(&token.digest, &digest).is_ok() {
                found = Some(token);
            }
        }
        match found {
            Some(token) if token.is_expired(now) => Verdict::Expired(token),
            Some(token) => Verdict::Valid(token),
            None => Verdict::Unknown,
        }
    }

    /// Returns the tokens in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Role, Secret};

    #[test]
    fn secret_opens_what_its_own_token_may() {
        let secrets: Vec<_> = (0..3).map(|_| Secret::generate().unwrap()).collect();
        let token = |index: usize| {
            let expires = (index == 2).then_some(1000);
            Token::new(&format!("t{index}"), Role::ALL[index], expires, &secrets[index]).unwrap()
        };
        let tokens = Tokens((0..3).map(token).collect());
        for (index, secret) in secrets.iter().enumerate() {
            assert_eq!(tokens.verify(secret.text(), 999), Verdict::Valid(&token(index)));
        }
        assert_eq!(tokens.verify(secrets[2].text(), 1000), Verdict::Expired(&token(2)));
        for wrong in ["", "pronk_", &secrets[0].text()[..48], &format!("{}x", secrets[0].text())] {
            assert_eq!(tokens.verify(wrong, 0), Verdict::Unknown, "{wrong}");
        }
    }
}
