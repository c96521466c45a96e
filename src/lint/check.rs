//! A check: something that the linter looks for, and the family that it belongs to.

use super::Severity;
use super::clients::Why;

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
    /// The clients that are affected.
    pub clients: Clients,
    /// What to know about it, in paragraphs of Markdown.
    pub explanation: &'static str,
    /// What to do, in one line.
    pub remedy: &'static str,
}

/// The clients that a check is about.
#[derive(Clone, Copy, Debug)]
pub enum Clients {
    /// Those that refuse a chain for one of these reasons: the model of clients finds them for each finding.
    Judged(&'static [Why]),
    /// Those that something happens to which no client's verifier judges, in words.
    Told(&'static str),
}

impl Clients {
    /// Returns what can be said without a chain.
    pub fn words(self) -> &'static str {
        match self {
            Self::Judged([]) => "every client takes it",
            Self::Judged(_) => "each finding says which clients refuse the chain for it",
            Self::Told(words) => words,
        }
    }

    /// Returns whether a refusal for this reason is what the check is about.
    pub fn include(self, why: Why) -> bool {
        matches!(self, Self::Judged(reasons) if reasons.contains(&why))
    }
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
    Peers,
    Cluster,
    Live,
}

impl Family {
    /// Returns the name as a heading.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Names => "Names",
            Self::Validity => "Validity",
            Self::Usage => "Usage",
            Self::Authorities => "Authorities",
            Self::Keys => "Keys and signatures",
            Self::Chain => "Chain",
            Self::Peers => "Peers' authorities and revocation lists",
            Self::Cluster => "Cluster",
            Self::Live => "Live ports",
        }
    }
}
