//! What each client's verifier makes of a chain: the path that it builds from what is shown and what is trusted, and
//! every rule that this path breaks.
//!
//! A file for each verifier builds its paths, another has its rules. They follow the sources of OpenSSL 3.0, OpenJDK and
//! rustls-webpki, and `make differential` compares them with the clients themselves. Revocation is not judged.

mod constraints;
mod edition;
mod facts;
mod java;
mod java_rules;
mod openssl;
mod openssl_issued;
mod openssl_rules;
mod outcome;
mod policies;
mod reading;
mod search;
mod signatures;
mod situation;
mod verifier;
mod webpki;
mod webpki_rules;

pub use outcome::{Outcome, Refusal};
pub(in crate::lint) use signatures::Signatures;
pub(in crate::lint) use situation::Situation;
pub use verifier::Verifier;
