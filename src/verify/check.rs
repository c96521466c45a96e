//! One check and its outcome.

use serde::Serialize;

use crate::words::shown;

/// What is verified together, in the order in which it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Machine,
    Names,
    Ports,
    Members,
    FrontEnds,
    Certificates,
    Logins,
    Kerberos,
}

impl Step {
    /// Returns what it is about, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Machine => "this machine",
            Self::Names => "names that clients use",
            Self::Ports => "destinations",
            Self::Members => "members, each directly",
            Self::FrontEnds => "virtual servers, as clients reach them",
            Self::Certificates => "certificates, as they are shown",
            Self::Logins => "logins",
            Self::Kerberos => "Kerberos",
        }
    }
}

/// What came of a check, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Ok,
    /// It could not be done, and that is no fault.
    Skipped,
    Warning,
    Failed,
}

/// A check: what it is about, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable word for programs.
    pub id: &'static str,
    /// The virtual server, the member, the name or whatever else was checked.
    pub about: String,
    pub outcome: Outcome,
    pub message: String,
    /// What to do, unless all is well.
    pub remedy: Option<String>,
}

impl Check {
    pub(super) fn ok(id: &'static str, about: impl ToString, message: impl Into<String>) -> Self {
        let (about, message) = (shown(&about.to_string()), shown(&message.into()));
        Self { id, about, outcome: Outcome::Ok, message, remedy: None }
    }

    pub(super) fn failed(
        id: &'static str,
        about: impl ToString,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Failed, remedy: Some(shown(&remedy.into())), ..Self::ok(id, about, message) }
    }

    pub(super) fn warning(
        id: &'static str,
        about: impl ToString,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Warning, ..Self::failed(id, about, message, remedy) }
    }

    pub(super) fn skipped(
        id: &'static str,
        about: impl ToString,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::failed(id, about, message, remedy) }
    }
}
