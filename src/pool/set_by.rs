//! Who set something while pronk runs, in words.

use std::sync::Arc;

use crate::cert::date::instant;
use crate::model::SetBy;

/// Returns words that follow a state, such as ` (set by root at 2027-02-03T04:05:06Z: disk is replaced)`; empty if the
/// state is the file's.
pub fn set_by_in_words(set_by: Option<&Arc<SetBy>>) -> String {
    let Some(SetBy { who, when, why, .. }) = set_by.map(Arc::as_ref) else { return String::new() };
    let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!(" (set by {who} at {}{why})", instant(*when))
}
