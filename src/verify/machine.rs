//! This machine: the limit on open files, IPv6.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::check::Check;
use super::scope::Scope;
use crate::model::Pool;

pub(super) fn verify(scope: &Scope) -> Vec<Check> {
    let running = scope.running.as_ref().ok().map(|running| running.pid);
    let limit = match running.and_then(limit_of) {
        Some(limit) => limit,
        // pronk raises its limit to the hard one.
        None => getrlimit(Resource::Nofile).maximum,
    };
    let mut checks = vec![judge_limit(limit, connections(scope), running.is_some())];
    let wants_ipv6 = scope.virtual_servers.iter().any(|it| it.destination.is_ipv6());
    if wants_ipv6 && !Path::new("/proc/net/if_inet6").exists() {
        checks.push(Check::failed(
            "no-ipv6",
            "IPv6",
            "a destination is an IPv6 address, and this system has no IPv6",
            "turn IPv6 on (net.ipv6.conf.all.disable_ipv6=0), or write an IPv4 destination",
        ));
    }
    checks
}

/// Returns how many connections the members of the pools take at once.
fn connections(scope: &Scope) -> u64 {
    let of_pool = |pool: &Pool| -> u64 {
        pool.members.iter().map(|member| u64::from(member.connection_limit.unwrap_or(SERVICE_THREADS))).sum()
    };
    scope.pools().values().map(|pool| of_pool(pool)).sum()
}

/// Returns the limit on open files of a process: `None` is not known, and `Some(None)` is without end.
fn limit_of(pid: u32) -> Option<Option<u64>> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(None) } else { Some(Some(soft.parse().ok()?)) }
}

/// Judges a limit on open files for as many connections. Each takes two, beside pronk's own.
fn judge_limit(limit: Option<u64>, connections: u64, is_running: bool) -> Check {
    let about = "limit on open files";
    let (needed, whose) = (2 * connections + OWN, if is_running { "the running pronk's" } else { "a process's here" });
    match limit {
        Some(limit) if limit < needed => Check::failed(
            "few-descriptors",
            about,
            format!(
                "{whose} is {limit}, enough for {} connections, and the members take {connections} at once",
                limit.saturating_sub(OWN) / 2
            ),
            "set LimitNOFILE=1048576 in pronk's unit, or raise the hard limit (ulimit -Hn) before you start it",
        ),
        Some(limit) => Check::ok("few-descriptors", about, format!("{whose} is {limit}")),
        None => Check::ok("few-descriptors", about, "there is none"),
    }
}

/// Of an impalad, unless `--fe_service_threads` says otherwise.
const SERVICE_THREADS: u32 = 64;
/// Descriptors for listeners, monitors, files and the admin socket.
const OWN: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    #[test]
    fn limit_must_do_for_all_connections_that_members_take() {
        let outcome = |limit, connections| judge_limit(limit, connections, false).outcome;
        assert_eq!(outcome(Some(1024), 64), Outcome::Ok);
        assert_eq!(outcome(Some(1024), 1000), Outcome::Failed);
        assert_eq!(outcome(None, 1_000_000), Outcome::Ok);
        assert!(judge_limit(Some(300), 64, true).message.contains("enough for 22 connections"));
    }
}
