//! The way up from a certificate to its root, through the certificates of its file.

use crate::lint::{Located, Subject};

/// The way up from a subject's own certificate, by names and key identifiers; no signature is checked.
pub(crate) struct Path<'a> {
    /// The subject's own, then the issuer of each, as far as the file has them.
    pub(super) steps: Vec<&'a Located>,
    /// Every certificate that some way up may take, each once; the subject's own is the first.
    pub(super) related: Vec<&'a Located>,
}

impl<'a> Path<'a> {
    /// Finds the way up. Of several issuers of one name and key, as after a renewal, it takes the one that ends last.
    pub(crate) fn of(subject: &'a Subject) -> Self {
        let server = subject.leaf_located();
        let related = related(server, subject.chain());
        let mut steps = vec![server];
        let mut top = server;
        while !top.certificate.names_itself() {
            let issuers = related.iter().copied().filter(|it| top.certificate.names_issuer(&it.certificate));
            let fresh = issuers.filter(|it| !steps.iter().any(|step| std::ptr::eq(*step, *it)));
            let Some(issuer) = fresh.max_by_key(|it| it.certificate.not_after) else { break };
            steps.push(issuer);
            top = issuer;
        }
        Self { steps, related }
    }

    pub(crate) fn server(&self) -> &'a Located {
        self.related[0]
    }

    /// Returns the last certificate that the file has on the way up.
    pub(super) fn top(&self) -> &'a Located {
        self.steps.last().copied().unwrap_or_else(|| self.server())
    }

    /// Returns the authorities between the subject's own certificate and the root, nearest first.
    pub(crate) fn intermediates(&self) -> impl Iterator<Item = &'a Located> {
        self.steps.iter().skip(1).copied().filter(|it| !it.certificate.names_itself())
    }

    /// Returns whether some way up leads over this certificate, which is not the subject's own.
    pub(crate) fn has_above(&self, at: &Located) -> bool {
        self.related.iter().skip(1).any(|it| std::ptr::eq(*it, at))
    }
}

fn related<'a>(server: &'a Located, chain: &'a [Located]) -> Vec<&'a Located> {
    let mut related = vec![server];
    let mut at = 0;
    while let Some(below) = related.get(at).copied() {
        at += 1;
        if below.certificate.names_itself() {
            continue;
        }
        for above in chain {
            if below.certificate.names_issuer(&above.certificate)
                && !related.iter().any(|known| known.certificate.der == above.certificate.der)
            {
                related.push(above);
            }
        }
    }
    related
}
