//! What all profiles have.

use super::key::Key;
use super::section::AnyKey;
use super::setting::Setting;
use super::typed::{ParentName, TypeWord};
use crate::config::fields::Fields;
use crate::model::profile::Profiles;

/// Reads a profile, notes what does not fit together in it, and adds it to the others of its type.
pub(in crate::config) type ReadProfile = fn(&Fields<'_>, &mut Profiles);

/// Adds the keys that every profile has.
pub(super) fn list_common(keys: &mut Vec<&'static dyn AnyKey>) {
    const { &Key::new("type", TypeWord(WORDS), "The kind of profile; by default its parent's.") }.list(keys);
    const {
        &Key::new(
            "defaults-from",
            ParentName("profile"),
            "The profile that gives every key not set here; by default the built-in one of the type.",
        )
    }
    .list(keys);
}

/// The words of all types.
pub(super) const WORDS: &[&str] = &["client-ssl", "server-ssl", "tcp", "fastL4", "source-addr", "hash"];
