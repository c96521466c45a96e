//! No file imports, whichever files lie between, one that imports it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::arrows::Arrows;
use crate::assert_none;
use crate::sources::Sources;

#[test]
fn files_import_each_other_in_no_circle() {
    assert_none(&circles(&Arrows::of(&Sources::of_pronk())));
}

/// Each set of files that import each other, told by the shortest circle among them.
pub fn circles(arrows: &Arrows) -> Vec<String> {
    let files: Vec<&str> = arrows.0.keys().map(String::as_str).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> = files.iter().map(|file| (*file, reachable(arrows, file))).collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut circles = Vec::new();
    for file in &files {
        if !reached[file].contains(file) || told.contains(file) {
            continue;
        }
        let together: Vec<_> =
            files.iter().filter(|f| reached[file].contains(*f) && reached[*f].contains(file)).collect();
        told.extend(together.iter().copied());
        if let Some(circle) = together.iter().filter_map(|file| shortest_circle(arrows, file)).min_by_key(Vec::len) {
            circles.push(drawn(arrows, &circle, together.len()));
        }
    }
    circles
}

fn reachable<'a>(arrows: &'a Arrows, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<_> = arrows.from(file).collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(arrows.from(file));
        }
    }
    reached
}

/// The files on the shortest way from a file back to itself, which is not told twice.
fn shortest_circle<'a>(arrows: &'a Arrows, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for to in arrows.from(file) {
            if to == start {
                let mut circle = vec![file];
                while let Some(before) = circle.last().and_then(|last| came_from.get(last)) {
                    circle.push(before);
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(to) {
                came_from.insert(to, file);
                next.push_back(to);
            }
        }
    }
    None
}

fn drawn(arrows: &Arrows, circle: &[&str], together: usize) -> String {
    let next = circle.iter().cycle().skip(1);
    let steps = circle.iter().zip(next).filter_map(|(from, to)| arrows.0.get(*from)?.get(*to));
    let steps: Vec<_> = steps.map(|arrow| format!("    {arrow}")).collect();
    format!("{together} files import each other; the shortest circle:\n{}", steps.join("\n"))
}
