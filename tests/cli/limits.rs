//! Files of a size that nobody writes: what is told of them ends, in time and in length.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::{pronk, said};

const BEGIN: &str = "nodes: { n: { address: 10.0.0.1 } }\n";
const NOTHING: &str = "virtual-servers: {}\n";

fn many(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = write!(text, "{}", each(number));
        text
    })
}

/// Configurations with something in them that is many or long.
fn outsized() -> Vec<(&'static str, String)> {
    let long = "x".repeat(1_000_000);
    let servers = many(5000, |at| format!("  vs{at}: {{ destination: nope, pool: p }}\n"));
    let pools = many(5000, |at| format!("  p{at}: {{ members: ['n:{}'] }}\n", at + 1));
    vec![
        ("a value", format!("nodes: {{ n: {{ address: '{long}' }} }}\n{NOTHING}")),
        ("a number", format!("nodes: {{ n: {{ address: {} }} }}\n{NOTHING}", "9".repeat(1_000_000))),
        ("a name", format!("nodes: {{ {long}: {{ address: 10.0.0.1 }} }}\n{NOTHING}")),
        ("a key", format!("{long}: 1\n{NOTHING}")),
        ("a key of a node", format!("nodes: {{ n: {{ address: 10.0.0.1, {long}: 1 }} }}\n{NOTHING}")),
        ("a reference", format!("{BEGIN}virtual-servers: {{ vs: {{ destination: '10.0.0.2:1', pool: {long} }} }}\n")),
        ("a comment before a mistake", format!("# {long}\nnodes: {{ n: {{ addres: 10.0.0.1 }} }} # {long}\n{NOTHING}")),
        (
            "members",
            format!("pools: {{ p: {{ members: [{}] }} }}\n{NOTHING}", many(20_000, |at| format!("'n{at}:1', "))),
        ),
        ("virtual servers", format!("nodes: {{}}\nvirtual-servers:\n{servers}")),
        (
            "pools beside a reference",
            format!("{BEGIN}pools:\n{pools}virtual-servers: {{ vs: {{ destination: '10.0.0.2:1', pool: px }} }}\n"),
        ),
        ("names that are given twice", format!("nodes:\n{}{NOTHING}", "  n: { address: 10.0.0.1 }\n".repeat(5000))),
        (
            "seeds",
            format!(
                "pools: {{ p: {{ discover: impala, discover-seeds: [{}] }} }}\n{NOTHING}",
                "'http://x', ".repeat(5000)
            ),
        ),
        (
            "a circle",
            format!(
                "profiles:\n{}{NOTHING}",
                many(2000, |at| format!("  a{at}: {{ type: tcp, defaults-from: a{} }}\n", (at + 1) % 2000))
            ),
        ),
        ("text that is no YAML", format!("nodes: {{ n: \"{long}\n")),
    ]
}

#[test]
fn what_is_told_of_an_outsized_file_ends() {
    let folder = tempfile::tempdir().unwrap();
    for (what, text) in outsized() {
        let path = folder.path().join("pronk.yaml");
        std::fs::write(&path, text).unwrap();
        let begun = Instant::now();
        let done = pronk(&["check", "pronk.yaml"]).current_dir(folder.path()).output().unwrap();
        let told = said(&done);
        assert_eq!(done.status.code(), Some(1), "{what}: {}", &told[..told.len().min(500)]);
        assert!(told.len() < 1_000_000, "{what}: {} bytes", told.len());
        let longest = told.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(longest < 2500, "{what}: a line of {longest} letters");
        assert!(begun.elapsed() < Duration::from_secs(40), "{what}: {:?}", begun.elapsed());
    }
}

#[test]
fn mistakes_beyond_the_first_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let members = many(2000, |at| format!("'n{at}:1', "));
    std::fs::write(folder.path().join("pronk.yaml"), format!("pools: {{ p: {{ members: [{members}] }} }}\n{NOTHING}"))
        .unwrap();
    let told = said(&pronk(&["check", "pronk.yaml"]).current_dir(folder.path()).output().unwrap());
    assert_eq!(told.matches("there is no node").count(), 500, "{}", &told[..1000]);
    assert!(told.contains("error: there are 1500 more mistakes and notes, not shown"), "{}", &told[told.len() - 300..]);
}
