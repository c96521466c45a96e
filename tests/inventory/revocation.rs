//! Authorities and revocation lists by which profiles verify peers: reported before they end, and replaced.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pronk::model::profile::CipherGroup;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};

use crate::lb::{Pronk, free_port};
use crate::peers::{connect, echo_member};
use crate::support::ca::{Authority, write};
use crate::support::crl::{List, pem};
use crate::tls::{FRONT, row};

const DAY: i64 = 86_400;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn write_list(folder: &Path, ca: &Authority, list: &List) {
    // Another inode each time, whatever the clock's grain.
    write(folder, "crl.new", pem(&[list.der(ca)]).as_bytes(), 0o644);
    std::fs::rename(folder.join("crl.new"), folder.join("crl.pem")).unwrap();
}

/// Offload for clients with a certificate of `ca`, who are looked up in a list.
fn front(ca: &Authority, list: &List) -> (Pronk, SocketAddr) {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|folder| {
        ca.issue(FRONT).dns(FRONT).build().write(folder, "lb");
        ca.write(folder, "ca.pem");
        write_list(folder, ca, list);
        format!(
            "certificate-refresh: 50ms
nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles:
  f:
    type: client-ssl
    cert-key-chain: [{{ cert: lb.pem, key: lb.key }}]
    peer-cert-mode: require
    ca-file: ca.pem
    crl-file: crl.pem
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', hostname: {FRONT}, pool: p, client-ssl: f }} }}
",
            member.port()
        )
    });
    (pronk, SocketAddr::from(([127, 0, 0, 1], port)))
}

#[test]
fn list_that_ends_within_days_is_logged_shown_and_told_by_check() {
    let ca = Authority::new("ca");
    let (from, until) = (now() - 20 * DAY, now() + 3 * DAY + 60);
    let (pronk, _) = front(&ca, &List::new(now()).number(7).dated(from, until));
    let words = "the revocation list of CN=ca is due for its next update in 3 days";
    let line = pronk.logged("the warning", |line| line["message"].as_str().is_some_and(|it| it.starts_with(words)));
    assert_eq!((line["check"].as_str(), line["level"].as_str()), (Some("crl-expiring-soon"), Some("WARN")));
    let row = row(&pronk, "crl.pem");
    assert_eq!((row["kind"].as_str(), row["profile"].as_str()), (Some("revocation-list"), Some("f")));
    assert_eq!((row["issuer"].as_str(), row["not_after"].as_i64()), (Some("CN=ca"), Some(until)));
    assert_eq!(row["findings"][0]["check"], "crl-expiring-soon");

    let file = pronk.folder.path().join("pronk.yaml");
    let checked = pronk.command(&["check", file.to_str().unwrap()]);
    let told = String::from_utf8(checked.stderr).unwrap();
    assert!(checked.status.success() && told.contains(words), "{told}");
    assert!(told.contains("crl-file: crl.pem"), "at its place: {told}");
    let linted = pronk.command(&["lint", "--config", file.to_str().unwrap()]);
    assert!(String::from_utf8(linted.stdout).unwrap().contains("crl-expiring-soon"));

    write_list(pronk.folder.path(), &ca, &List::new(now()).number(8).dated(from, now() + 30 * DAY));
    pronk.logged("the renewed list", |line| line["message"] == "no longer found");
}

#[test]
fn check_tells_of_certificates_that_end_soon() {
    let ca = Authority::new("ca");
    let (pronk, _) = front(&ca, &List::new(now()).number(7).dated(now() - 20 * DAY, now() + 20 * DAY));
    let (folder, file) = (pronk.folder.path(), pronk.folder.path().join("pronk.yaml"));
    let check = || {
        let checked = pronk.command(&["check", file.to_str().unwrap()]);
        (checked.status.success(), String::from_utf8(checked.stderr).unwrap())
    };
    assert_eq!(check(), (true, String::new()));
    for (until, words) in [(now() + 9 * DAY + 60, "expires in 9 days"), (now() - DAY, "expired on")] {
        ca.issue(FRONT).dns(FRONT).until(until).build().write(folder, "lb");
        let (is_taken, told) = check();
        assert!(is_taken && told.contains("warning") && told.contains(words), "{told}");
        assert!(told.contains("cert: lb.pem"), "at its place: {told}");
    }
}

/// Connects; returns whether the session was resumed, and none if the client is refused.
fn connects(address: SocketAddr, config: &Arc<ClientConfig>) -> Option<bool> {
    let name = ServerName::try_from(FRONT).unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut tls = StreamOwned::new(session, connect(address));
    let mut byte = [0];
    (tls.write_all(b"!").is_ok() && matches!(tls.read(&mut byte), Ok(1)))
        .then(|| tls.conn.handshake_kind() == Some(HandshakeKind::Resumed))
}

#[test]
fn list_that_is_replaced_while_pronk_runs_revokes_a_session() {
    let ca = Authority::new("ca");
    let list = List::new(now()).number(7).dated(now() - 20 * DAY, now() + 20 * DAY);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (pronk, address) = front(&ca, &list);
        let alice = ca.issue("alice").client().build();
        let mut roots = RootCertStore::empty();
        roots.add(ca.certificate().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(pronk::tls::provider(CipherGroup::Default))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(alice.chain.clone(), alice.key_der())
            .unwrap();
        let config = Arc::new(config);
        assert_eq!(connects(address, &config), Some(false));
        assert_eq!(connects(address, &config), Some(true));
        write_list(pronk.folder.path(), &ca, &list.clone().number(8).revoking(&alice));
        pronk.logged("the new list", |it| it["message"] == "replaced certificates or authorities are in force");
        assert_eq!(connects(address, &config), None, "{version:?}");
        pronk.closed("client-certificate-refused");
    }
}
