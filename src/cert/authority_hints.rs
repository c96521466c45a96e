//! The names of authorities that a server tells its clients, so that they choose a certificate (RFC 8446, section
//! 4.2.4, and RFC 5246, section 7.4.4).

use std::collections::HashSet;

/// The names of authorities as a server may tell them to clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityHints {
    /// In DER, each once.
    pub names: Vec<Vec<u8>>,
    /// How many bytes they take in a handshake.
    pub bytes: usize,
}

impl AuthorityHints {
    /// Takes the subjects of authorities, in DER.
    pub fn of<'a>(subjects: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut hints = Self::default();
        let mut seen = HashSet::new();
        for subject in subjects.filter(|it| seen.insert(*it)) {
            hints.bytes += subject.len() + 2;
            hints.names.push(subject.to_vec());
        }
        hints
    }

    /// Returns whether they fit into a handshake that every client can read. Otherwise none are sent: hints may be
    /// left out, and a client then shows the certificate that it has.
    pub fn fit(&self) -> bool {
        self.bytes <= MOST_HINTS
    }
}

/// TLS can carry 65,535 bytes, and Java reads handshake messages of up to 32,768.
pub const MOST_HINTS: usize = 32_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_once_and_as_they_are_sent() {
        let hints = AuthorityHints::of([&b"one"[..], b"four", b"one"].into_iter());
        assert_eq!((hints.names.len(), hints.bytes), (2, 11));
        let at_most = vec![0; MOST_HINTS - 2];
        assert!(AuthorityHints::of([&at_most[..]].into_iter()).fit());
        assert!(!AuthorityHints::of([&at_most[..], b""].into_iter()).fit());
    }
}
