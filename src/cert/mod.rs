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
//! - [`lint`] tells what is wrong with certificates, for whom, and what to do.
//! - [`text`] shows a certificate.
//! - [`names`] tells which names a certificate carries and which hosts they cover.

pub mod bundle;
pub mod certificate;
pub mod identity;
pub mod key;
pub mod lint;
pub mod material;
pub mod names;
pub mod pkcs12;
pub mod private_key;
pub mod report;
pub mod store;
pub mod text;
pub mod truststore;

pub use certificate::Certificate;
pub use identity::{Identity, IdentityError, Part};
pub use material::MaterialError;
pub use names::CertificateNames;
