//! The whole configurations of `examples/`: each is checked and served, and documentation shows them as they are.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConnection, ServerConnection, StreamOwned};

use super::pronk;
use super::support::ca::Authority;
use super::support::lb::{Pronk, free_port, until};
use super::support::peers::{connect, member};
use super::support::tls::{showing, trusting};

const FRONT: &str = "f5-impala.sjc.example.com";
const NODES: [&str; 3] = ["nightly56-2", "nightly56-3", "nightly56-4"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names and texts of all examples.
fn examples() -> Vec<(String, String)> {
    let files = std::fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    all.sort();
    assert!(all.len() >= 7, "{all:?}");
    all
}

/// Writes what examples name into a folder: the certificate of the front end, the cluster's authority, and a token.
fn write_certificates(ca: &Authority, folder: &Path) {
    ca.issue(FRONT).dns(FRONT).build().write_store_entry(&folder.join("certs"), "f5-impala");
    ca.write(folder, "cluster-ca.pem");
    let token = ["admin", "token", "create", "--name", "alice", "--role", "admin", "--file", "admin-tokens"];
    assert_eq!(pronk(folder, &token).code, Some(0));
}

#[test]
fn every_example_passes_a_strict_check() {
    let folder = tempfile::tempdir().unwrap();
    write_certificates(&Authority::new("cluster ca"), folder.path());
    for (name, text) in examples() {
        std::fs::write(folder.path().join(&name), text).unwrap();
        let ran = pronk(folder.path(), &["check", "--strict", &name]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{name}");
    }
}

/// With the certificate that its commands make.
#[test]
fn file_of_the_readme_is_accepted_as_pasted() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let command = "pronk cert create f5-impala --dns f5-impala.sjc.example.com";
    assert!(readme.contains(command));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pronk.yaml"), text).unwrap();
    let words: Vec<_> = command.split(' ').skip(1).collect();
    assert_eq!(pronk(folder.path(), &words).code, Some(0));
    let ran = pronk(folder.path(), &["check", "--strict", "pronk.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

/// An impalad that answers each call with a reply of the same bytes, which satisfies the monitor, with TLS or without.
fn impalad(ca: &Authority, node: &str, tls: bool) -> SocketAddr {
    let name = format!("{node}.gce.example.com");
    let config = tls.then(|| showing(&ca.issue(&name).dns(&name).dns(FRONT).build()));
    member(move |tcp| match &config {
        Some(config) => replies(StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), tcp)),
        None => replies(tcp),
    })
}

fn replies(mut stream: impl Read + Write) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if buffer.starts_with(CALL) {
            buffer[3] = REPLY;
        }
        let _ = stream.write_all(&buffer[..count]);
    }
}

/// How a call begins in Thrift's binary protocol; the last byte is of its kind.
const CALL: &[u8] = b"\x80\x01\x00\x01";
const REPLY: u8 = 2;

/// Puts the members and the destinations of an example onto this machine. Returns the text, and where port 21050 is.
fn on_this_machine(text: &str, members: &[SocketAddr; 3]) -> (String, SocketAddr) {
    let mut text = text.to_owned();
    for (node, member) in NODES.iter().zip(members) {
        for port in [21050, 21000] {
            text = text.replace(&format!("{node}:{port}"), &format!("{node}:{}", member.port()));
        }
    }
    for last in 2..=4 {
        text = text.replace(&format!("10.17.84.{last}"), "127.0.0.1");
    }
    let (hs2, beeswax) = (free_port(), free_port());
    let text = text.replace("*:21050", &format!("127.0.0.1:{hs2}")).replace("*:21000", &format!("127.0.0.1:{beeswax}"));
    let text = text.replace("*:9443", &format!("127.0.0.1:{}", free_port()));
    (text.replace("monitors: [impala]", "monitors: [quick]"), (Ipv4Addr::LOCALHOST, hs2).into())
}

/// The monitor of the examples, without the web UI, which these impalads do not have.
const QUICK: &str = "  quick: { type: impala, web-port: 0, interval: 1s, timeout: 4s }\n";

fn is_answered(stream: &mut (impl Read + Write)) {
    let call = [CALL, b"\0\0\0\x04ping\0\0\0\0\0"].concat();
    stream.write_all(&call).unwrap();
    let mut answer = vec![0; call.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!((answer[3], &answer[4..]), (REPLY, &call[4..]));
}

fn over_tls(ca: &Authority, tcp: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    let connection = ClientConnection::new(trusting(ca), FRONT.try_into().unwrap()).unwrap();
    StreamOwned::new(connection, tcp)
}

#[test]
fn every_example_serves() {
    for (name, text) in examples() {
        let ca = Authority::new("cluster ca");
        let members_have_tls = text.contains("server-ssl: ") || name == "passthrough.yaml";
        let clients_have_tls = name != "plain.yaml";
        let members = NODES.map(|node| impalad(&ca, node, members_have_tls));
        let (text, destination) = on_this_machine(&text, &members);
        let text = if text.contains("\nmonitors:\n") {
            text.replace("\nmonitors:\n", &format!("\nmonitors:\n{QUICK}"))
        } else {
            format!("{text}\nmonitors:\n{QUICK}")
        };
        let running = Pronk::start(|folder| {
            write_certificates(&ca, folder);
            text
        });
        let map = || String::from_utf8(running.command(&["show", "map"]).stdout).unwrap();
        until("all members are up", || !map().contains("unknown"));
        assert!(!map().contains(" offline: "), "{name}: {}", map());
        let client = connect(destination);
        if clients_have_tls {
            is_answered(&mut over_tls(&ca, client));
        } else {
            is_answered(&mut { client });
        }
        let expected = match name.as_str() {
            "plain.yaml" => "plain",
            "passthrough.yaml" => "passthrough",
            "re-encrypt.yaml" | "kerberos.yaml" => "re-encrypt",
            _ => "offload",
        };
        let closed = running.logged("the record", |line| line["close.code"].is_string() && line["bytes_in"] != 0);
        assert_eq!(closed["mode"], expected, "{name}");
        until("the map tells the mode", || map().contains(expected));
    }
}

/// `make generated` writes both.
#[test]
fn examples_are_what_init_writes_and_documentation_shows_them_as_they_are() {
    let daemons = [2, 3, 4].map(|last| format!("--daemon=nightly56-{last}.gce.example.com=10.17.84.{last}"));
    for (name, mode, more) in [
        ("plain", "plain", &[][..]),
        ("passthrough", "passthrough", &[]),
        ("offload", "offload", &[]),
        ("re-encrypt", "re-encrypt", &["--ca-file", "cluster-ca.pem"]),
        ("hue", "offload", &["--hue"]),
    ] {
        let mut words = vec!["init", "-", "--front-end", FRONT, "--mode", mode, "--port", "21050,21000"];
        words.extend(daemons.iter().map(String::as_str));
        words.extend(more);
        let ran = pronk(&root(), &words);
        let file = std::fs::read_to_string(root().join(format!("examples/{name}.yaml"))).unwrap();
        assert_eq!(ran.out.replace("pronk.yaml", &format!("{name}.yaml")), file, "{name}: run `make generated`");
    }
    let mut shown = 0;
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    for page in docs.chain([root().join("README.md")]).filter(|path| path.extension().is_some_and(|it| it == "md")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for part in text.split("<!-- file: ").skip(1) {
            let (path, rest) = part.split_once(" -->\n").unwrap();
            let (block, _) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{}: no end", page.display()));
            let file = std::fs::read_to_string(root().join(path)).unwrap();
            assert_eq!(block, format!("```yaml\n{file}```\n"), "{}: {path}: run `make generated`", page.display());
            shown += 1;
        }
    }
    assert!(shown > 0, "no page shows a file");
}
