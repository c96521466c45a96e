//! Requests that a process of pronk passes on to one that drains: how the other one tells them from those of a user.

use axum::http::{HeaderMap, HeaderName};

use crate::access::Role;

/// The header of a request that is passed on; its value is the role of who asks. It counts only where the process at
/// the other end runs as the same user.
pub(super) const FORWARDED: HeaderName = HeaderName::from_static("pronk-forwarded-for-role");

/// Returns whether a request says that it is passed on.
pub(super) fn says_so(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
}

/// Returns the role for which a process of this user passes a request on, if it does.
pub(super) fn role(headers: &HeaderMap, uid: Option<u32>) -> Option<Role> {
    let own = rustix::process::geteuid().as_raw();
    Role::parse(headers.get(FORWARDED)?.to_str().ok()?).filter(|_| uid == Some(own))
}
