//! Whether destinations are free for pronk, or held by it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::answers::Answers;
use super::check::Check;
use super::scope::{RunningPronk, Scope};
use crate::model::{AdminState, VirtualServer};
use crate::net;
use crate::reading::os_reason;

pub(super) async fn verify(scope: &Scope, answers: &mut Answers) -> Vec<Check> {
    let mut checks: Vec<_> = scope.running.as_ref().ok().and_then(judge_running).into_iter().collect();
    for virtual_server in &scope.virtual_servers {
        if virtual_server.state == AdminState::ForcedOffline {
            let what = "it is forced offline, and does not listen";
            checks.push(Check::skipped(
                "offline",
                &virtual_server.name,
                what,
                "write `state: enabled` to have it serve",
            ));
            answers.not_running.insert(virtual_server.name.clone());
            continue;
        }
        let state = observe(virtual_server.destination).await;
        if matches!(state, PortState::Free | PortState::NeedsPrivilege) {
            answers.not_running.insert(virtual_server.name.clone());
        }
        checks.push(judge(virtual_server, &state, scope.running.as_ref()));
    }
    checks
}

/// Judges whether the running pronk has what its file says now: what is seen is of what it has.
fn judge_running(running: &RunningPronk) -> Option<Check> {
    let count = running.not_taken.len();
    let first = running.not_taken.first()?;
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    Some(Check::warning(
        "not-reloaded",
        "the running pronk",
        format!("it has another configuration than its file; a reload would change: {first}{more}"),
        "see all changes with `pronk reload --dry-run`, have them taken with `pronk reload`, and verify again",
    ))
}

/// What there is at a destination.
#[derive(Debug, PartialEq, Eq)]
enum PortState {
    Free,
    Taken,
    NeedsPrivilege,
    /// It is of another machine, on which somebody listens or nobody.
    OfAnotherMachine {
        answers: bool,
    },
    Other(String),
}

async fn observe(destination: SocketAddr) -> PortState {
    // It accepts no connection, and is closed at once.
    match net::bind(destination, false) {
        Ok(_) => PortState::Free,
        Err(error) => match error.kind() {
            io::ErrorKind::AddrInUse => PortState::Taken,
            io::ErrorKind::PermissionDenied => PortState::NeedsPrivilege,
            io::ErrorKind::AddrNotAvailable => {
                let connected = tokio::time::timeout(CONNECT, net::connect(destination)).await;
                PortState::OfAnotherMachine { answers: matches!(connected, Ok(Ok(_))) }
            }
            _ => PortState::Other(os_reason(&error)),
        },
    }
}

fn judge(virtual_server: &VirtualServer, state: &PortState, running: Result<&RunningPronk, &String>) -> Check {
    let VirtualServer { name: about, destination, .. } = virtual_server;
    let is_served = running.is_ok_and(|it| it.destinations.contains(&destination.to_string()));
    match (state, running) {
        (PortState::Free, Err(_)) => Check::ok("port", about, format!("{destination} is free")),
        (PortState::Free, Ok(_)) => Check::failed(
            "port-not-served",
            about,
            format!("pronk runs, and nobody listens on {destination}"),
            "have it take the file: pronk reload; `pronk show map` shows what it serves",
        ),
        (PortState::Taken, Ok(_)) if is_served => Check::ok("port", about, format!("pronk listens on {destination}")),
        (PortState::Taken, _) => Check::failed(
            "port-taken",
            about,
            match running {
                Ok(_) => format!("another program listens on {destination}, not the pronk at the admin socket"),
                Err(reason) => format!("{destination} is taken, and {reason}"),
            },
            format!(
                "see who has it: ss -ltnp 'sport = :{}'; name the socket of a running pronk with --admin-socket",
                destination.port()
            ),
        ),
        (PortState::NeedsPrivilege, _) => Check::warning(
            "port-needs-privilege",
            about,
            format!("a program of this user may not listen on {destination}"),
            "ports below 1024 need CAP_NET_BIND_SERVICE; pronk's unit tells how",
        ),
        (PortState::OfAnotherMachine { answers: true }, _) => {
            Check::ok("port", about, format!("{destination} is on another machine, and takes connections"))
        }
        (PortState::OfAnotherMachine { answers: false }, _) => Check::failed(
            "destination-elsewhere",
            about,
            format!("{} is no address of this machine, and nobody answers there", destination.ip()),
            "give this machine the address (ip address add), or write a destination that it has",
        ),
        (PortState::Other(reason), _) => Check::failed(
            "port-unusable",
            about,
            format!("nobody can listen on {destination}: {reason}"),
            "see the system's message",
        ),
    }
}

const CONNECT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::verify::Outcome;

    #[test]
    fn destinations_are_free_or_pronks() {
        let file = "nodes: { n: { address: 127.0.0.1 } }\npools: { p: { members: ['n:1'] } }\n\
                    virtual-servers: { vs: { destination: '10.0.0.1:1', pool: p } }\n";
        let model = config::parse("pronk.yaml", file, Path::new("/")).unwrap().model;
        let running = |at: &str| RunningPronk { destinations: vec![at.to_owned()], ..RunningPronk::default() };
        let (own, other, nobody) = (running("10.0.0.1:1"), running("10.0.0.1:2"), "no pronk answers".to_owned());
        for (state, running, id, outcome) in [
            (PortState::Free, Err(&nobody), "port", Outcome::Ok),
            (PortState::Taken, Ok(&own), "port", Outcome::Ok),
            (PortState::Taken, Ok(&other), "port-taken", Outcome::Failed),
            (PortState::Taken, Err(&nobody), "port-taken", Outcome::Failed),
            (PortState::Free, Ok(&other), "port-not-served", Outcome::Failed),
            (PortState::NeedsPrivilege, Err(&nobody), "port-needs-privilege", Outcome::Warning),
            (PortState::OfAnotherMachine { answers: true }, Err(&nobody), "port", Outcome::Ok),
            (PortState::OfAnotherMachine { answers: false }, Err(&nobody), "destination-elsewhere", Outcome::Failed),
        ] {
            let check = judge(&model.virtual_servers["vs"], &state, running);
            assert_eq!((check.id, check.outcome), (id, outcome), "{state:?}");
        }
    }

    #[tokio::test]
    async fn listener_takes_its_port_until_it_is_closed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        assert_eq!(observe(at).await, PortState::Taken);
        drop(listener);
        assert_eq!(observe(at).await, PortState::Free);
    }

    #[test]
    fn running_pronk_must_have_what_its_file_says() {
        let running = |changes: &[&str]| RunningPronk {
            not_taken: changes.iter().map(|it| (*it).to_owned()).collect(),
            ..RunningPronk::default()
        };
        assert_eq!(judge_running(&running(&[])), None);
        let check = judge_running(&running(&["pool p: changed", "node n: added"])).unwrap();
        assert_eq!((check.id, check.outcome), ("not-reloaded", Outcome::Warning));
        assert!(check.message.ends_with("pool p: changed (and 1 more)"), "{}", check.message);
        assert!(check.remedy.unwrap().contains("pronk reload --dry-run"));
    }
}
