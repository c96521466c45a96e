//! What chains can be built from and verified against: trust anchors, the authorities among all subjects, and
//! revocation lists; made ready once for a run of the linter.

use std::collections::{HashMap, HashSet};

use rustls_pki_types::CertificateRevocationListDer;

use super::anchors::Anchors;
use super::clients::path::Signatures;
use super::revocation_lists::RevocationLists;
use super::{Subject, Trust, Use};
use crate::cert::Certificate;

/// What chains can be built from and verified against.
pub(super) struct KnownAuthorities<'a> {
    /// The time of verification, in seconds since 1970.
    pub(super) now: i64,
    pub(super) revocation: RevocationLists,
    pub(super) signatures: Signatures,
    anchors: Anchors<'a>,
    /// Those of subjects that have their own trust. Subjects mostly share one list, which is made ready once.
    anchors_of_subjects: HashMap<ListId, Anchors<'a>>,
    /// The authorities among the subjects, by the DER of their names.
    by_subject: HashMap<&'a [u8], Vec<&'a Certificate>>,
    /// The servers' own certificates, in DER.
    servers: HashSet<&'a [u8]>,
    /// The names of issuers, of all subjects' certificates that are not their own.
    issuers: HashSet<&'a [u8]>,
}

/// What identifies a list of anchors: address, length, and whether the user named them.
type ListId = (usize, usize, bool);

impl<'a> KnownAuthorities<'a> {
    pub(super) fn of(
        trust: &'a Trust,
        revocation_lists: &[CertificateRevocationListDer<'static>],
        subjects: &'a [Subject],
        now: i64,
    ) -> Self {
        let mut anchors_of_subjects = HashMap::new();
        for trust in subjects.iter().filter_map(|subject| subject.trust.as_ref()) {
            anchors_of_subjects.entry(list_id(trust)).or_insert_with(|| Anchors::of(trust));
        }
        Self {
            now,
            revocation: RevocationLists::of(revocation_lists),
            signatures: Signatures::new(),
            anchors: Anchors::of(trust),
            anchors_of_subjects,
            by_subject: authorities(subjects),
            issuers: issuers(subjects),
            servers: subjects.iter().filter(|it| it.is_server()).map(|it| it.leaf().der.as_ref()).collect(),
        }
    }

    /// Returns the anchors that this subject's chain has to lead to.
    pub(super) fn anchors(&self, subject: &Subject) -> &Anchors<'a> {
        subject.trust.as_ref().and_then(|trust| self.anchors_of_subjects.get(&list_id(trust))).unwrap_or(&self.anchors)
    }

    /// Returns an authority among the subjects that `certificate` names as its issuer.
    pub(super) fn issuer_of(&self, certificate: &Certificate) -> Option<&'a Certificate> {
        let named = self.by_subject.get(certificate.issuer_der())?;
        named.iter().copied().find(|authority| certificate.names_issuer(authority))
    }

    /// Returns whether it is a server's own certificate, or the trust entry of one that is its own authority: it is
    /// meant for a server, and nobody names it as issuer.
    pub(super) fn is_server(&self, certificate: &Certificate) -> bool {
        let is_entry = certificate.is_self_issued() && certificate.is_for_server();
        self.servers.contains(certificate.der.as_ref())
            || (is_entry && !self.issuers.contains(certificate.subject.near()))
    }

    /// Returns whether this very certificate is a server's own.
    pub(super) fn is_a_servers(&self, certificate: &Certificate) -> bool {
        self.servers.contains(certificate.der.as_ref())
    }

    /// Returns whether the certificate is one of the subjects', or in one's chain above the server's own.
    pub(super) fn is_linted(&self, authority: &Certificate) -> bool {
        let named = self.by_subject.get(authority.subject_der());
        named.is_some_and(|named| named.iter().any(|other| other.der == authority.der))
    }
}

fn list_id(trust: &Trust) -> ListId {
    (trust.anchors.as_ptr().addr(), trust.anchors.len(), trust.given)
}

fn issuers(subjects: &[Subject]) -> HashSet<&[u8]> {
    let all = subjects.iter().flat_map(Subject::chain).map(|at| &at.certificate);
    all.filter(|it| !it.is_self_issued()).map(|it| it.issuer_name.near()).collect()
}

/// Returns every authority of the subjects by its name, and each key of one name once, or twice where it is a root as
/// well as an intermediate.
fn authorities(subjects: &[Subject]) -> HashMap<&[u8], Vec<&Certificate>> {
    let mut by_subject: HashMap<_, Vec<&Certificate>> = HashMap::new();
    for subject in subjects {
        for at in subject.chain() {
            if subject.role.usage != Use::Authority && std::ptr::eq(at, subject.leaf_located()) {
                continue;
            }
            let certificate = &*at.certificate;
            let same = |other: &&Certificate| {
                other.subject_key_id == certificate.subject_key_id
                    && other.names_itself() == certificate.names_itself()
                    && other.not_after == certificate.not_after
            };
            let named = by_subject.entry(certificate.subject_der()).or_default();
            if !named.iter().any(same) {
                named.push(certificate);
            }
        }
    }
    by_subject
}
