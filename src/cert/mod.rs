//! Reading certificates and private keys: their formats, and the names in them.
//!
//! - [`material`] reads files and says what is wrong with them in words that name the file and the remedy.
//! - [`key`] reads private keys, decrypting them if need be.
//! - [`private_key`] makes private keys and signs with them.
//! - [`pkcs12`] reads and writes PKCS#12 archives.
//! - [`identity`] puts a chain and its key together and makes sure that they belong together.
//! - [`bundle`] reads a file of whatever format.
//! - [`certificate`] decodes a certificate into plain facts.
//! - [`entry`] reads an entry of the certificate store.
//! - [`text`] shows a certificate; [`date`] and [`escape`] show parts of it.
//! - [`names`] tells which names a certificate carries and which hosts they cover.
//! - [`weak_keys`] and [`weak_rsa`] know keys that others can compute.

pub mod bundle;
pub mod certificate;
pub mod date;
pub mod entry;
pub mod error;
pub mod escape;
mod field;
pub mod identity;
pub mod key_pem;
pub mod names;
mod passphrase;
pub mod pem;
pub mod pkcs12;
mod pkcs7;
pub mod private_key;
mod secret_file;
pub mod text;
pub mod weak_keys;
pub mod weak_rsa;

pub use certificate::Certificate;
pub use error::{MaterialError, Pkcs12Error};
pub use field::Field;
pub use identity::{Identity, IdentityError, Part};
pub use names::CertificateNames;
pub use passphrase::Passphrase;
