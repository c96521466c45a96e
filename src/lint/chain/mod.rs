//! The chain: is it in the file as it should be, does it lead to a trusted authority, and which rules do the paths break
//! that clients take?
//!
//! Without anything to trust at all ([`Trust::anchors`](super::Trust) empty and not given by the user) unknown issuers
//! are not reported: every certificate would have one.

mod broken_rule;
mod checks;
mod lint;
mod order;
mod path;
mod revocation;
mod unknown_issuer;

pub(super) use broken_rule::{lint as broken_rules, of_authority as broken_rules_of_authority};
pub(super) use checks::CHECKS;
pub(super) use lint::lint;
pub(super) use path::Path;
