//! Live ports that choose their certificate by the name that a client asks for.

use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use pronk::model::profile::CipherGroup;
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::support::ca::{Authority, Leaf, write};

const NAMES: [&str; 3] = ["lb1.example.com", "lb2.example.com", "lb3.example.com"];

/// A port that has a certificate of its own for each of these names, and ends the handshake for any other.
fn port(leaves: &[(&str, Leaf)]) -> u16 {
    let provider = pronk::tls::provider(CipherGroup::Default);
    let mut resolver = ResolvesServerCertUsingSni::new();
    for (name, leaf) in leaves {
        let key = provider.key_provider.load_private_key(leaf.key_der()).unwrap();
        resolver.add(name, CertifiedKey::new(leaf.chain.clone(), key)).unwrap();
    }
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(resolver)));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            // It fails for names that are not known.
            let _ = Stream::new(&mut session, &mut stream).read(&mut [0]);
        }
    });
    port
}

fn lint(folder: &std::path::Path, args: &[String]) -> (i32, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_pronk")).arg("lint").args(args).current_dir(folder).output().unwrap();
    (run.status.code().unwrap(), String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned())
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn each_name_is_asked_for_by_itself() {
    let (ca, folder) = (Authority::new("cluster ca"), tempfile::tempdir().unwrap());
    ca.write(folder.path(), "ca.pem");
    let leaf = |name: &str| ca.issue(name).dns(name).build();
    let port = port(&NAMES.map(|name| (name, leaf(name))));
    let asked = |names: &[&str]| {
        let hostnames: String = names.iter().map(|name| format!(" --hostname {name}")).collect();
        lint(
            folder.path(),
            &words(&format!("--connect 127.0.0.1:{port} --ca-file ca.pem --fail-on warning{hostnames}")),
        )
    };
    for names in [&NAMES[..1], &NAMES[..2], &NAMES[1..], &NAMES[..]] {
        let (code, text) = asked(names);
        assert_eq!(code, 0, "{text}");
    }
    // One that the port has no certificate for is told by itself.
    let (code, text) = asked(&[NAMES[0], "lb9.example.com"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("error[tls-handshake-failed]") && text.contains("asked for lb9.example.com"), "{text}");
    assert!(!text.contains("san-missing-frontend"), "{text}");
}

#[test]
fn member_of_several_virtual_servers_is_asked_for_the_name_of_each() {
    let (ca, folder) = (Authority::new("cluster ca"), tempfile::tempdir().unwrap());
    ca.write(folder.path(), "ca.pem");
    let leaf = |name: &str| ca.issue(name).dns(name).dns("node1.example.com").build();
    let port = port(&[NAMES[0], NAMES[1]].map(|name| (name, leaf(name))));
    let config = format!(
        "nodes: {{ node1.example.com: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['node1.example.com:{port}'] }} }}
virtual-servers:
  one: {{ destination: '127.0.0.1:1', hostname: {}, pool: p }}
  two: {{ destination: '127.0.0.1:2', hostname: {}, pool: p }}
",
        NAMES[0], NAMES[1]
    );
    write(folder.path(), "pronk.yaml", config.as_bytes(), 0o644);
    let (code, text) = lint(folder.path(), &words("--config pronk.yaml --ca-file ca.pem"));
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("san-missing-frontend"), "{text}");
}
