//! Completions of names: the running pronk is asked for them, and nothing is completed if none answers at once.

use std::ffi::OsString;
use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::admin::names::Names;
use crate::cli::admin_client::AdminAddress;

pub(in crate::cli) fn virtual_servers() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(running().virtual_servers))
}

pub(in crate::cli) fn pools() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(running().pools))
}

pub(in crate::cli) fn members() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(running().members))
}

pub(in crate::cli) fn nodes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(running().nodes))
}

/// Completes the name of a node, a member or a virtual server, whichever kind stands before it.
pub(in crate::cli) fn named() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let Names { virtual_servers, nodes, members, .. } = running();
        let kind = words().find(|word| ["node", "member", "virtual-server", "vs"].contains(&word.as_str()));
        candidates(match kind.as_deref() {
            Some("node") => nodes,
            Some("member") => members,
            _ => virtual_servers,
        })
    })
}

/// Returns the names of what runs; none if no pronk answers at once.
fn running() -> Names {
    let given = |option: &str, variable: &str| option_of(words(), option).or_else(|| std::env::var_os(variable));
    AdminAddress::given(given).get_within("/v1/names", PATIENCE).unwrap_or_default()
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the words that the shell has, which come after those that the shell's script adds.
fn words() -> impl Iterator<Item = String> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).map(|word| word.to_string_lossy().into_owned())
}

/// Returns the value that these words give an option.
fn option_of(mut words: impl Iterator<Item = String>, option: &str) -> Option<OsString> {
    while let Some(word) = words.next() {
        match word.strip_prefix(option) {
            Some("") => return words.next().map(OsString::from),
            Some(value) if value.starts_with('=') => return Some(value[1..].into()),
            Some(_) | None => {}
        }
    }
    None
}

/// Whoever types does not wait for longer.
const PATIENCE: Duration = Duration::from_millis(80);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_that_the_words_give() {
        let given = |line: &str| option_of(line.split(' ').map(str::to_owned), "--admin-socket");
        assert_eq!(given("pronk explain --admin-socket a.sock v"), Some("a.sock".into()));
        assert_eq!(given("pronk --admin-socket=a.sock v"), Some("a.sock".into()));
        assert_eq!(given("pronk explain --admin-socketry v"), None);
        assert_eq!(given("pronk explain v"), None);
        assert_eq!(given("pronk explain --admin-socket"), None);
    }
}
