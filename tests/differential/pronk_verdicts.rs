//! What pronk says of a case: a verdict for each client, and its findings.

use std::sync::Arc;
use std::time::SystemTime;

use pronk::cert::{Certificate, bundle};
use pronk::lint::clients::{Client, Matrix, Verdict};
use pronk::lint::{Finding, Linter, Located, Origin, Role, Severity, Subject, Trust, Use, WeakKeys, gather_bundle};

use crate::case::Case;

/// What pronk says of a case.
pub(crate) struct PronkVerdicts {
    /// By column; empty where the chain cannot be read.
    pub(crate) columns: Vec<(Client, Verdict)>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) unreadable: Vec<String>,
}

impl PronkVerdicts {
    /// Lints as `pronk lint --connect SERVER --ca-file ANCHORS --hostname HOST --clients` does.
    pub(crate) fn of(case: &Case) -> Self {
        let host =
            case.host.parse().map_or_else(|_| pronk::model::Host::Name(case.host.clone()), pronk::model::Host::Ip);
        let role = Role { front_ends: vec![host], ..Role::default() };
        let chain = bundle::read(&case.chain, None).unwrap().certificates;
        let of = chain.len();
        // A port that does not have the key of what it shows comes to no handshake, so that such a chain is a file's.
        let key = bundle::read(&case.key, None).unwrap().key.filter(|key| {
            Certificate::decode(chain[0].clone())
                .is_ok_and(|first| key.spki.as_ref().is_ok_and(|it| *it != first.key.spki))
        });
        let (mut located, mut unreadable) = (Vec::new(), Vec::new());
        for (der, position) in chain.into_iter().zip(1..) {
            match Certificate::decode(der) {
                Ok(certificate) => located.push(Located {
                    certificate: Arc::new(certificate),
                    origin: match key {
                        None => Origin::Live { address: "server:21050".into(), position, of },
                        Some(_) => Origin::File { path: case.chain.clone(), position, of },
                    },
                }),
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        let mut subjects: Vec<_> = Subject::new(located, key, role).into_iter().collect();
        let mut trusted = Vec::new();
        // A case may trust nobody.
        if let Ok(anchors) = bundle::read(&case.anchors, None) {
            trusted.clone_from(&anchors.certificates);
            let authorities = gather_bundle(anchors, &Role { usage: Use::Authority, ..Role::default() });
            subjects.extend(authorities.subjects);
            unreadable.extend(authorities.unreadable.iter().map(ToString::to_string));
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        let trust = Trust { given: true, anchors: Arc::from(trusted) };
        let linter = Linter::new(now, trust, WeakKeys::default());
        let findings = linter.lint(&subjects).findings;
        let matrix = Matrix::of(&linter, &subjects);
        Self { columns: matrix.rows.first().map(|row| row.verdicts.clone()).unwrap_or_default(), findings, unreadable }
    }

    /// Returns the gravest finding, an unreadable file for an error.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let unreadable = (!self.unreadable.is_empty()).then_some(Severity::Error);
        self.findings.iter().map(|finding| finding.severity).max().max(unreadable)
    }
}
