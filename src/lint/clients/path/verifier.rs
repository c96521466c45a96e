//! The verifiers that Impala's clients are built on.

use super::edition::Edition;
use super::openssl_issued::Flags;
use super::outcome::Outcome;
use super::situation::Situation;
use super::{java, openssl, webpki};

/// A verifier of chains, as some clients use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verifier {
    /// OpenSSL, and Python 3.7 to 3.12.
    OpenSsl,
    /// Python 3.6 and older, which offer more ciphers.
    OlderOpenSsl,
    /// Python 3.13 and later: OpenSSL with `X509_STRICT` and `PARTIAL_CHAIN`.
    StrictOpenSsl,
    Java17,
    Java25,
    WebPki,
}

impl Verifier {
    pub const ALL: &[Self] =
        &[Self::OpenSsl, Self::OlderOpenSsl, Self::StrictOpenSsl, Self::Java17, Self::Java25, Self::WebPki];

    /// Returns the path that the verifier takes, and what it minds about it.
    pub(in crate::lint) fn judge<'a>(self, situation: &Situation<'a>) -> Outcome<'a> {
        match self {
            Self::OpenSsl => openssl::judge(situation, Flags { strict: false, partial: false, takes_dsa: false }),
            Self::OlderOpenSsl => openssl::judge(situation, Flags { strict: false, partial: false, takes_dsa: true }),
            Self::StrictOpenSsl => openssl::judge(situation, Flags { strict: true, partial: true, takes_dsa: false }),
            Self::Java17 => java::judge(situation, Edition::Java17),
            Self::Java25 => java::judge(situation, Edition::Java25),
            Self::WebPki => webpki::judge(situation),
        }
    }
}
