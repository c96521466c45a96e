//! A table: which client accepts which certificate for which name.

use std::ptr;

use super::{Client, Verdict};
use crate::cert::Certificate;
use crate::lint::{Subject, Use};
use crate::model::Host;

/// Which clients accept which certificate for which front-end name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    pub rows: Vec<Row>,
}

/// One certificate and one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The file or address, with the certificate's position where it is not alone there.
    pub source: String,
    /// The certificate's subject.
    pub subject: String,
    pub host: Host,
    /// Of every client, in the order of [`Client::ALL`].
    pub verdicts: Vec<(Client, Verdict)>,
}

impl Matrix {
    /// Judges every certificate that clients may see, for every front-end name of its role. Authorities among the
    /// subjects complete the chains.
    pub fn of(subjects: &[Subject]) -> Self {
        let all = subjects.iter().flat_map(|subject| subject.chain().iter().map(|located| &*located.certificate));
        let authorities: Vec<_> = all.filter(|it| it.is_ca() || it.is_self_issued()).collect();
        let rows = subjects.iter().filter(|subject| is_shown_to_clients(subject)).flat_map(|subject| {
            let path = path(subject, &authorities);
            subject.role.front_ends.iter().map(move |host| row(subject, host, &path))
        });
        Self { rows: rows.collect() }
    }
}

/// Returns whether clients may see it: neither what a member shows to pronk, nor an authority, whose key may be with
/// it.
fn is_shown_to_clients(subject: &Subject) -> bool {
    !matches!(subject.role.usage, Use::Authority | Use::ReEncrypt) && !subject.leaf().is_authority()
}

fn row(subject: &Subject, host: &Host, path: &[&Certificate]) -> Row {
    let leaf = subject.leaf();
    let located = subject.chain().iter().find(|located| ptr::eq(&raw const *located.certificate, leaf));
    Row {
        source: located.map_or_else(|| subject.source(), |located| located.origin.to_string()),
        subject: leaf.title(),
        host: host.clone(),
        verdicts: Client::ALL.iter().map(|client| (*client, client.judge(path, host))).collect(),
    }
}

/// Returns the server's certificate, its issuer, and so on as far as known. No signature is checked.
fn path<'a>(subject: &'a Subject, authorities: &[&'a Certificate]) -> Vec<&'a Certificate> {
    let mut path = vec![subject.leaf()];
    let known = || subject.chain().iter().map(|located| &*located.certificate).chain(authorities.iter().copied());
    while let Some(last) = path.last().filter(|last| !last.is_self_issued()) {
        let Some(issuer) = known().find(|it| last.names_issuer(it) && !path.iter().any(|on| on.der == it.der)) else {
            break;
        };
        path.push(issuer);
    }
    path
}
