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
    /// Those that refuse a chain once a certificate has ended: the model of clients finds them, asked for that time.
    Later,
    /// Those that do not find a name: the model of clients finds them, asked for that name.
    Asked,
    /// Those that a port does not agree with on a version and a cipher suite: it is asked with what they offer.
    Offered,
    /// None: no verifier has a rule about it.
    Unminded,
    /// Whom it concerns, where no client's verdict is in question. The words say nothing of who accepts or refuses.
    Concerns(&'static str),
}

impl Clients {
    /// Returns what can be said without a chain.
    pub fn words(self) -> &'static str {
        match self {
            Self::Judged(_) => "each finding says which clients refuse the chain for it",
            Self::Later => "each finding says which clients refuse the chain from then on",
            Self::Asked => "each finding says which clients do not find the name",
            Self::Offered => "each finding says which clients the port does not agree with",
            Self::Unminded => "no client minds it",
            Self::Concerns(words) => words,
        }
    }

    /// Returns what a finding says before clients are asked.
    pub(super) fn before_judgement(self) -> &'static str {
        match self {
            Self::Judged(_) | Self::Later | Self::Asked | Self::Offered => {
                "not judged: no chain of a server leads over it here"
            }
            Self::Unminded | Self::Concerns(_) => self.words(),
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
