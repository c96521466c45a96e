//! What an impala monitor finds is what connections meet: in each TLS mode, of members with and without TLS, and with
//! every flaw of a certificate.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use crate::lb::{Pronk, free_port, until};
use crate::peers::{connect, member};
use crate::support::ca::Authority;
use crate::tls_peers::{FRONT, NODE, showing, tls_member};
use pronk::model::profile::CipherGroup;

/// GetInfo, as far as a member without SASL has to read it.
const QUESTION: &[u8] = b"\x80\x01\0\x01\0\0\0\x07GetInfo\0\0\0\0\0";
const ANSWER: &[u8] = b"\x80\x01\0\x02\0\0\0\x07GetInfo\0\0\0\0\0";

/// What members speak, by the name of their pool.
const MEMBERS: [&str; 5] = ["plain", "good", "wrong-name", "wrong-issuer", "expired"];
/// The keys of virtual servers, by their TLS mode.
const MODES: [(&str, &str); 4] = [
    ("passthrough", ""),
    ("offload", ", client-ssl: front"),
    ("re-encrypt", ", client-ssl: front, server-ssl: back"),
    ("server-ssl-only", ", server-ssl: back"),
];

/// Answers as an impalad without SASL does, which takes a ClientHello for the beginning of a long message.
fn impalad(mut stream: impl Read + Write) {
    let mut first = [0; 4];
    if stream.read_exact(&mut first).is_err() {
        return;
    }
    if first == QUESTION[..4] {
        let _ = stream.write_all(ANSWER).and_then(|()| stream.flush());
    }
    while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
}

/// Returns the members, in the order of their names. Those with a good certificate have it from `ca`.
fn members(ca: &Authority) -> [SocketAddr; 5] {
    let tls = |leaf| tls_member(showing(&leaf), impalad);
    let for_node = |ca: &Authority| ca.issue(NODE).dns(NODE).build();
    [
        member(impalad),
        tls(for_node(ca)),
        tls(ca.issue("other.example.test").dns("other.example.test").build()),
        tls(for_node(&Authority::new("another"))),
        tls(ca.issue(NODE).dns(NODE).expired().build()),
    ]
}

/// Waits until the monitor finds the only member of a pool available, or not, for this reason. Returns the whole reason.
#[track_caller]
fn found(pronk: &Pronk, pool: &str, is_available: bool, reason: &str) -> String {
    let mut status = serde_json::Value::Null;
    until(&format!("{pool} is found available: {is_available}, {reason}"), || {
        let map: serde_json::Value = serde_json::from_slice(&pronk.command(&["show", "map", "--json"]).stdout).unwrap();
        let servers = map["virtual_servers"].as_array().unwrap();
        let server = servers.iter().find(|it| it["pool"]["name"] == pool).unwrap();
        status = server["pool"]["members"][0]["status"].clone();
        status["availability"] != "unknown"
            && (status["availability"] == "available") == is_available
            && status["reason"].as_str().unwrap().contains(reason)
    });
    status["reason"].as_str().unwrap().to_owned()
}

/// Whether a client of a virtual server is answered.
fn works(port: u16, client_tls: bool) -> bool {
    let tcp = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    if client_tls {
        let name = ServerName::try_from(FRONT).unwrap();
        is_answered(StreamOwned::new(ClientConnection::new(trusting_anybody(), name).unwrap(), tcp))
    } else {
        is_answered(tcp)
    }
}

fn is_answered(mut stream: impl Read + Write) -> bool {
    let mut answer = [0; ANSWER.len()];
    stream.write_all(QUESTION).and_then(|()| stream.flush()).and_then(|()| stream.read_exact(&mut answer)).is_ok()
        && answer == ANSWER
}

/// The settings of a client that takes any certificate, as impala-shell does without `--ca_cert`.
fn trusting_anybody() -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(pronk::tls::provider(CipherGroup::Default))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    Arc::new(config)
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        pronk::tls::provider(CipherGroup::Default).signature_verification_algorithms.supported_schemes()
    }
}

/// The profiles and monitors of all files here. The monitor goes by the port alone, and soon.
const SETTINGS: &str = "
monitors: { m: { type: impala, web-port: 0, interval: 1s, timeout: 4s, jitter: false } }
profiles:
  front: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key }] }
  back: { type: server-ssl, ca-file: ca.pem, handshake-timeout: 1s }
";

#[test]
fn member_is_available_exactly_if_connections_work() {
    let ca = Authority::new("cluster");
    let members = members(&ca);
    let mut all = Vec::new();
    for (mode, keys) in MODES {
        for (name, member) in MEMBERS.into_iter().zip(members) {
            // Connections to the one pool go by no monitor.
            all.push((format!("{mode}-{name}"), mode, name, keys, member, [free_port(), free_port()]));
        }
    }
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        ca.write(folder, "ca.pem");
        let (mut pools, mut servers) = (String::new(), String::new());
        for (pool, _, _, keys, member, ports) in &all {
            for (pool, monitors, port) in [(pool, "", ports[0]), (&format!("{pool}-watched"), "m", ports[1])] {
                writeln!(pools, "  {pool}: {{ members: ['a:{}'], monitors: [{monitors}] }}", member.port()).unwrap();
                writeln!(servers, "  {pool}: {{ destination: '127.0.0.1:{port}', pool: {pool}{keys} }}").unwrap();
            }
        }
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
{SETTINGS}pools:\n{pools}virtual-servers:\n{servers}"
        )
    });
    for (pool, mode, name, _, _, ports) in &all {
        let speaks_tls = *name != "plain";
        let (expected, client_tls) = match *mode {
            "passthrough" => (true, speaks_tls),
            "offload" => (!speaks_tls, true),
            "server-ssl-only" => (*name == "good", false),
            _ => (*name == "good", true),
        };
        assert_eq!(works(ports[0], client_tls), expected, "{pool}: connections");
        let reason = found(&pronk, &format!("{pool}-watched"), expected, "");
        assert!(!expected || works(ports[1], client_tls), "{pool}: connections");

        if !expected && speaks_tls && *mode != "offload" {
            let record = pronk.logged("the connection's end", |line| {
                line["virtual_server"] == **pool && line["close.detail"].is_string()
            });
            let detail = record["close.detail"].as_str().unwrap().strip_prefix("the member ").unwrap();
            assert!(reason.contains(detail), "{pool}: {reason}, and of a connection: {detail}");
        }
    }
}

/// Replaces a part of the configuration file, and reloads it.
fn reload(pronk: &Pronk, from: &str, to: &str) {
    let file = pronk.folder.path().join("pronk.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
    let reloaded = pronk.command(&["reload"]);
    assert!(reloaded.status.success(), "{reloaded:?}");
}

#[test]
fn monitor_follows_the_virtual_servers_of_its_pool_and_their_authorities() {
    let (ca, another) = (Authority::new("cluster"), Authority::new("another"));
    let leaf = ca.issue(NODE).dns(NODE).build();
    let member = tls_member(showing(&leaf), impalad);
    let port = free_port();
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        another.write(folder, "ca.pem");
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
certificate-refresh: 1s
{SETTINGS}
pools: {{ p: {{ members: ['a:{}'], monitors: [m] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, client-ssl: none }} }}
",
            member.port()
        )
    });
    found(&pronk, "p", true, "");
    reload(&pronk, "client-ssl: none", "client-ssl: none, server-ssl: back");
    found(&pronk, "p", false, "showed a certificate from an issuer that is not trusted");
    ca.write(pronk.folder.path(), "ca.pem");
    found(&pronk, "p", true, "");
    reload(&pronk, "server-ssl: back", "server-ssl: none");
    reload(&pronk, "client-ssl: none", "client-ssl: front");
    found(&pronk, "p", false, "its virtual servers speak plaintext to it");
    reload(&pronk, "server-ssl: none", "server-ssl: back");
    found(&pronk, "p", true, "");
    assert!(works(port, true));
}

#[test]
fn pool_of_offload_and_re_encrypt_is_as_good_as_the_better_of_the_two() {
    let ca = Authority::new("cluster");
    let members = members(&ca);
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        ca.write(folder, "ca.pem");
        let (mut pools, mut servers) = (String::new(), String::new());
        for (name, member) in MEMBERS.into_iter().zip(members) {
            writeln!(pools, "  {name}: {{ members: ['a:{}'], monitors: [m] }}", member.port()).unwrap();
            for (mode, keys) in &MODES[1..3] {
                let port = free_port();
                writeln!(servers, "  {name}-{mode}: {{ destination: '127.0.0.1:{port}', pool: {name}{keys} }}")
                    .unwrap();
            }
        }
        format!(
            "nodes: {{ a: {{ address: 127.0.0.1, hostname: {NODE} }} }}
{SETTINGS}pools:\n{pools}virtual-servers:\n{servers}"
        )
    });
    for name in MEMBERS {
        let reason = if name == "wrong-name" { "showed a certificate with the wrong name" } else { "" };
        found(&pronk, name, ["plain", "good"].contains(&name), reason);
    }
    let file = pronk.folder.path().join("pronk.yaml");
    let said = String::from_utf8(pronk.command(&["check", file.to_str().unwrap()]).stderr).unwrap();
    assert!(said.contains("they serve only one of the two"), "{said}");
}
