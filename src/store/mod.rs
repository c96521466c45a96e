//! The certificate store: a folder with one folder an entry, which holds `cert.pem`, `key.pem` and perhaps `chain.pem`.
//!
//! An entry is replaced as a whole ([`Writer`]) and read as a whole
//! ([`read_consistently`](crate::cert::entry::read_consistently)): whoever reads while it is replaced has the old files
//! or the new ones and never a mix.

mod change;
mod error;
mod import;
mod issue;
mod lint;
mod list;
mod lock;
mod names;
mod renew;
mod replace;
mod sort_chain;
mod stored;
pub mod truststore;
mod view;
mod writer;

pub use change::Change;
pub use error::StoreError;
pub use import::{Ask, Checked, Import, Source, check_import};
pub use issue::{Authority, CLOCK_SKEW, authority, request, self_signed, sign};
pub use lint::{linter, subject};
pub use list::names;
pub use names::{Names, NamesError};
pub use renew::{Renewal, authority_passphrase, issuer, renew};
pub use stored::Stored;
pub use view::{CertificateSummary, EntryView, FileView};
pub use writer::Writer;
