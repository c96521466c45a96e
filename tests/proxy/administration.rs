//! What administrators set while pronk runs: who is served by whom then, what is shown, and what a restart keeps.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use crate::lb::{Pronk, done, free_port, refused, until};
use crate::peers::{connect, is_refused, member, read_all, try_connect};

/// A member that answers its name to the first byte.
fn named(name: u8) -> SocketAddr {
    member(move |mut stream| {
        if stream.read_exact(&mut [0]).is_ok() && stream.write_all(&[name]).is_ok() {
            drop(read_all(&mut stream));
        }
    })
}

struct Lab {
    members: [SocketAddr; 2],
    ports: [u16; 2],
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let ports = [free_port(), free_port()];
        Self { members: [named(b'a'), named(b'b')], ports, folder: tempfile::tempdir().unwrap() }
    }

    fn member(&self, name: &str) -> String {
        format!("{name}:{}", self.members[usize::from(name != "a")].port())
    }

    fn config(&self) -> String {
        let [a, b] = ["a", "b"].map(|name| self.member(name));
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }}, b: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['{a}', '{b}'], slow-ramp-time: 0 }}, q: {{ members: ['{a}'] }} }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:{}', pool: p }}
  sticky: {{ destination: '127.0.0.1:{}', pool: p, persistence: source_addr }}
",
            self.ports[0], self.ports[1]
        )
    }

    fn state_file(&self) -> std::path::PathBuf {
        self.folder.path().join("state.json")
    }

    fn start(&self) -> Pronk {
        self.start_with(&self.state_file())
    }

    fn start_with(&self, state_file: &Path) -> Pronk {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
        command.env("PRONK_STATE_FILE", state_file);
        Pronk::start_by(command, |_| self.config())
    }

    fn address(&self, index: usize) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports[index]))
    }

    /// The members that serve six connections.
    fn served(&self) -> BTreeSet<u8> {
        (0..6).map(|_| self.ask(0)).collect()
    }

    fn ask(&self, index: usize) -> u8 {
        let (mut client, mut name) = (connect(self.address(index)), [0]);
        client.write_all(b"?").and_then(|()| client.read_exact(&mut name)).unwrap();
        name[0]
    }
}

const ALL: [u8; 2] = [b'a', b'b'];

#[test]
fn member_or_node_is_taken_out_and_put_back_without_a_reload() {
    let lab = Lab::new();
    let pronk = lab.start();
    assert_eq!(lab.served(), ALL.into());
    let in_pool = format!("p/{}", lab.member("a"));
    for (kind, name) in [("node", "a".to_owned()), ("member", in_pool)] {
        for command in ["disable", "offline"] {
            let mut open = connect(lab.address(0));
            open.write_all(b"?").unwrap();
            let told = done(&pronk, &[command, kind, &name, "--reason", "new disk"]);
            assert!(told.starts_with(&format!("{kind} {name} is ")), "{told}");
            assert_eq!(lab.served(), [b'b'].into(), "{command} {kind}");
            open.read_exact(&mut [0]).unwrap();
            let map = done(&pronk, &["show", "map"]);
            assert!(map.contains("(set by ") && map.contains(": new disk)"), "{map}");
            done(&pronk, &["reload"]);
            assert_eq!(lab.served(), [b'b'].into(), "a reload changes nothing of it");
            let enabled = done(&pronk, &["enable", kind, &name]);
            assert_eq!(enabled, format!("{kind} {name} is enabled\n"));
            assert_eq!(lab.served(), ALL.into());
            assert!(done(&pronk, &["state", "show"]).starts_with("nothing is set"), "as the file says");
        }
    }
}

#[test]
fn disabled_member_serves_clients_with_a_record_and_one_that_is_offline_does_not() {
    let lab = Lab::new();
    let pronk = lab.start();
    let first = lab.ask(1);
    let name = if first == b'a' { "a" } else { "b" };
    let member = format!("p/{}", lab.member(name));
    done(&pronk, &["disable", "member", &member]);
    assert_eq!(lab.ask(1), first);
    assert!(!lab.served().contains(&first));
    done(&pronk, &["offline", "member", &member]);
    assert_ne!(lab.ask(1), first);
}

#[test]
fn virtual_server_stops_listening_and_listens_again() {
    let lab = Lab::new();
    let pronk = lab.start();
    done(&pronk, &["offline", "vs", "vs"]);
    until("nobody listens", || try_connect(lab.address(0)).is_err());
    assert!(ALL.contains(&lab.ask(1)), "the other one goes on");
    let other = TcpListener::bind(lab.address(0)).unwrap();
    let why = refused(&pronk, &["enable", "virtual-server", "vs"]);
    assert!(why.contains("cannot listen on 127.0.0.1:") && why.contains("another program listens there"), "{why}");
    let map = done(&pronk, &["show", "map"]);
    assert!(map.contains("forced offline (set by "), "{map}");
    done(&pronk, &["reload"]);
    drop(other);
    done(&pronk, &["enable", "vs", "vs"]);
    assert_eq!(lab.served(), ALL.into());
    done(&pronk, &["disable", "vs", "vs"]);
    until("those without a record are reset", || is_refused(lab.address(0)));
}

#[test]
fn what_is_set_is_kept_over_a_restart_unless_it_is_not_to_be() {
    let lab = Lab::new();
    let (a, b) = (format!("p/{}", lab.member("a")), format!("p/{}", lab.member("b")));
    let mut pronk = lab.start();
    done(&pronk, &["offline", "member", &a, "--reason", "repair"]);
    done(&pronk, &["set-ratio", "member", &b, "7"]);
    done(&pronk, &["disable", "vs", "sticky", "--until-restart"]);
    let shown = done(&pronk, &["state", "show", "--json"]);
    let rows = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["changes"].clone();
    assert_eq!(rows(&shown).as_array().unwrap().len(), 3, "{shown}");
    pronk.signal("KILL");
    pronk.ended();
    let pronk = lab.start();
    let kept = rows(&done(&pronk, &["state", "show", "--json"]));
    let kept: Vec<_> = kept.as_array().unwrap().iter().map(|row| (row["name"].clone(), row["why"].clone())).collect();
    assert_eq!(kept, [(a.clone().into(), "repair".into()), (b.into(), serde_json::Value::Null)]);
    assert_eq!(lab.served(), [b'b'].into());
    assert_eq!(
        done(&pronk, &["state", "clear", "member", &a]),
        format!("member {a} is as the configuration file says\n")
    );
    assert_eq!(lab.served(), ALL.into());
    done(&pronk, &["state", "clear", "--all"]);
    assert!(done(&pronk, &["state", "show"]).starts_with("nothing is set"));
}

#[test]
fn state_file_that_cannot_be_read_or_written_is_told_and_keeps_nobody_from_serving() {
    let lab = Lab::new();
    for (text, reason) in [
        ("garbage", "not a state file"),
        ("{\"version\":9,\"set\":[]}", "of version 9, and this pronk reads version 1"),
    ] {
        std::fs::write(lab.state_file(), text).unwrap();
        let pronk = lab.start();
        let line = pronk.logged("a warning", |line| line["state_file"].is_string());
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
        assert_eq!(lab.served(), ALL.into());
    }
    let pronk = lab.start_with(Path::new("/proc/pronk/state.json"));
    let member = format!("p/{}", lab.member("a"));
    let told = done(&pronk, &["disable", "member", &member]);
    assert!(told.contains("warning: it is not kept for the next start of pronk: /proc/pronk/state.json: "), "{told}");
    assert_eq!(lab.served(), [b'b'].into(), "it is in force all the same");
}

#[test]
fn unknown_names_are_refused_with_what_may_be_meant() {
    let lab = Lab::new();
    let pronk = lab.start();
    let a = lab.member("a");
    for (args, expected) in [
        (vec!["disable", "node", "aa"], "there is no node aa; did you mean `a`?".to_owned()),
        (vec!["disable", "vs", "vss"], "there is no virtual-server vss; did you mean `vs`?".to_owned()),
        (vec!["disable", "member", &a], format!("several pools have the member {a}; name one: p/{a}, q/{a}")),
        (vec!["disable", "member", "a"], "a member is `node:port` or `pool/node:port`, found `a`".to_owned()),
        (vec!["set-ratio", "vs", "vs", "3"], "a virtual server has no ratio".to_owned()),
    ] {
        let why = refused(&pronk, &args);
        assert!(why.contains(&expected), "{args:?}: {why}");
    }
    assert_eq!(pronk.command(&["disable", "pool", "p"]).status.code(), Some(2));
}
