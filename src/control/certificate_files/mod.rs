//! Certificate files, keys, authorities and revocation lists that are replaced on disk while pronk runs.

mod changed;

pub(super) use changed::{CertificateFiles, CheckedFiles, look};
