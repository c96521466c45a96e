//! Certificates, keys and authorities replaced on disk while pronk runs.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;

use crate::lb::{Pronk, free_port};
use crate::peers::echo_member;
use crate::support::ca::{Authority, Leaf, write};
use crate::tls::{FRONT, certificates, client, eventually, row, served, tls_member};

/// An offload virtual server whose certificate is the store's entry `front`.
fn offload(leaf: &Leaf) -> (Pronk, SocketAddr) {
    let (member, port) = (echo_member(), free_port());
    let pronk = Pronk::start(|folder| {
        leaf.write_store_entry(&folder.join("certs"), "front");
        format!(
            "certificate-refresh: 50ms
nodes: {{ a: {{ address: 127.0.0.1 }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles: {{ f: {{ type: client-ssl, cert-key-chain: [{{ store: front }}] }} }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', hostname: {FRONT}, pool: p, client-ssl: f }} }}
",
            member.port()
        )
    });
    (pronk, SocketAddr::from(([127, 0, 0, 1], port)))
}

fn store(pronk: &Pronk) -> std::path::PathBuf {
    pronk.folder.path().join("certs")
}

fn taken(pronk: &Pronk) {
    pronk.logged("a replacement", |line| line["message"] == "replaced certificates or authorities are in force");
}

fn refused(pronk: &Pronk) -> serde_json::Value {
    let message = "replaced files cannot be used; the last good ones stay in force";
    pronk.logged("a bad replacement", |line| line["message"] == message)
}

fn echoes(tls: &mut (impl Read + Write)) {
    tls.write_all(b"!").unwrap();
    let mut byte = [0];
    tls.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"!");
}

#[test]
fn replaced_entry_of_the_store_is_served_without_a_reload() {
    let ca = Authority::new("ca");
    let (old, new) = (ca.issue(FRONT).dns(FRONT).build(), ca.issue(FRONT).dns(FRONT).build());
    let (pronk, address) = offload(&old);
    let mut before = client(address, &ca);
    echoes(&mut before);
    assert_eq!(served(address, &ca), *old.certificate());
    new.write_store_entry(&store(&pronk), "front");
    eventually("the new certificate", || (served(address, &ca) == *new.certificate()).then_some(()));
    taken(&pronk);
    echoes(&mut before);
    eventually("the new certificate in the table", || {
        let fingerprint = row(&pronk, "cert.pem")["fingerprint"].clone();
        (fingerprint == fingerprint_of(&new)).then_some(())
    });
}

fn fingerprint_of(leaf: &Leaf) -> String {
    pronk::cert::Certificate::decode(leaf.certificate().clone()).unwrap().fingerprint()
}

#[test]
fn replacement_behind_a_symbolic_link_is_noticed() {
    let ca = Authority::new("ca");
    let (old, new) = (ca.issue(FRONT).dns(FRONT).build(), ca.issue(FRONT).dns(FRONT).build());
    let (pronk, address) = offload(&old);
    // As secrets are mounted: a link is swapped to another folder.
    let store = store(&pronk);
    std::fs::rename(store.join("front"), store.join(".old")).unwrap();
    std::os::unix::fs::symlink(".old", store.join("front")).unwrap();
    new.write_store_entry(&store, ".new");
    std::os::unix::fs::symlink(".new", store.join(".link")).unwrap();
    std::fs::rename(store.join(".link"), store.join("front")).unwrap();
    eventually("the new certificate", || (served(address, &ca) == *new.certificate()).then_some(()));
}

#[test]
fn bad_replacement_keeps_the_last_good_one_and_is_told() {
    let ca = Authority::new("ca");
    let (old, new) = (ca.issue(FRONT).dns(FRONT).build(), ca.issue(FRONT).dns(FRONT).build());
    let (pronk, address) = offload(&old);
    let folder = store(&pronk).join("front");
    // A certificate without the key that belongs to it.
    write(&folder, "cert.pem", crate::support::ca::pem_of(&new.chain).as_bytes(), 0o644);
    let line = refused(&pronk);
    assert_eq!((line["level"].as_str(), line["profile"].as_str()), (Some("ERROR"), Some("f")));
    assert!(line["reason"].as_str().unwrap().contains("does not belong to the certificate"), "{line}");
    assert_eq!(served(address, &ca), *old.certificate());

    let stale = eventually("stale", || certificates(&pronk)["stale"].as_array().unwrap().first().cloned());
    assert_eq!(stale["profile"], "f");
    assert!(row(&pronk, "cert.pem")["stale"].as_str().unwrap().contains("does not belong"));
    let text = pronk.command(&["show", "certificates"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("stale: profile f goes on with its last good files"), "{text}");

    new.write_store_entry(&store(&pronk), "front");
    eventually("the good one", || (served(address, &ca) == *new.certificate()).then_some(()));
    eventually("nothing stale", || certificates(&pronk)["stale"].as_array().unwrap().is_empty().then_some(()));
}

#[test]
fn edited_configuration_is_not_loaded_with_a_replaced_certificate() {
    let ca = Authority::new("ca");
    let (old, new) = (ca.issue(FRONT).dns(FRONT).build(), ca.issue(FRONT).dns(FRONT).build());
    let (pronk, address) = offload(&old);
    let file = pronk.folder.path().join("pronk.yaml");
    let edited = std::fs::read_to_string(&file).unwrap().replace("pool: p,", "pool: p, source: [10.0.0.0/8],");
    std::fs::write(&file, edited).unwrap();
    new.write_store_entry(&store(&pronk), "front");
    eventually("the new certificate", || (served(address, &ca) == *new.certificate()).then_some(()));
    echoes(&mut client(address, &ca));
    let pending = pronk.command(&["reload", "--dry-run"]);
    let pending = String::from_utf8(pending.stdout).unwrap();
    assert!(pending.contains("source"), "the edit still waits: {pending}");
}

#[test]
fn replaced_authorities_of_members_are_taken_over() {
    let (ca, other) = (Authority::new("front ca"), Authority::new("cluster ca"));
    let member = tls_member(&other.issue("node1").dns("node1.example.com").build());
    let port = free_port();
    let leaf = ca.issue(FRONT).dns(FRONT).build();
    let pronk = Pronk::start(|folder| {
        leaf.write(folder, "lb");
        ca.write(folder, "cluster.pem");
        format!(
            "certificate-refresh: 50ms
nodes: {{ a: {{ address: 127.0.0.1, hostname: node1.example.com }} }}
pools: {{ p: {{ members: ['a:{}'] }} }}
profiles:
  f: {{ type: client-ssl, cert-key-chain: [{{ cert: lb.pem, key: lb.key }}] }}
  b: {{ type: server-ssl, ca-file: cluster.pem }}
virtual-servers: {{ vs: {{ destination: '127.0.0.1:{port}', pool: p, client-ssl: f, server-ssl: b }} }}
",
            member.port()
        )
    });
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut refused = client(address, &ca);
    refused.write_all(b"!").unwrap();
    assert!(!matches!(refused.read(&mut [0]), Ok(1)), "the member's authority is not trusted yet");
    replace_whole(pronk.folder.path(), &other);
    taken(&pronk);
    echoes(&mut client(address, &ca));
}

fn replace_whole(folder: &Path, authority: &Authority) {
    let new = authority.write(folder, "cluster.new");
    std::fs::rename(new, folder.join("cluster.pem")).unwrap();
}

#[test]
fn refresh_can_be_left_to_reloads() {
    let ca = Authority::new("ca");
    let (old, new) = (ca.issue(FRONT).dns(FRONT).build(), ca.issue(FRONT).dns(FRONT).build());
    let (pronk, address) = offload(&old);
    let file = pronk.folder.path().join("pronk.yaml");
    let edited = std::fs::read_to_string(&file).unwrap().replace("refresh: 50ms", "refresh: indefinite");
    std::fs::write(&file, edited).unwrap();
    let reloaded = pronk.command(&["reload"]);
    let changes = String::from_utf8(reloaded.stdout).unwrap();
    assert!(changes.contains("certificate-refresh 50ms -> indefinite"), "{changes}");
    new.write_store_entry(&store(&pronk), "front");
    let reloaded = pronk.command(&["reload"]);
    let changes = String::from_utf8(reloaded.stdout).unwrap();
    assert!(changes.contains("profile f: its certificates or authorities"), "the reload is what takes it: {changes}");
    assert_eq!(served(address, &ca), *new.certificate());
}
