//! Revocation lists (RFC 5280, section 5): reading them, and what they say of a certificate.
//!
//! [`RevocationList`] is one list, decoded. [`RevocationLists`] choose among several of one issuer and judge a
//! certificate or a whole verified path; what TLS refuses and what the linter reports come from the same rule:
//!
//! 1. A list counts if it is of the certificate's issuer by name, is signed with the key that signed the certificate,
//!    and is for such a certificate (issuing distribution point). An authority with a new key has a list for each key.
//! 2. Of the complete lists that are in date, the newest decides, by CRL number and then by its date.
//! 3. A certificate that a newer list has is revoked too, even if that list is past its date.
//! 4. Delta lists and lists for some reasons only can revoke, and never show that a certificate is good.
//! 5. Without a complete list that is in date, nothing is known, and the certificate is refused.

mod choice;
mod der;
mod list;
mod path;
mod scope;

pub use choice::{RevocationLists, Unrevoked};
pub use list::{RevocationList, UnusableList};
pub use path::{PathFlaw, judge_path, may_sign_lists};
pub use scope::Scope;
