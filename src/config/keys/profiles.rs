//! Every type of profile.

use super::profile::ReadProfile;
use super::typed::Type;
use super::{client_ssl, persistence, protocol, server_ssl};

/// Every type of profile.
pub(in crate::config) const PROFILES: &[&Type<ReadProfile>] = &[
    &client_ssl::CLIENT_SSL,
    &server_ssl::SERVER_SSL,
    &protocol::TCP,
    &protocol::FAST_L4,
    &persistence::SOURCE_ADDR,
    &persistence::HASH,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::profile::WORDS;

    #[test]
    fn words_are_those_of_the_types() {
        assert!(PROFILES.iter().map(|it| it.word).eq(WORDS.iter().copied()));
    }
}
