//! What a report is made of.

use std::path::Path;

use crate::cert::MaterialError;
use crate::lint::{Findings, Severity, Subject};

/// What a report is made of.
#[derive(Debug)]
pub struct Report<'a> {
    pub subjects: &'a [Subject],
    pub findings: &'a Findings,
    /// What could not be read.
    pub unreadable: &'a [MaterialError],
    /// The names that clients connect to.
    pub hostnames: &'a [String],
    /// Whether any names were looked for.
    pub names_checked: bool,
    /// How to have names looked for, if they were not and can be.
    pub names_help: Option<&'a str>,
    /// The least severity that fails a build; none fails on nothing.
    pub fail_on: Option<Severity>,
    /// The folder that build servers know files below.
    pub folder: &'a Path,
    /// Seconds since 1970.
    pub now: i64,
}
