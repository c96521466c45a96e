//! A virtual server without TLS on either side is called plain, wherever it is told of.

use std::io::{Read, Write};
use std::net::SocketAddr;

use super::pronk;
use super::support::lb::{Pronk, free_port, passthrough, until};
use super::support::peers::{connect, echo_member};

/// The beginning of a Thrift message, and of a TLS handshake.
const THRIFT: &[u8] = b"\x80\x01\x00\x01\x00\x00\x00\x04ping";
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";

fn mode(pronk: &Pronk) -> String {
    let map: serde_json::Value = serde_json::from_slice(&pronk.command(&["show", "map", "--json"]).stdout).unwrap();
    map["virtual_servers"][0]["mode"].as_str().unwrap().to_owned()
}

/// Sends what opens a session, and waits for the answer.
fn answered(address: SocketAddr, opening: &[u8]) {
    let mut client = connect(address);
    client.write_all(opening).unwrap();
    client.read_exact(&mut vec![0; opening.len()]).unwrap();
}

#[test]
fn what_passes_without_tls_is_plain_in_map_and_logs() {
    for (opening, expected) in [(THRIFT, "plain"), (CLIENT_HELLO, "passthrough")] {
        let port = free_port();
        let pronk = Pronk::start(|_| passthrough(echo_member(), &format!("127.0.0.1:{port}")));
        let listening = pronk.logged("listening", |line| line["message"] == "listening");
        assert!(listening.get("mode").is_none(), "nothing is known yet: {listening}");
        answered(([127, 0, 0, 1], port).into(), opening);
        let closed = pronk.closed("client-fin");
        assert_eq!(closed["mode"], expected);
        until("the map tells the mode", || mode(&pronk) == expected);
    }
}

#[test]
fn names_in_certificates_of_a_plain_virtual_server_are_not_asked_for() {
    let (port, web) = (free_port(), echo_member().port());
    let pronk = Pronk::start(|_| {
        passthrough(echo_member(), &format!("127.0.0.1:{port}")).replace("members:", "monitors: m, members:")
            + &format!(
                "monitors: {{ m: {{ type: http, send: /, recv: x, alias-port: {web} }}, plain: {{ type: impala, ssl: false, web-port: 0 }} }}\n"
            )
    });
    let shown = || String::from_utf8(pronk.command(&["show", "certificates"]).stdout).unwrap();
    assert!(shown().contains("for want of a hostname: vs"), "{}", shown());
    let file = pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("monitors: m,", "monitors: plain,");
    std::fs::write(&file, text).unwrap();
    assert!(pronk.command(&["reload"]).status.success());
    until("nothing is asked for", || !shown().contains("for want of"));
}

/// A monitor without TLS, or an offload virtual server beside it, says that there is none.
#[test]
fn plain_virtual_server_is_not_linted_for_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let text = "nodes: { a: { address: 127.0.0.1 } }
monitors: { m: { type: impala, ssl: false } }
pools: { p: { monitors: [m], members: ['a:1'] } }
virtual-servers: { vs: { destination: '127.0.0.1:0', hostname: lb.example.com, pool: p } }
";
    std::fs::write(folder.path().join("pronk.yaml"), text).unwrap();
    let ran = pronk(folder.path(), &["lint", "--config", "pronk.yaml"]);
    assert_eq!(ran.code, Some(0), "no port is asked for a certificate: {}", ran.out);
    assert!(ran.err.contains("virtual server `vs` is plain"), "{}", ran.err);
    let checked = pronk(folder.path(), &["check", "--strict", "pronk.yaml"]);
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""));
}
