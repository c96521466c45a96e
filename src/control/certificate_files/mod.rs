//! Certificates, keys, authorities and revocation lists that are replaced on disk while pronk runs: `changed` notices
//! them, `schedule` says when they are checked.

mod changed;
mod schedule;

pub(super) use changed::{CertificateFiles, CheckedFiles};
pub(super) use schedule::CheckSchedule;
