//! Reading certificates and private keys: their formats, and the names in them.
//!
//! - [`bundle`] reads a file of whatever format: PEM, DER, PKCS#7 or PKCS#12.
//! - [`pem`] reads certificates and revocation lists, [`key_pem`] private keys, decrypting them if need be, and
//!   [`pkcs12`] archives. Whatever cannot be read or used is a [`MaterialError`], which names the file and the remedy.
//! - [`Certificate`] is a certificate decoded into plain values; [`CertificateNames`] are its names, and [`name_match`]
//!   decides whether one of them covers a host.
//! - [`PrivateKey`] is a key that signs: made here, or read.
//! - [`revocation`] has revocation lists, and which of several decides on a certificate.
//! - [`Identity`] is a chain with its key, read and found to belong together.
//! - [`entry`] reads an entry of the certificate store.
//! - [`text`] shows a certificate; [`date`], [`escape`] and [`hex`] show values of it.

mod authority_hints;
pub mod bundle;
mod certificate;
pub mod date;
pub mod entry;
pub mod error;
pub mod escape;
mod extensions;
mod field;
pub mod hex;
pub mod identity;
pub mod key_pem;
mod key_type;
pub mod name_match;
pub mod names;
mod oid;
mod passphrase;
pub mod pem;
pub mod pkcs12;
mod pkcs7;
mod private_key;
mod public_key;
pub mod revocation;
mod secret_file;
pub mod text;

pub use authority_hints::{AuthorityHints, MOST_HINTS};
pub use certificate::{Certificate, DecodeError};
pub use error::{MaterialError, Pkcs12Error};
pub use extensions::{BasicConstraints, KeyUsage, NameConstraints, Purpose};
pub use field::Field;
pub use identity::{Identity, IdentityError, Part};
pub use key_type::{KeyType, PrivateKeyError};
pub use names::CertificateNames;
pub use passphrase::Passphrase;
pub use private_key::PrivateKey;
pub use public_key::{Key, KeyKind, Signature};
