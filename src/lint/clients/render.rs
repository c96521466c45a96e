//! The table of clients as aligned text.

use std::fmt::Write;

use super::{Client, Matrix, Verdict, Why};

/// Returns the matrix as aligned text: `ok`, or `no` with the number of a reason below; at the end, which clients the
/// columns stand for.
pub fn render(matrix: &Matrix) -> String {
    let mut reasons = Vec::new();
    let mut lines = vec![header(0), header(1)];
    for row in &matrix.rows {
        let mut line = vec![row.source.escape_debug().to_string(), row.host.to_string()];
        line.extend(row.verdicts.iter().map(|(_, verdict)| cell(*verdict, &mut reasons)));
        lines.push(line);
    }
    let mut text = table(&lines);
    if !reasons.is_empty() {
        text.push('\n');
    }
    for (index, why) in reasons.iter().enumerate() {
        let _ = writeln!(text, "no {}: {why}", index + 1);
    }
    text.push('\n');
    let legend = |client: &Client| vec![client.header().join(" ").trim().to_owned(), client.title().to_owned()];
    text += &table(&Client::ALL.iter().map(legend).collect::<Vec<_>>());
    text = text + "\n" + NOT_JUDGED + "\n";
    if matrix.assumes_trust {
        text += "No authority is known that some of the chains lead to. Their end is taken for trusted: name it with --ca-file.\n";
    }
    text
}

/// What no verdict covers.
pub(super) const NOT_JUDGED: &str = "Judged: names, dates, trust, path, usage, constraints, signatures, keys. Not judged: revocation, and what a driver \
     or its options switch off.";

fn header(line: usize) -> Vec<String> {
    let ours = [["", ""], ["certificate", "name"]][line];
    let clients = Client::ALL.iter().map(|client| client.header()[line]);
    ours.into_iter().chain(clients).map(str::to_owned).collect()
}

fn cell(verdict: Verdict, reasons: &mut Vec<Why>) -> String {
    if verdict.accepts {
        return "ok".into();
    }
    let known = reasons.iter().position(|why| *why == verdict.why);
    let index = known.unwrap_or_else(|| {
        reasons.push(verdict.why);
        reasons.len() - 1
    });
    format!("no {}", index + 1)
}

/// Aligns columns, each as wide as its widest cell, two spaces apart.
fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}
