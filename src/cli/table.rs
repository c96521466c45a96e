//! Tables for people: columns as wide as what is in them, and on a terminal no wider than that. A column with nothing in it,
//! not even a head, is left out.

use std::io::IsTerminal;

/// A table.
#[derive(Debug)]
pub(super) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(head: [&str; COLUMNS]) -> Self {
        Self { rows: vec![head.map(str::to_owned)] }
    }

    pub(super) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells);
    }

    /// Returns the lines. On a terminal the widest columns are cut so that a line fits.
    pub(super) fn render(&self) -> String {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten();
        self.render_within(terminal.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0))
    }

    fn render_within(&self, most: Option<usize>) -> String {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let mut widths: [usize; COLUMNS] = std::array::from_fn(width);
        if let Some(most) = most {
            let filled = widths.iter().filter(|width| **width > 0).count();
            fit(&mut widths, most.saturating_sub(GAP.len() * filled.saturating_sub(1)));
        }
        let mut text = String::new();
        for row in &self.rows {
            let filled = row.iter().zip(widths).filter(|(_, width)| *width > 0);
            let cells: Vec<_> = filled.map(|(cell, width)| cell_of(cell, width)).collect();
            text += cells.join(GAP).trim_end();
            text.push('\n');
        }
        text
    }
}

/// Takes from the widest columns until all fit, and leaves each a few letters.
fn fit(widths: &mut [usize], most: usize) {
    while widths.iter().sum::<usize>() > most
        && let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST)
    {
        *widest -= 1;
    }
}

fn cell_of(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return format!("{cell:<width$}");
    }
    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

const GAP: &str = "  ";
/// No column is cut to fewer letters.
const NARROWEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<3> {
        let mut table = Table::new(["name", "state", "reason"]);
        table
            .row(["impalad-with-a-long-name.example.com:21050", "disabled", "its disk is replaced"].map(str::to_owned));
        table.row(["n:1", "enabled", ""].map(str::to_owned));
        table
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let text = table().render_within(None);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], format!("{:<42}  {:<8}  reason", "name", "state"));
        assert!(lines[1].ends_with("its disk is replaced"));
        assert_eq!(lines[2], format!("{:<42}  enabled", "n:1"));
    }

    #[test]
    fn column_without_anything_is_left_out() {
        let mut table = Table::new(["name", "", "state"]);
        table.row(["n:1", "", "enabled"].map(str::to_owned));
        assert_eq!(table.render_within(None), "name  state\nn:1   enabled\n");
    }

    #[test]
    fn widest_columns_are_cut_to_fit_a_terminal() {
        for most in [60, 40, 30] {
            let text = table().render_within(Some(most));
            assert!(text.lines().all(|line| line.chars().count() <= most), "{most}: {text}");
            assert!(text.contains("disabled") && text.contains('…'), "{most}: {text}");
        }
        assert!(!table().render_within(Some(80)).contains('…'));
    }
}
