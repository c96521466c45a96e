//! Certificates and private keys as they lie on disk: reading them, the certificate store, and the names in them.
//!
//! - [`material`] reads files and says what is wrong with them in words that name the file and the remedy.
//! - [`key`] reads private keys, decrypting them if need be.
//! - [`report`] writes findings for people and for programs.
//! - [`private_key`] makes private keys and signs with them.
//! - [`pkcs12`] reads and writes PKCS#12 archives.
//! - [`store`] keeps certificates and keys: it finds, issues, imports and replaces them.
//! - [`truststore`] adds certificates to a file of trusted ones.
//! - [`identity`] puts a chain and its key together and makes sure that they belong together.
//! - [`bundle`] reads a file of whatever format.
//! - [`certificate`] decodes a certificate into plain facts.
//! - [`clients`] tells which clients accept a certificate for a name.
//! - [`lint`] tells what is wrong with certificates, for whom, and what to do.
//! - [`cluster`] shows the servers of a cluster beside each other.
//! - [`text`] shows a certificate.
//! - [`names`] tells which names a certificate carries and which hosts they cover.
//! - [`weak_keys`] and [`weak_rsa`] know keys that others can compute.

pub mod bundle;
pub mod certificate;
pub mod clients;
pub mod cluster;
pub mod identity;
pub mod key;
pub mod lint;
pub mod material;
pub mod names;
pub mod pkcs12;
mod pkcs7;
pub mod private_key;
pub mod report;
pub mod store;
pub mod text;
pub mod truststore;
pub mod weak_keys;
pub mod weak_rsa;

pub use certificate::Certificate;
pub use identity::{Identity, IdentityError, Part};
pub use material::MaterialError;
pub use names::CertificateNames;
