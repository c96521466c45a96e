//! The keys of a check of certificates.

use super::declare::settings;
use super::key::Key;
use super::kind::{Day, Line, Optional, Words};
use super::section::Section;
use super::setting::Setting;
use crate::model::{Level, LintLevel};

pub(in crate::config) const LINT: Section = Section {
    name: "lint check",
    doc: "The level of the findings of one check of certificates, in `pronk lint --config` and while pronk runs. \
          `pronk lint --list-checks` lists the ids.",
    list: |keys| const { &LintKeys }.list(keys),
};

settings!(
    LintKeys = LintLevel {
        level: Key::new(
            "level",
            Words { all: &Level::ALL, word: Level::as_str },
            "`allow` hides findings, `warn` makes them warnings, `deny` makes them errors.",
        )
        .required(),
        reason: Key::new("reason", Optional(Line), "The reason, for people; `allow` needs one."),
        until: Key::new("until", Optional(Day), "The first day (UTC) on which this no longer applies."),
    }
);
