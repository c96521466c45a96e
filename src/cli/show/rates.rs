//! Statistics per second: what two readings differ by.

use crate::admin::statistics::{PoolStatistics, StatisticsRow, Stats};

/// Returns the second reading with rates in place of totals, by the seconds between both. What is new, or was reset in between,
/// has the rates of what it counted since.
pub(super) fn rates(before: &Stats, after: &Stats, seconds: f64) -> Stats {
    let rate_of = |before: Option<&StatisticsRow>, row: &StatisticsRow| {
        let before = before.filter(|before| before.since == row.since);
        let rate = |count: fn(&StatisticsRow) -> u64| {
            let grown = count(row).saturating_sub(before.map_or(0, count));
            (grown as f64 / seconds).round() as u64
        };
        let mut rated = row.clone();
        rated.bits_in = rate(|it| it.bits_in);
        rated.bits_out = rate(|it| it.bits_out);
        rated.packets_in = rate(|it| it.packets_in);
        rated.packets_out = rate(|it| it.packets_out);
        rated.connections.total = rate(|it| it.connections.total);
        rated
    };
    let find = |rows: &'_ [StatisticsRow], row: &StatisticsRow| rows.iter().position(|it| it.name == row.name);
    let virtual_servers = after.virtual_servers.iter().map(|row| {
        let at = find(&before.virtual_servers, row);
        rate_of(at.map(|at| &before.virtual_servers[at]), row)
    });
    let pools = after.pools.iter().map(|pool| {
        let known = before.pools.iter().find(|it| it.row.name == pool.row.name);
        let members = pool.members.iter().map(|row| {
            let at = known.and_then(|known| find(&known.members, row));
            rate_of(known.zip(at).map(|(known, at)| &known.members[at]), row)
        });
        PoolStatistics { members: members.collect(), row: rate_of(known.map(|known| &known.row), &pool.row) }
    });
    Stats { started: after.started.clone(), virtual_servers: virtual_servers.collect(), pools: pools.collect() }
}
