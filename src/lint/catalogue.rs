//! All checks of all families.

use super::{Check, authorities, chain, cluster, keys, live_ports, names, peer_checks, usage, validity};

/// Returns every check, by family.
pub fn catalogue() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().copied().flatten().copied()
}

/// Returns the check with this id.
pub fn check(id: &str) -> Option<&'static Check> {
    catalogue().find(|check| check.id == id)
}

static FAMILIES: &[&[&Check]] = &[
    names::CHECKS,
    validity::CHECKS,
    usage::CHECKS,
    authorities::CHECKS,
    keys::CHECKS,
    chain::CHECKS,
    peer_checks::CHECKS,
    cluster::CHECKS,
    live_ports::CHECKS,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::lint::Clients;
    use crate::lint::clients::Why;

    #[test]
    fn every_reason_for_a_refusal_is_what_some_check_is_about() {
        let told = |why: &Why| catalogue().any(|check| check.clients.include(*why));
        let missing: Vec<_> = Why::ALL.iter().filter(|why| why.is_refusal() && !told(why)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn what_no_client_was_asked_about_says_nothing_of_who_accepts_or_refuses() {
        for check in catalogue() {
            let Clients::Concerns(words) = check.clients else { continue };
            let verdict =
                ["accept", "refuse", "take", "mind", "ignore", "notice"].iter().find(|it| words.contains(**it));
            assert!(verdict.is_none(), "{}: {words}", check.id);
        }
    }

    #[test]
    fn checks_are_well_described() {
        let mut ids = HashSet::new();
        for check in catalogue() {
            let id = check.id;
            assert!(ids.insert(id), "{id} stands twice");
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
            for text in [check.title, check.basis, check.clients.words(), check.explanation, check.remedy] {
                assert!(!text.is_empty(), "{id} says too little");
            }
            assert!(
                !check.title.ends_with('.') && !check.title.starts_with(char::is_uppercase),
                "{id}: {}",
                check.title
            );
            assert!(check.explanation.ends_with('.'), "{id}");
        }
    }
}
