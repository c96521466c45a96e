//! How many authorities an authority allows below it.

use super::checks::PATH_LENGTH_EXCEEDED;
use super::path::Path;
use crate::cert::{Certificate, Field};
use crate::lint::{Finding, Located};

/// Returns the finding for an error about the path length.
pub(super) fn exceeded(path: &Path<'_>) -> Finding {
    let exceeded = path.intermediates().enumerate().find_map(|(below, at)| {
        let allowed = allowed_below(&at.certificate).filter(|allowed| below > *allowed)?;
        Some((at, allowed, below))
    });
    match exceeded {
        Some((at, allowed, below)) => too_many_below(at, &at.certificate, allowed, below)
            .field(Field::BasicConstraints)
            .span(format!("pathlen:{allowed}")),
        None => {
            let message = "an authority has more authorities below it than it allows".to_owned();
            about(path.top(), Field::BasicConstraints, message)
                .observed(format!("a chain of {} certificates", path.steps.len()))
        }
    }
}

/// Checks how many authorities a trusted root allows below it, which rustls does not look at.
pub(super) fn exceeded_at_root(path: &Path<'_>, root: &Certificate) -> Option<Finding> {
    let below: Vec<_> = path.intermediates().collect();
    let at = below.last()?;
    let allowed = allowed_below(root).filter(|allowed| below.len() > *allowed)?;
    let leads_there = at.certificate.issuer_der() == root.subject_der();
    leads_there.then(|| too_many_below(at, root, allowed, below.len()))
}

fn allowed_below(authority: &Certificate) -> Option<usize> {
    authority.basic_constraints.and_then(|it| it.path_len).and_then(|allowed| allowed.try_into().ok())
}

fn too_many_below(at: &Located, authority: &Certificate, allowed: usize, below: usize) -> Finding {
    let authorities = |count: usize| if count == 1 { "1 authority".into() } else { format!("{count} authorities") };
    let message = format!("{} allows {} below it, and has {below}", authority.title(), authorities(allowed));
    about(at, Field::Issuer, message)
        .observed(format!("{} below it", authorities(below)))
        .expected(format!("{} at most", authorities(allowed)))
}

fn about(at: &Located, field: Field, message: String) -> Finding {
    Finding::new(&PATH_LENGTH_EXCEEDED, at, message).field(field).expected("a chain that verifies")
}
