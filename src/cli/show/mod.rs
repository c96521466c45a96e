//! `pronk show`: the map, the statistics and the certificates of a running pronk.

mod certificates;
mod connections;

use std::process::ExitCode;

use super::admin_client::AdminSocket;
use super::pending;
use crate::admin::network_map::{Map, MapDraining, MapPredecessor, MapProcess, MapStatus, MapUnresolved};
use crate::admin::statistics::{StatisticsRow, Stats};
use crate::cli::screen::{out, outln};
use crate::inventory::Snapshot;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Virtual servers, their pools and members, each with its status and the reason.
    #[command(after_help = "Example:\n  pronk show map")]
    Map(Args),
    /// Bits, packets and connections of virtual servers, pools and members, and why connections were closed.
    #[command(after_help = "Example:\n  pronk show stats --json")]
    Stats(Args),
    /// Certificates in use: what they are for, when they end, which names they miss, what is wrong with them.
    #[command(after_help = "Example:\n  pronk show certificates")]
    Certificates(Args),
    /// Open connections: client, member, local port toward it, TLS, bytes, age, idle time, phase; or who holds them.
    #[command(
        after_help = "Example:\n  pronk show connections --member impalad-1:21050 --sort idle\n  pronk show connections --top"
    )]
    Connections(connections::Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminSocket,
}

impl Command {
    pub(super) fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Connections(args) => return args.execute(),
            Self::Map(args) => {
                let map: Map = args.admin.get("/v1/map")?;
                if args.json {
                    outln!("{}", serde_json::to_string_pretty(&map)?)?;
                } else {
                    out!("{}", map_text(&map))?;
                }
            }
            Self::Stats(args) => {
                let stats: Stats = args.admin.get("/v1/stats")?;
                if args.json {
                    outln!("{}", serde_json::to_string_pretty(&stats)?)?;
                } else {
                    out!("{}", stats_text(&stats))?;
                }
            }
            Self::Certificates(args) => {
                let snapshot: Snapshot = args.admin.get("/v1/certificates")?;
                if args.json {
                    outln!("{}", serde_json::to_string_pretty(&snapshot)?)?;
                } else {
                    out!("{}", certificates::table(&snapshot))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn map_text(map: &Map) -> String {
    let MapProcess { version, pid, phase, restarts, log_lines_lost, loading_seconds, predecessors } = &map.process;
    let mut text = format!("pronk {version}, process {pid}: {phase}\n");
    for MapPredecessor { pid, version, connections, seconds_left } in predecessors {
        let connections = connections.map_or_else(|| "some".to_owned(), |count| count.to_string());
        let until = seconds_left.map(|seconds| format!(", for {seconds} s at most")).unwrap_or_default();
        text +=
            &format!("pronk {version}, process {pid}, has handed over and drains {connections} connections{until}\n");
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
        let pool = &server.pool;
        let queued = if pool.queued > 0 { format!("; {} connections wait", pool.queued) } else { String::new() };
        text += &format!(
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
    }
    for MapDraining { pool, member, connections, action } in &map.draining {
        let action = match action {
            Some((action, seconds)) => format!("; in {seconds} s service-down-action {action} is taken"),
            None => String::new(),
        };
        text += &format!("▲ {member} of {pool}  removed by a reload; {connections} connections drain{action}\n");
    }
    for drain in &map.drains {
        text += &format!("▲ {}\n", pending::line(drain));
    }
    for MapUnresolved { node, fqdn, since, reason, addresses } in &map.unresolved {
        let known = match &addresses[..] {
            [] => "no address of it is known".to_owned(),
            addresses => format!("its last addresses stay in use, and may be stale: {}", addresses.join(", ")),
        };
        text += &format!("▲ node {node}  {fqdn} does not resolve since {since}: {reason}; {known}\n");
    }
    text
}

/// Returns an LTM's shapes: circle, triangle, diamond, square; hollow when disabled.
fn shape(status: &MapStatus) -> char {
    let shapes = match status.availability.as_str() {
        "available" => ['●', '○'],
        "unavailable" => ['▲', '△'],
        "offline" => ['◆', '◇'],
        _ => ['■', '□'],
    };
    shapes[usize::from(status.state != "enabled")]
}

fn stats_text(stats: &Stats) -> String {
    let mut text = format!(
        "{:<36} {:>15} {:>15} {:>23}\n{:<36} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}\n",
        "", "Bits", "Packets", "Connections", "", "In", "Out", "In", "Out", "Current", "Maximum", "Total"
    );
    let mut line = |indent: &str, row: &StatisticsRow| {
        let name = format!("{indent}{}", row.name);
        text += &format!(
            "{name:<36} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}\n",
            short(row.bits_in),
            short(row.bits_out),
            short(row.packets_in),
            short(row.packets_out),
            row.connections.current,
            row.connections.maximum,
            row.connections.total
        );
    };
    stats.virtual_servers.iter().for_each(|row| line("", row));
    for pool in &stats.pools {
        line("", &pool.row);
        pool.members.iter().for_each(|row| line("-- ", row));
    }
    let closed: Vec<_> = stats.virtual_servers.iter().filter(|row| !row.closes.is_empty()).collect();
    if !closed.is_empty() {
        text += "\nClosed connections, by close code\n";
    }
    for row in closed {
        let codes: Vec<_> = row.closes.iter().map(|(code, count)| format!("{code} {}", short(*count))).collect();
        text += &format!("{:<36} {}\n", row.name, codes.join(", "));
    }
    text
}

/// 187100 as `187.1K`.
fn short(number: u64) -> String {
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "K")];
    match units.iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{:.1}{unit}", number as f64 / *size as f64),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_normalized_as_in_the_guide() {
        assert_eq!([short(896), short(15_600), short(753_600), short(2_500_000)], ["896", "15.6K", "753.6K", "2.5M"]);
    }
}
