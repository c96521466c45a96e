//! Reading certificates and private keys: their formats, and the names in them.
//!
//! - [`bundle`] reads a file of whatever format: [`Parts`] takes it apart into certificates, keys and revocation lists,
//!   whether it is PEM, DER, PKCS#7 or PKCS#12. An [`EncodedKey`] is a key as the file has it, to be decrypted. Whatever
//!   cannot be read or used is a [`MaterialError`], which names the file, the place and the remedy; a [`Kind`] is what
//!   the file is instead.
//! - [`Certificate`] is a certificate decoded into plain values; [`CertificateNames`] are its names, and [`name_match`]
//!   decides whether one of them covers a host.
//! - [`PrivateKey`] is a key that signs: made here, or read.
//! - [`revocation`] has revocation lists, and which of several decides on a certificate.
//! - [`signature_algorithms`](signature_algorithms()) verify signatures, and [`chain_error`](chain_error()) says why a chain does not verify.
//! - [`Identity`] is a chain with its key, read and found to belong together.
//! - [`entry`] reads an entry of the certificate store.
//! - [`text`] shows a certificate; [`date`] and [`hex`] show values of it.

mod authority_hints;
mod ber;
pub mod bundle;
mod certificate;
mod chain_error;
pub mod date;
mod decode_error;
pub mod der;
mod distinguished_name;
mod ec_point;
mod encoded_key;
mod encryption;
pub mod entry;
pub mod error;
mod extensions;
mod field;
mod flaw;
mod general_name;
pub mod hex;
pub mod identity;
mod key_name;
mod key_type;
mod kind;
pub mod name_match;
pub mod names;
mod oid;
mod parts;
mod passphrase;
pub mod pem;
pub mod pkcs12;
mod pkcs7;
mod private_key;
mod public_key;
pub mod revocation;
mod secret_file;
mod signature_algorithms;
mod signing_key;
pub mod text;

pub use authority_hints::{AuthorityHints, MOST_HINTS};
pub use certificate::{Certificate, DecodeError};
pub use chain_error::chain_error;
pub use distinguished_name::DistinguishedName;
pub use encoded_key::EncodedKey;
pub use error::{Instead, MaterialError, Pkcs12Error};
pub use extensions::{AuthorityKey, BasicConstraints, Bound, KeyUsage, NameConstraints, Policies, Purpose, Subtree};
pub use field::Field;
pub use flaw::{Flaw, FlawedExtension};
pub use general_name::GeneralName;
pub use identity::{Identity, IdentityError, Part};
pub use key_type::{KeyType, PrivateKeyError};
pub use kind::Kind;
pub use names::CertificateNames;
pub use oid::extension_name;
pub use parts::Parts;
pub use passphrase::Passphrase;
pub use private_key::PrivateKey;
pub use public_key::{Key, KeyKind, Signature};
pub use secret_file::read_secret;
pub use signature_algorithms::signature_algorithms;
