//! What is known of the certificates in use, for the administrative side and for metrics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lint::report::FindingView;

/// The whole inventory.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    pub certificates: Vec<CertificateView>,
    /// Profiles whose files were replaced by something that cannot be used.
    pub stale: Vec<StaleView>,
    /// Members that are to speak TLS and that no monitor of type tls looks at.
    pub unwatched: Vec<String>,
    /// Virtual servers without a hostname, whose names are not checked.
    pub nameless: Vec<String>,
}

/// A certificate in use, or one that the store has in reserve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateView {
    /// The file, or `node:port`.
    pub source: String,
    /// `front-end`, `member`, `revocation-list` (which ends with its next update) or `spare`.
    pub kind: String,
    /// The client-ssl profile that serves it, or the profile that looks at the list.
    pub profile: Option<String>,
    pub virtual_servers: Vec<String>,
    /// None, as the four below, if it cannot be decoded.
    pub subject: Option<String>,
    pub issuer: Option<String>,
    pub fingerprint: Option<String>,
    /// Seconds since 1970.
    pub not_after: Option<i64>,
    /// Until it ends; negative once it has ended.
    pub seconds_left: Option<i64>,
    /// The DNS names and IP addresses that it carries.
    pub names: Vec<String>,
    /// Certificates in the chain, its own included.
    pub chain_length: usize,
    /// Names that it must carry and does not.
    pub missing_names: Vec<String>,
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
    /// The gravest first.
    pub findings: Vec<FindingView>,
    /// For a member, how long ago a monitor last saw it, in seconds.
    pub seen_seconds_ago: Option<u64>,
    /// Why its files' present contents are not in force.
    pub stale: Option<String>,
}

/// What metrics say of a certificate in use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CertificateSummary {
    pub source: String,
    pub kind: String,
    pub profile: String,
    /// Seconds since 1970.
    pub not_after: Option<i64>,
    /// Findings by severity: errors, warnings, infos.
    pub findings: [usize; 3],
}

/// A profile that goes on with its last good files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaleView {
    pub profile: String,
    pub reason: String,
}
