//! What members show, as monitors of type tls see it.

use std::net::SocketAddr;

use crate::lb::{Pronk, free_port};
use crate::support::ca::Authority;
use crate::tls::{FRONT, certificates, eventually, row, silent_member, tls_member};

/// A passthrough virtual server with a monitor of type tls.
fn passthrough(member: SocketAddr) -> Pronk {
    let port = free_port();
    Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: node1.example.com }} }}
pools: {{ p: {{ monitors: [often], members: ['a:{}'] }} }}
monitors: {{ often: {{ type: tls, interval: 300ms, timeout: 3s }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', hostname: {FRONT}, pool: p }} }}
",
            member.port()
        )
    })
}

#[test]
fn member_certificate_without_the_front_ends_name_is_told() {
    let ca = Authority::new("cluster ca");
    let member = tls_member(&ca.issue("node1.example.com").dns("node1.example.com").build());
    let pronk = passthrough(member);
    pronk.logged("up", |line| line["message"] == "member is up");
    let source = format!("a:{}", member.port());
    let warning = pronk.logged("the finding", |line| line["check"] == "san-missing-frontend");
    assert_eq!((warning["level"].as_str(), warning["source"].as_str()), (Some("WARN"), Some(source.as_str())));
    assert!(warning["message"].as_str().unwrap().contains(FRONT), "{warning}");

    let row = row(&pronk, &source);
    assert_eq!(row["kind"], "member");
    assert_eq!(row["missing_names"], serde_json::json!([FRONT]));
    assert_eq!(row["virtual_servers"], serde_json::json!(["vs"]));
    assert!(row["errors"].as_u64().unwrap() >= 1 && row["seconds_left"].as_i64().unwrap() > 0, "{row}");
    assert_eq!(row["findings"][0]["check"], "san-missing-frontend");
    assert!(row["seen_seconds_ago"].as_u64().unwrap() < 20);
    let text = String::from_utf8(pronk.command(&["show", "certificates"]).stdout).unwrap();
    assert!(text.contains(&source) && text.contains("error: san-missing-frontend"), "{text}");
    assert!(certificates(&pronk)["unwatched"].as_array().unwrap().is_empty());
}

#[test]
fn finding_is_gone_once_the_name_is_there() {
    let ca = Authority::new("cluster ca");
    let member = tls_member(&ca.issue("node1.example.com").dns("node1.example.com").build());
    let pronk = passthrough(member);
    pronk.logged("the finding", |line| line["check"] == "san-missing-frontend");
    let file = pronk.folder.path().join("pronk.yaml");
    let edited = std::fs::read_to_string(&file).unwrap().replace(FRONT, "node1.example.com");
    std::fs::write(&file, edited).unwrap();
    pronk.signal("HUP");
    let gone =
        pronk.logged("gone", |line| line["message"] == "no longer found" && line["check"] == "san-missing-frontend");
    assert_eq!(gone["level"], "INFO");
    let source = format!("a:{}", member.port());
    eventually("no missing name", || {
        row(&pronk, &source)["missing_names"].as_array().unwrap().is_empty().then_some(())
    });
}

#[test]
fn plaintext_member_is_down_with_the_reason() {
    let pronk = passthrough(silent_member());
    let down = pronk.logged("down", |line| line["message"] == "member is down");
    let reason = down["reason"].as_str().unwrap();
    assert!(reason.contains("did not answer a TLS hello: probably a port without TLS"), "{reason}");
    assert!(certificates(&pronk)["certificates"].as_array().unwrap().is_empty());
}

#[test]
fn member_that_no_monitor_of_type_tls_looks_at_is_named() {
    let port = free_port();
    let pronk = Pronk::start(|_| {
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ monitors: [tcp], members: ['a:21050'] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p }} }}
"
        )
    });
    let all = certificates(&pronk);
    assert_eq!(all["unwatched"], serde_json::json!(["a:21050"]));
    assert_eq!(all["nameless"], serde_json::json!(["vs"]));
}
