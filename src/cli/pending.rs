//! What is not over, in a line each: drains, and what processes say that drain after an upgrade.

use super::waiting::{connections, span};
use crate::admin::answers::AskedProcess;
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

/// Returns how many of some connections each process has that drains after an upgrade, with `; ` before it.
pub(super) fn shares(processes: &[AskedProcess]) -> String {
    let share = |process: &AskedProcess| match process {
        AskedProcess { pid, connections: Some(count @ 1..), error: None } => {
            Some(format!("{count} of them in process {pid}"))
        }
        _ => None,
    };
    let shares: Vec<_> = processes.iter().filter_map(share).collect();
    if shares.is_empty() { String::new() } else { format!("; {}", shares.join(", ")) }
}

/// Returns a line for each process that drains after an upgrade and has not done what was asked.
pub(super) fn unreached(processes: &[AskedProcess]) -> Vec<String> {
    let line = |process: &AskedProcess| {
        let AskedProcess { pid, connections, error } = process;
        let had = connections.map_or_else(String::new, |count| format!("; it had {count} connections in all"));
        Some(format!("process {pid}, which drains, is left out: {}{had}", error.as_ref()?))
    };
    processes.iter().filter_map(line).collect()
}
