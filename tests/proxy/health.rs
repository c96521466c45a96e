//! Health checks of pronk itself: what keepalived, Kubernetes and cloud balancers ask.

use std::net::TcpListener;
use std::process::Command;

use crate::lb::{Pronk, free_port, until};
use crate::peers::{connect, echo_member, echoes};

fn body(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn ready_while_any_virtual_server_takes_clients() {
    let (up, ports) = (echo_member(), [free_port(), free_port()]);
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
monitors: {{ quick: {{ type: tcp, interval: 200ms, timeout: 1s }} }}
pools: {{ up: {{ members: ['a:{}'], monitors: [quick] }}, down: {{ members: ['a:{}'], monitors: [quick] }} }}
virtual-servers:
  good: {{ destination: '127.0.0.1:{}', pool: up }}
  bad: {{ destination: '127.0.0.1:{}', pool: down }}
",
            up.port(),
            down.port(),
            ports[0],
            ports[1]
        )
    });
    let code = |uri: &str| pronk.get(uri, "").0;
    until("the one is down", || code("/readyz?virtual-server=bad") == 503);
    until("the other is up", || code("/readyz?virtual-server=good") == 200);
    assert_eq!((code("/readyz"), code("/healthz")), (200, 200));
    let (_, answer) = pronk.get("/readyz?virtual-server=bad", "");
    let why = body(&answer);
    assert_eq!((why["ok"].as_bool(), why["phase"].as_str()), (Some(false), Some("serving")), "{why}");
    assert_eq!(why["reason"], "bad is offline: no member is available");
    let (absent, answer) = pronk.get("/readyz?virtual-server=absent", "");
    assert_eq!((absent, &body(&answer)["reason"]), (404, &"there is no virtual server `absent`".into()));
    assert_eq!(code("/readyz?nonsense=1"), 400);

    assert!(pronk.command(&["disable", "vs", "good"]).status.success());
    let (code_now, answer) = pronk.get("/readyz", "");
    assert_eq!(code_now, 503, "{answer}");
    assert!(body(&answer)["reason"].as_str().unwrap().starts_with("no virtual server takes clients"), "{answer}");
    assert_eq!(code("/healthz"), 200, "the process is well");
    assert!(pronk.command(&["enable", "vs", "good"]).status.success());
    assert_eq!(code("/readyz"), 200);
}

#[test]
fn not_ready_but_healthy_while_connections_drain() {
    let (member, port) = (echo_member(), free_port());
    let pronk = Command::new(env!("CARGO_BIN_EXE_pronk"));
    let config = crate::lb::passthrough(member, &format!("127.0.0.1:{port}"));
    let mut pronk = Pronk::start_with(pronk, 3600, |_| config);
    assert_eq!(pronk.get("/readyz", "").0, 200, "members that nobody monitors are used");
    let mut client = connect(([127, 0, 0, 1], port).into());
    assert!(echoes(&mut client));
    pronk.signal("TERM");
    pronk.logged("draining", |line| line["message"] == "draining");
    let (code, answer) = pronk.get("/readyz", "");
    assert_eq!(code, 503, "{answer}");
    assert_eq!(body(&answer)["phase"], "draining");
    assert_eq!(pronk.get("/healthz", "").0, 200);
    let map = String::from_utf8(pronk.command(&["show", "map"]).stdout).unwrap();
    assert!(map.starts_with("pronk was told to stop"), "{map}");
    drop(client);
    assert!(pronk.ended().success());
}
