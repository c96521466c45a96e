//! Drains that are not over, in a line each.

use super::waiting::{connections, span};
use crate::admin::drains::{ListedDrain, PendingDrain};

/// Returns what is drained, what is left, and what becomes of that.
pub(super) fn line(drain: &ListedDrain) -> String {
    let ListedDrain { kind, name, pending: PendingDrain { deadline_in, idle_for, who, .. }, left } = drain;
    let times = match left.connections {
        0 => String::new(),
        _ => format!(", the oldest {} old, the longest idle {}", span(left.oldest), span(left.longest_idle)),
    };
    let idle = idle_for.map(|seconds| format!("; each ends once it is idle for {}", span(seconds as f64)));
    let deadline = deadline_in.map(|seconds| format!("; all end in {}", span(seconds)));
    let [idle, deadline] = [idle, deadline].map(Option::unwrap_or_default);
    format!("{kind} {name}  drained by {who}: {} left{times}{idle}{deadline}", connections(left.connections))
}
