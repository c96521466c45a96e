//! `pronk show map` for people.

use std::collections::HashMap;
use std::sync::Arc;

use super::status::Symbols;
use crate::admin::network_map::{Map, MapDraining, MapPool, MapPredecessor, MapProcess, MapStatus, MapUnresolved};
use crate::cli::pending;

pub(super) fn text(map: &Map, symbols: Symbols) -> String {
    let mut text = process(&map.process);
    let shape = |status: &MapStatus| symbols.of(&status.availability, &status.state);
    // Many virtual servers may share a large one.
    let mut pools = HashMap::new();
    for server in &map.virtual_servers {
        let hostname = server.hostname.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
        text += &format!(
            "{} {}  {}{hostname}, {}: {}\n",
            shape(&server.status),
            server.name,
            server.destination,
            server.mode,
            server.status.reason
        );
        text += pools.entry(Arc::as_ptr(&server.pool)).or_insert_with(|| pool_text(&server.pool, &shape));
    }
    let attention = symbols.of("unavailable", "enabled");
    for MapDraining { pool, member, connections, action } in &map.draining {
        let action = match action {
            Some((action, seconds)) => format!("; in {seconds} s service-down-action {action} is taken"),
            None => String::new(),
        };
        text +=
            &format!("{attention} {member} of {pool}  removed by a reload; {connections} connections drain{action}\n");
    }
    for drain in &map.drains {
        text += &format!("{attention} {}\n", pending::line(drain));
    }
    for MapUnresolved { node, fqdn, since, reason, addresses } in &map.unresolved {
        let known = match &addresses[..] {
            [] => "no address of it is known".to_owned(),
            addresses => format!("its last addresses stay in use, and may be stale: {}", addresses.join(", ")),
        };
        text += &format!("{attention} node {node}  {fqdn} does not resolve since {since}: {reason}; {known}\n");
    }
    text + &symbols.legend() + "\n"
}

/// Returns the lines of a pool and its members.
fn pool_text(pool: &MapPool, shape: &impl Fn(&MapStatus) -> String) -> String {
    let queued = if pool.queued > 0 { format!("; {} connections wait", pool.queued) } else { String::new() };
    let mut text = format!(
        "  {} {}  {}: {}{queued}\n",
        shape(&pool.status),
        pool.name,
        pool.load_balancing_mode,
        pool.status.reason
    );
    for member in &pool.members {
        text += &format!(
            "    {} {}{}  {}: {}\n",
            shape(&member.status),
            member.name,
            if member.discovered { " (discovered)" } else { "" },
            member.status.availability,
            member.status.reason
        );
    }
    text
}

/// Says how pronk itself does: first that it drains, if so.
fn process(process: &MapProcess) -> String {
    let MapProcess { version, pid, phase, restarts, log_lines_lost, loading_seconds, predecessors } = process;
    let mut text = String::new();
    if phase == "draining" {
        text += "pronk was told to stop: it takes no new connections, and ends when those that are open have ended\n";
    }
    text += &format!("pronk {version}, process {pid}: {phase}\n");
    for MapPredecessor { pid, version, connections, seconds_left, silent_for } in predecessors {
        let connections = connections.map_or_else(|| "some".to_owned(), |count| count.to_string());
        let until = seconds_left.map(|seconds| format!(", for {seconds} s at most")).unwrap_or_default();
        let silent = silent_for.map(|seconds| format!("; it hangs: nothing was heard of it for {seconds} s"));
        let silent = silent.unwrap_or_default();
        text += &format!(
            "pronk {version}, process {pid}, has handed over and drains {connections} connections{until}{silent}\n"
        );
    }
    if let Some(seconds @ 2..) = loading_seconds {
        text += &format!("a configuration has been prepared for {seconds} s\n");
    }
    if *log_lines_lost > 0 {
        text += &format!(
            "the log has lost {log_lines_lost} lines since the start: nobody read it, or it could not be written\n"
        );
    }
    if *restarts > 0 {
        text +=
            &format!("tasks of its control plane panicked and were started again {restarts} times; its log says why\n");
    }
    text
}
