//! Nodes whose names stop to resolve, resolve again, and resolve to other addresses.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::lb::{Pronk, free_port, until};
use crate::peers::{connect, echo_member, echoes};

/// Runs pronk where `/etc/hosts` is the file `hosts` and no name server answers; `None` where the system forbids that.
fn with_hosts(hosts: &Path, write: impl FnOnce(&Path) -> String) -> Option<Pronk> {
    const ENTER: &str = "mount --bind \"$HOSTS\" /etc/hosts && { mount --bind /dev/null /etc/resolv.conf || true; } && \
                         exec \"$0\" \"$@\"";
    let enter = |how: &str| {
        let mut command = Command::new("unshare");
        command.args([how, "sh", "-c", ENTER]).env("HOSTS", hosts);
        command
    };
    let can = |how: &&str| enter(how).arg("true").output().is_ok_and(|run| run.status.success());
    let Some(how) = ["-m", "-rm"].into_iter().find(can) else {
        eprintln!("skipped: there is no mount namespace to be had (`unshare -m` or `unshare -rm`)");
        return None;
    };
    let mut command = enter(how);
    command.arg(env!("CARGO_BIN_EXE_pronk"));
    Some(Pronk::start_by(command, write))
}

fn map(pronk: &Pronk, arguments: &[&str]) -> String {
    String::from_utf8(pronk.command(&[&["show", "map"], arguments].concat()).stdout).unwrap()
}

/// The log lines of one message.
fn lines(pronk: &Pronk, message: &str) -> Vec<serde_json::Value> {
    pronk.log().into_iter().filter(|line| line["message"].as_str().is_some_and(|it| it.starts_with(message))).collect()
}

#[test]
fn name_that_stops_to_resolve_is_told_once_and_in_the_map() {
    let (folder, member, port) = (tempfile::tempdir().unwrap(), echo_member(), free_port());
    let hosts = folder.path().join("hosts");
    let name = |line: &str| std::fs::write(&hosts, format!("127.0.0.1 localhost\n{line}\n")).unwrap();
    name("127.0.0.1 impala.example.test");
    let started = with_hosts(&hosts, |_| {
        format!(
            "nodes:
  a: {{ address: impala.example.test, interval: 1s }}
  b: {{ address: never.example.test, interval: 1s }}
  c: {{ address: impala.example.test, interval: 1s, autopopulate: true }}
pools: {{ p: {{ members: ['a:{0}'] }}, q: {{ members: ['b:{0}', 'c:{0}'] }} }}
virtual-servers:
  vs: {{ destination: '127.0.0.1:{port}', pool: p }}
  other: {{ destination: '127.0.0.1:{1}', pool: q }}
",
            member.port(),
            free_port(),
        )
    });
    let Some(pronk) = started else { return };
    let vs = SocketAddr::from(([127, 0, 0, 1], port));
    assert!(echoes(&mut connect(vs)));
    let never = "node b  never.example.test does not resolve since ";
    until("the map tells that a name never resolved", || map(&pronk, &[]).contains(never));
    assert!(map(&pronk, &[]).contains("; no address of it is known"));

    name("");
    let gone = "node a  impala.example.test does not resolve since ";
    until("the map tells that the name is gone", || map(&pronk, &[]).contains(gone));
    let told = map(&pronk, &[]);
    assert!(told.contains("; its last addresses stay in use, and may be stale: 127.0.0.1"), "{told}");
    until("so it is of the node of several members", || map(&pronk, &[]).contains("node c  impala.example.test does"));
    let told: serde_json::Value = serde_json::from_str(&map(&pronk, &["--json"])).unwrap();
    let unresolved = told["unresolved"].as_array().unwrap();
    assert_eq!(unresolved.iter().map(|it| it["node"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(unresolved[0]["addresses"], serde_json::json!(["127.0.0.1"]));
    assert!(unresolved[0]["since"].as_str().unwrap().ends_with('Z'), "{unresolved:?}");
    assert!(echoes(&mut connect(vs)), "the last address stays in use");

    name("127.0.0.2 impala.example.test");
    pronk.logged("that it resolves again", |line| {
        line["message"] == "the node's name resolves again" && line["node"] == "a" && line["addresses"] == "127.0.0.2"
    });
    pronk.logged("the addresses before and after", |line| {
        line["message"] == "the node's addresses have changed"
            && (&line["node"], &line["before"], &line["now"]) == (&"a".into(), &"127.0.0.1".into(), &"127.0.0.2".into())
    });
    until("the map tells no more of it", || !map(&pronk, &[]).contains("impala.example.test does not resolve"));
    // Each was looked up several times.
    let of =
        |node: &str| lines(&pronk, "the node's name does not resolve").iter().filter(|it| it["node"] == node).count();
    assert_eq!((of("a"), of("b"), of("c")), (1, 1, 1));
}
