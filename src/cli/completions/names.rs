//! Completions of names: the running pronk is asked for them, and nothing is completed if none answers at once.

use std::path::PathBuf;
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
    let socket =
        AdminAddress::at(admin_socket(words()).or_else(|| std::env::var_os("PRONK_ADMIN_SOCKET").map(PathBuf::from)));
    socket.get_within("/v1/names", PATIENCE).unwrap_or_default()
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the words that the shell has, which come after those that the shell's script adds.
fn words() -> impl Iterator<Item = String> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).map(|word| word.to_string_lossy().into_owned())
}

/// Returns the socket that these words name.
fn admin_socket(mut words: impl Iterator<Item = String>) -> Option<PathBuf> {
    while let Some(word) = words.next() {
        match word.strip_prefix("--admin-socket") {
            Some("") => return words.next().map(PathBuf::from),
            Some(value) => return value.strip_prefix('=').map(PathBuf::from),
            None => {}
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
    fn socket_is_the_one_that_the_words_name() {
        let named = |line: &str| admin_socket(line.split(' ').map(str::to_owned));
        assert_eq!(named("pronk explain --admin-socket a.sock v"), Some("a.sock".into()));
        assert_eq!(named("pronk --admin-socket=a.sock v"), Some("a.sock".into()));
        assert_eq!(named("pronk explain v"), None);
        assert_eq!(named("pronk explain --admin-socket"), None);
    }
}
