//! The figures of a benchmark, a row a contestant, and their medians.

use super::proxy::{Contestant, Mode};

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

fn spread(figures: &[f64]) -> (f64, f64) {
    figures.iter().fold((f64::INFINITY, 0.0), |(least, most), figure| (figure.min(least), figure.max(most)))
}
