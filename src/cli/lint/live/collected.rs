//! What live ports and a configuration file give the linter.

use rustls_pki_types::CertificateDer;

use crate::cert::MaterialError;
use crate::config::Diagnostics;
use crate::inventory::{Chain, chains};
use crate::lint::{Finding, PortFailure, Role, Subject, Trust, port_failure};
use crate::tls::FetchError;

/// What was found on live ports and in a configuration.
#[derive(Debug, Default)]
pub(in crate::cli::lint) struct Collected {
    pub(in crate::cli::lint) subjects: Vec<Subject>,
    /// About ports that showed no certificate.
    pub(in crate::cli::lint) findings: Vec<Finding>,
    /// Authorities that a configuration names.
    pub(in crate::cli::lint) anchors: Vec<CertificateDer<'static>>,
    /// Files that a configuration names and that cannot be read.
    pub(in crate::cli::lint) unreadable: Vec<MaterialError>,
    /// What a configuration leaves unchecked.
    pub(in crate::cli::lint) notes: Diagnostics,
}

impl Collected {
    /// Puts others behind these.
    pub(in crate::cli::lint) fn extend(&mut self, others: Self) {
        self.subjects.extend(others.subjects);
        self.findings.extend(others.findings);
        self.anchors.extend(others.anchors);
        self.unreadable.extend(others.unreadable);
        others.notes.into_iter().for_each(|note| self.notes.push(note));
    }

    /// Adds what came of asking the port at `address`: a subject for each role, or a finding.
    pub(super) fn add(
        &mut self,
        address: &str,
        fetched: Result<Chain, FetchError>,
        roles: &[(Role, Option<Trust>)],
        expected: &str,
    ) {
        let (failure, reason) = match fetched.map(|chain| chains::shown(address, &chain)) {
            Ok(Ok(chain)) => {
                for (role, trust) in roles {
                    let Some(mut subject) = Subject::new(chain.clone(), None, role.clone()) else { continue };
                    subject.trust = trust.clone();
                    self.subjects.push(subject);
                }
                return;
            }
            Ok(Err(error)) => (PortFailure::Handshake, format!("shows a certificate that cannot be decoded: {error}")),
            Err(reason) => (failure(&reason), reason.to_string()),
        };
        self.findings.push(port_failure(failure, address, &reason, expected));
    }
}

fn failure(reason: &FetchError) -> PortFailure {
    match reason {
        FetchError::NotAgreed(_) => PortFailure::NotAgreed,
        FetchError::Plaintext(_) => PortFailure::Plaintext,
        FetchError::Resolve(_) | FetchError::Connect(_) | FetchError::Short(_) => PortFailure::Unreachable,
        FetchError::TimedOut | FetchError::ClosedEarly | FetchError::Handshake(_) => PortFailure::Handshake,
    }
}
