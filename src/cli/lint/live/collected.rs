//! What live ports and a configuration file give the linter.

use rustls_pki_types::CertificateDer;

use crate::cert::MaterialError;
use crate::config::Diagnostics;
use crate::inventory::{Chain, chains};
use crate::lint::clients::Client;
use crate::lint::{Finding, PortFailure, Role, Subject, Trust, Use, not_agreed, port_failure};
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

    /// Adds the chain that the port at `address` shows: a subject for each role, or a finding.
    pub(super) fn add_chain(&mut self, address: &str, chain: &Chain, roles: &[(Role, Option<Trust>)]) {
        match chains::shown(address, chain) {
            Ok(chain) => {
                for (role, trust) in roles {
                    let Some(mut subject) = Subject::new(chain.clone(), None, role.clone()) else { continue };
                    subject.trust = trust.clone();
                    self.subjects.push(subject);
                }
            }
            Err(error) => {
                let reason = format!("shows a certificate that cannot be decoded: {error}");
                let expected = "a certificate that can be decoded";
                self.findings.push(port_failure(PortFailure::Ended, address, &reason, expected));
            }
        }
    }

    /// Adds that the port at `address` shows no chain, perhaps when asked for some names only. `speaking` are the clients
    /// that it agrees with where it does not with pronk.
    pub(super) fn add_failure(
        &mut self,
        address: &str,
        failure: &FetchError,
        asked: Option<&str>,
        speaking: &[Client],
        usages: &[Use],
        expected: &str,
    ) {
        let reason = match asked {
            Some(names) => format!("{failure}, when it is asked for {names}"),
            None => failure.to_string(),
        };
        self.findings.push(match failure {
            FetchError::NotAgreed(_) => not_agreed(address, &reason, expected, speaking, usages),
            _ => port_failure(of(failure), address, &reason, expected),
        });
    }
}

fn of(reason: &FetchError) -> PortFailure {
    match reason {
        FetchError::Plaintext(_) => PortFailure::Plaintext,
        FetchError::Resolve(_) | FetchError::Connect(_) | FetchError::Short(_) => PortFailure::Unreachable,
        FetchError::TimedOut | FetchError::ClosedEarly => PortFailure::Silent,
        FetchError::Handshake(_) | FetchError::NotAgreed(_) => PortFailure::Ended,
    }
}
