//! The figures of a benchmark, a row a contestant, and their medians.

use std::fmt;

use super::contestant::Contestant;
use super::mode::Mode;

/// One contestant's figures, one a round.
pub struct Row {
    pub contestant: Contestant,
    /// For each mode, the rounds.
    pub columns: Vec<Vec<f64>>,
}

impl Row {
    pub fn of(contestant: Contestant) -> Self {
        Self { contestant, columns: vec![Vec::new(); Mode::ALL.len()] }
    }
}

/// Prints medians with their spread, then pronk beside each other contestant: the median of the rounds' own ratios, as
/// rounds that follow each other share the machine's mood.
pub fn print(unit: &str, rows: &[Row], decimals: usize) {
    println!("  {unit}");
    print!("  {:<28}", "");
    Mode::ALL.iter().for_each(|mode| print!("{:>22}", mode.as_str()));
    println!();
    for row in rows {
        print!("  {:<28}", row.contestant.to_string());
        for figures in &row.columns {
            let (least, most) = spread(figures);
            let range = format!("({least:.decimals$}–{most:.decimals$})");
            print!("{:>8.decimals$} {range:<13}", median(figures));
        }
        println!();
    }
    let Some((pronk, others)) = rows.split_first().filter(|(row, _)| row.contestant == Contestant::Pronk) else {
        return;
    };
    for other in others {
        print!("  {:<28}", format!("pronk / {}", other.contestant));
        for (ours, theirs) in pronk.columns.iter().zip(&other.columns) {
            let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
            print!("{:>8.2} ×{:<12}", median(&ratios), "");
        }
        println!();
    }
}

pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Returns the figure below which so much of all is.
pub fn percentile<T: Copy>(sorted: &[T], part: f64) -> T {
    sorted[((sorted.len() as f64 * part) as usize).min(sorted.len() - 1)]
}

fn spread(figures: &[f64]) -> (f64, f64) {
    figures.iter().fold((f64::INFINITY, 0.0), |(least, most), figure| (figure.min(least), figure.max(most)))
}

/// Which of two figures is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    More,
    Less,
}

/// A row for each thing that is measured, and a column for each contestant.
pub struct Table {
    contestants: Vec<Contestant>,
    rows: Vec<TableRow>,
}

struct TableRow {
    name: String,
    decimals: usize,
    better: Better,
    /// For each contestant, the rounds.
    figures: Vec<Vec<f64>>,
}

impl Table {
    pub fn new(contestants: &[Contestant]) -> Self {
        Self { contestants: contestants.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, name: &str, decimals: usize, better: Better) {
        let figures = vec![Vec::new(); self.contestants.len()];
        self.rows.push(TableRow { name: name.to_owned(), decimals, better, figures });
    }

    pub fn add(&mut self, row: usize, contestant: usize, figure: f64) {
        self.rows[row].figures[contestant].push(figure);
    }

    /// Returns the columns of pronk and of those that it is compared with.
    fn sides(&self) -> Option<(usize, Vec<usize>)> {
        let at = |wanted: fn(&Contestant) -> bool| {
            self.contestants.iter().enumerate().filter(move |(_, it)| wanted(it)).map(|(index, _)| index)
        };
        let peers: Vec<_> = at(|it| !matches!(it, Contestant::Pronk | Contestant::Before | Contestant::Bare)).collect();
        let pronk = at(|it| *it == Contestant::Pronk).next()?;
        (!peers.is_empty()).then_some((pronk, peers))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<34}", "median (least–most)")?;
        for contestant in &self.contestants {
            write!(f, "{:>26}", contestant.to_string())?;
        }
        writeln!(f, "   pronk / best peer")?;
        for row in &self.rows {
            let decimals = row.decimals;
            write!(f, "  {:<34}", row.name)?;
            for figures in &row.figures {
                if figures.is_empty() {
                    write!(f, "{:>26}", "")?;
                    continue;
                }
                let (least, most) = spread(figures);
                let range = format!("({least:.decimals$}–{most:.decimals$})");
                write!(f, "{:>11.decimals$} {range:<14}", median(figures))?;
            }
            if let Some((pronk, peers)) = self.sides() {
                let (ratios, best) = row.ratios_to_best(pronk, &peers);
                write!(f, "   {} × {}", ratio(&ratios), self.contestants[best])?;
            }
            if let [Contestant::Pronk, Contestant::Before, ..] = self.contestants[..] {
                write!(f, "   {} × before", ratio(&row.ratios_to_best(0, &[1]).0))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl TableRow {
    /// Returns how much better pronk was than the best of its peers in each round, and who that is.
    fn ratios_to_best(&self, pronk: usize, peers: &[usize]) -> (Vec<f64>, usize) {
        let ratios = |peer: &usize| -> (Vec<f64>, usize) {
            let pairs = self.figures[pronk].iter().zip(&self.figures[*peer]);
            let ratio = |(ours, theirs)| if self.better == Better::More { ours / theirs } else { theirs / ours };
            (pairs.map(ratio).collect(), *peer)
        };
        peers.iter().map(ratios).min_by(|one, other| median(&one.0).total_cmp(&median(&other.0))).unwrap()
    }
}

/// Returns the median of the rounds' own ratios, as rounds that follow each other share the machine's noise, and their
/// range.
fn ratio(ratios: &[f64]) -> String {
    let (least, most) = spread(ratios);
    format!("{:.2} ({least:.2}–{most:.2})", median(ratios))
}
