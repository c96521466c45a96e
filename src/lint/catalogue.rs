use super::{Severity, authorities, chain, cluster, keys, live, names, usage, validity};

/// Something that the linter looks for.
#[derive(Debug)]
pub struct Check {
    /// Stable, in kebab-case.
    pub id: &'static str,
    pub family: Family,
    /// Unless what the certificate is for makes it graver, or the levels say otherwise.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub title: &'static str,
    /// The rule: an RFC with its section, or the client that has it.
    pub basis: &'static str,
    /// The clients that are affected, and how.
    pub clients: &'static str,
    /// What to know about it, in paragraphs of Markdown.
    pub explanation: &'static str,
    /// What to do, in one line.
    pub remedy: &'static str,
}

/// Which file of the linter has a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Names,
    Validity,
    Usage,
    Authorities,
    Keys,
    Chain,
    Cluster,
    Live,
}

impl Family {
    /// As a heading.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Names => "Names",
            Self::Validity => "Validity",
            Self::Usage => "Usage",
            Self::Authorities => "Authorities",
            Self::Keys => "Keys and signatures",
            Self::Chain => "Chain",
            Self::Cluster => "Cluster",
            Self::Live => "Live ports",
        }
    }
}

/// Every check, by family.
pub fn catalogue() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().copied().flatten().copied()
}

/// The check with this id.
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
    cluster::CHECKS,
    live::CHECKS,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn checks_are_well_described() {
        let mut ids = HashSet::new();
        for check in catalogue() {
            let id = check.id;
            assert!(ids.insert(id), "{id} stands twice");
            assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
            for text in [check.title, check.basis, check.clients, check.explanation, check.remedy] {
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
