//! `pronk show stats` for people: a table as an LTM's module statistics are.

use unicode_width::UnicodeWidthStr;

use super::status::Symbols;
use crate::admin::statistics::{StatisticsRow, Stats};

/// How the table is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) symbols: Symbols,
    /// The columns of the terminal, if it goes to one.
    pub(super) columns: Option<usize>,
    /// Whether figures are per second.
    pub(super) rates: bool,
}

/// Keeps what has `text` in its name, in any case: of pools that have it all members, of others those that have it.
pub(super) fn search(stats: &mut Stats, text: &str) {
    let text = text.to_lowercase();
    let has_it = |row: &StatisticsRow| row.name.to_lowercase().contains(&text);
    stats.virtual_servers.retain(has_it);
    stats.pools.retain_mut(|pool| {
        if has_it(&pool.row) {
            return true;
        }
        pool.members.retain(has_it);
        !pool.members.is_empty()
    });
}

pub(super) fn text(stats: &Stats, layout: Layout) -> String {
    let rows: Vec<(&str, &StatisticsRow)> = rows(stats).collect();
    if rows.is_empty() {
        return "nothing of that name\n".to_owned();
    }
    let cells: Vec<_> = rows.iter().map(|(_, row)| figures(row)).collect();
    let heads = if layout.rates { RATES } else { TOTALS };
    let widths = widths(&cells, &heads);
    let is_reset = |(_, row): &(&str, &StatisticsRow)| row.since.is_some();
    // A reset of all is told above the table, and others in a column of their own.
    let (all_reset, any_reset) = (all_since(&rows), rows.iter().any(is_reset));
    let since_width = if any_reset && all_reset.is_none() { GAP + SINCE.len().max(INSTANT) } else { 0 };
    let figures_width: usize = widths.iter().map(|width| GAP + width).sum();
    let name_width = rows.iter().map(|(indent, row)| indent.width() + row.name.width()).max().unwrap_or(0);
    let room = layout.columns.map(|all| all.saturating_sub(STATUS.len() + 1 + figures_width + since_width));
    let name_width = name_width.max(NAME.len()).min(room.unwrap_or(usize::MAX).max(NARROWEST));

    let since = all_reset.unwrap_or(&stats.started);
    let why = if any_reset && all_reset.is_some() { "the last reset" } else { "the start of pronk" };
    let mut text = format!("{} {why}, {since}\n", if layout.rates { "Per second; maximum since" } else { "Since" });
    let mut groups = " ".repeat(STATUS.len() + 1 + name_width);
    for (group, columns) in heads.groups.iter().zip(GROUPS) {
        groups += &format!("{group:>0$}", group_width(&widths[columns.0..columns.1]));
    }
    text += groups.trim_end();
    let head = heads.columns.iter().zip(widths).map(|(head, width)| format!("  {head:>width$}"));
    text += &format!("\n{STATUS} {NAME:<name_width$}{}", head.collect::<String>());
    text += if since_width > 0 { "  Since\n" } else { "\n" };
    for ((indent, row), cells) in rows.iter().zip(&cells) {
        let figures = cells.iter().zip(widths).map(|(cell, width)| format!("  {cell:>width$}"));
        let symbol = layout.symbols.of(&row.availability, &row.state);
        let name = fitted(&format!("{indent}{}", row.name), name_width);
        let since =
            if since_width > 0 { format!("  {}", row.since.as_deref().unwrap_or_default()) } else { String::new() };
        let line = format!("{symbol}      {name}{}{since}", figures.collect::<String>());
        text += line.trim_end();
        text.push('\n');
    }
    if rows.iter().any(|(_, row)| row.connections.elsewhere > 0) {
        text += "+N are connections of processes that drain after an upgrade; they count toward limits\n";
    }
    if !layout.rates {
        text += &closes(stats);
    }
    text
}

/// Returns how wide the columns of figures are: as what is in them, and so that the names of their groups have room.
fn widths(cells: &[[String; FIGURES]], heads: &Heads) -> [usize; FIGURES] {
    let mut widths: [usize; FIGURES] = std::array::from_fn(|column| {
        let widest = cells.iter().map(|row| row[column].len()).max().unwrap_or(0);
        widest.max(heads.columns[column].len())
    });
    for (group, (first, end)) in heads.groups.iter().zip(GROUPS) {
        widths[first] += (GAP + group.len()).saturating_sub(group_width(&widths[first..end]));
    }
    widths
}

/// Returns how wide these columns are together, with the gaps before them.
fn group_width(widths: &[usize]) -> usize {
    widths.iter().map(|width| GAP + width).sum()
}

/// Returns the rows of the table, each with its indent.
fn rows(stats: &Stats) -> impl Iterator<Item = (&'static str, &StatisticsRow)> {
    let servers = stats.virtual_servers.iter().map(|row| ("", row));
    let pools = stats
        .pools
        .iter()
        .flat_map(|pool| std::iter::once(("", &pool.row)).chain(pool.members.iter().map(|member| ("-- ", member))));
    servers.chain(pools)
}

/// Returns when all of them were reset, if that was at once.
fn all_since<'a>(rows: &[(&str, &'a StatisticsRow)]) -> Option<&'a String> {
    let first = rows.first()?.1.since.as_ref()?;
    rows.iter().all(|(_, row)| row.since.as_ref() == Some(first)).then_some(first)
}

fn figures(row: &StatisticsRow) -> [String; FIGURES] {
    let connections = &row.connections;
    [
        short(row.bits_in),
        short(row.bits_out),
        short(row.packets_in),
        short(row.packets_out),
        match connections.elsewhere {
            0 => connections.current.to_string(),
            elsewhere => format!("{}+{elsewhere}", connections.current),
        },
        connections.maximum.to_string(),
        connections.total.to_string(),
    ]
}

fn closes(stats: &Stats) -> String {
    let closed: Vec<_> = stats.virtual_servers.iter().filter(|row| !row.closes.is_empty()).collect();
    let mut text = String::new();
    if !closed.is_empty() {
        text += "\nClosed connections, by close code\n";
    }
    let width = closed.iter().map(|row| row.name.width()).max().unwrap_or(0);
    for row in closed {
        let codes: Vec<_> = row.closes.iter().map(|(code, count)| format!("{code} {}", short(*count))).collect();
        text += &format!("{}  {}\n", fitted(&row.name, width), codes.join(", "));
    }
    text
}

/// Returns a name that is as wide, cut or filled up.
fn fitted(name: &str, width: usize) -> String {
    if name.width() <= width {
        return format!("{name}{}", " ".repeat(width - name.width()));
    }
    let mut kept = String::new();
    for letter in name.chars() {
        if kept.width() + UnicodeWidthStr::width(letter.encode_utf8(&mut [0; 4]) as &str) >= width {
            break;
        }
        kept.push(letter);
    }
    let filled = " ".repeat(width.saturating_sub(kept.width() + 1));
    format!("{kept}…{filled}")
}

/// 187100 as `187.1K`.
fn short(number: u64) -> String {
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "K")];
    match units.iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{:.1}{unit}", number as f64 / *size as f64),
        None => number.to_string(),
    }
}

struct Heads {
    groups: [&'static str; 3],
    columns: [&'static str; FIGURES],
}

const FIGURES: usize = 7;
/// The first column of each group, and the one behind its last.
const GROUPS: [(usize, usize); 3] = [(0, 2), (2, 4), (4, 7)];
const TOTALS: Heads = Heads {
    groups: ["Bits", "Packets", "Connections"],
    columns: ["In", "Out", "In", "Out", "Current", "Maximum", "Total"],
};
const RATES: Heads = Heads {
    groups: ["Bits/s", "Packets/s", "Connections"],
    columns: ["In", "Out", "In", "Out", "Current", "Maximum", "New/s"],
};
const STATUS: &str = "Status";
const NAME: &str = "Virtual server/Pool/Member";
const SINCE: &str = "Since";
/// Letters of a time as in `2027-02-03T04:05:06Z`.
const INSTANT: usize = 20;
const GAP: usize = 2;
/// No name is cut to fewer letters.
const NARROWEST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::statistics::{ConnectionStatistics, PoolStatistics};

    fn row(name: &str, bits: u64, total: u64) -> StatisticsRow {
        StatisticsRow {
            name: name.into(),
            availability: "available".into(),
            state: "enabled".into(),
            since: None,
            bits_in: bits,
            bits_out: bits * 2,
            packets_in: 22,
            packets_out: 18,
            connections: ConnectionStatistics { current: 0, elsewhere: 0, maximum: 1, total },
            closes: Default::default(),
        }
    }

    fn stats() -> Stats {
        let pool = PoolStatistics {
            row: row("pool-impala", 15_600, 1),
            members: vec![row("nightly56-2:21000", 0, 0), row("nightly56-3:21000", 15_600, 1)],
        };
        let started = "2027-02-03T04:05:06Z".into();
        Stats { started, virtual_servers: vec![row("vs-impala", 15_600, 1)], pools: vec![pool] }
    }

    fn layout(columns: Option<usize>) -> Layout {
        Layout { symbols: Symbols { has_color: false }, columns, rates: false }
    }

    #[test]
    fn numbers_are_normalized_as_in_the_guide() {
        assert_eq!([short(896), short(15_600), short(753_600), short(2_500_000)], ["896", "15.6K", "753.6K", "2.5M"]);
    }

    #[test]
    fn table_has_a_status_and_members_below_their_pool() {
        let text = text(&stats(), layout(None));
        let expected = "\
Since the start of pronk, 2027-02-03T04:05:06Z
                                           Bits   Packets              Connections
Status Virtual server/Pool/Member     In    Out  In  Out  Current  Maximum  Total
";
        let lines: Vec<_> = text.lines().collect();
        assert!(expected.lines().next() == lines.first().copied(), "{text}");
        assert_eq!(lines[3].split_whitespace().take(4).collect::<Vec<_>>(), ["●", "vs-impala", "15.6K", "31.2K"]);
        assert!(lines[5].starts_with("●      -- nightly56-2:21000"), "{text}");
        let widths: Vec<_> = lines[1..].iter().map(|line| line.width()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }

    #[test]
    fn names_of_groups_have_room() {
        let mut small = stats();
        for row in &mut small.pools[0].members {
            (row.bits_in, row.bits_out) = (0, 0);
        }
        small.pools[0].row = row("p", 0, 0);
        small.virtual_servers.clear();
        small.pools[0].members.truncate(1);
        let text = text(&small, Layout { rates: true, ..layout(None) });
        assert!(text.lines().nth(1).unwrap().contains("  Bits/s  Packets/s  "), "{text}");
        assert!(text.lines().skip(1).all(|line| line.width() == text.lines().nth(1).unwrap().width()), "{text}");
    }

    #[test]
    fn columns_fit_any_name_and_the_terminal() {
        let mut stats = stats();
        let long = "n".repeat(255) + ":21050";
        stats.pools[0].members.push(row(&long, 999_999_999_999, 12_345_678_901));
        assert!(text(&stats, layout(None)).contains(&long));
        for columns in [90, 120, 200] {
            let text = text(&stats, layout(Some(columns)));
            assert!(text.lines().all(|line| line.width() <= columns), "{columns}: {text}");
            assert!(text.contains('…') && text.contains("nightly56-3"), "{text}");
        }
    }

    #[test]
    fn search_finds_pools_with_their_members_and_members_alone() {
        let names = |wanted: &str| {
            let mut stats = stats();
            search(&mut stats, wanted);
            rows(&stats).map(|(_, row)| row.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names("POOL"), ["pool-impala", "nightly56-2:21000", "nightly56-3:21000"]);
        assert_eq!(names("56-3"), ["pool-impala", "nightly56-3:21000"]);
        assert_eq!(names("vs-"), ["vs-impala"]);
        assert!(names("absent").is_empty());
    }

    #[test]
    fn reset_is_shown_with_its_time() {
        let mut stats = stats();
        let at = "2027-02-03T05:00:00Z".to_owned();
        stats.pools[0].members[1].since = Some(at.clone());
        let one = text(&stats, layout(None));
        assert!(one.starts_with("Since the start of pronk, 2027-02-03T04:05:06Z\n"), "{one}");
        assert!(one.lines().any(|line| line.contains("nightly56-3") && line.ends_with(&at)), "{one}");
        for row in stats.virtual_servers.iter_mut().chain(stats.pools.iter_mut().map(|pool| &mut pool.row)) {
            row.since = Some(at.clone());
        }
        stats.pools[0].members[0].since = Some(at.clone());
        let all = text(&stats, layout(None));
        assert!(all.starts_with("Since the last reset, 2027-02-03T05:00:00Z\n"), "{all}");
        assert_eq!(all.matches(&at).count(), 1, "{all}");
    }

    #[test]
    fn rates_are_what_was_counted_by_the_second() {
        let (before, mut after) = (stats(), stats());
        after.virtual_servers[0].bits_in += 10_000;
        after.virtual_servers[0].connections.total += 6;
        after.pools[0].members[0] = row("new:21000", 4000, 2);
        after.pools[0].members[1].since = Some("2027-02-03T05:00:00Z".into());
        let rated = super::super::rates::rates(&before, &after, 2.0);
        let server = &rated.virtual_servers[0];
        assert_eq!((server.bits_in, server.bits_out, server.connections.total), (5000, 0, 3));
        let members = &rated.pools[0].members;
        assert_eq!((members[0].bits_in, members[1].bits_in), (2000, 7800), "one is new, one was reset");
    }
}
