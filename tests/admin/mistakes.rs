//! What is wrong with the keys of the admin API, and what `check` says of it.

use std::path::Path;
use std::process::Command;

use super::lab::{configuration, token};
use super::support::ca::Authority;

fn check(folder: &Path, admin: &str) -> String {
    std::fs::write(folder.join("pronk.yaml"), configuration(admin)).unwrap();
    let checked =
        Command::new(env!("CARGO_BIN_EXE_pronk")).args(["check", "pronk.yaml"]).current_dir(folder).output().unwrap();
    String::from_utf8_lossy(&checked.stderr).into_owned()
}

#[test]
fn what_would_not_work_is_told_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    Authority::new("ca").issue("lb1.example.com").dns("lb1.example.com").build().write(folder, "api");
    token(folder, "ci", "viewer", &[]);
    for (admin, told, help) in [
        (
            "listen: '10.0.0.5:9443', tokens-file: tokens",
            "in plaintext, on 10.0.0.5:9443",
            "name a `client-ssl` profile",
        ),
        ("listen: '*:9443', tokens-file: tokens", "in plaintext", "listen on 127.0.0.1"),
        ("listen: '127.0.0.1:9443'", "has no `tokens-file`", "pronk admin token create"),
        ("listen: '127.0.0.1:9443', tokens-file: none", "has no `tokens-file`", "pronk admin token create"),
        (
            "listen: '127.0.0.1:9443', tokens-file: nowhere",
            "nowhere: no such file",
            "pronk admin token create --name NAME",
        ),
        ("listen: 9443, tokens-file: tokens", "`listen` must be `address:port`", "write `address:port`"),
        (
            "listen: '127.0.0.1:9443', tokens-file: tokens, client-ssl: apx",
            "there is no profile `apx`",
            "did you mean `api`",
        ),
        (
            "listen: '127.0.0.1:9443', tokens-file: tokens, client-ssl: clientssl",
            "has no certificate",
            "cert-key-chain",
        ),
        ("listen: '127.0.0.1:9443', tokensfile: tokens", "unknown key `tokensfile`", "did you mean `tokens-file`"),
        ("tokens-file: tokens", "has no effect without `listen`", "where the API listens"),
    ] {
        let said = check(folder, admin);
        assert!(said.contains(told) && said.contains(help), "{admin}:\n{said}");
    }
    for good in [
        "listen: '127.0.0.1:9443', tokens-file: tokens",
        "listen: '[::1]:9443', tokens-file: tokens",
        "listen: '10.0.0.5:9443', tokens-file: tokens, client-ssl: api, source: 10.0.0.0/8",
        "audit-log: audit.log",
        "",
    ] {
        assert_eq!(check(folder, good), "", "{good}");
    }
    assert!(check(folder, "listen: '127.0.0.1:9443', tokens-file: tokens").is_empty());
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder.join("tokens"), PermissionsExt::from_mode(0o644)).unwrap();
    let said = check(folder, "listen: '127.0.0.1:9443', tokens-file: tokens");
    assert!(said.contains("can be read by every user") && said.contains("chmod 600"), "{said}");
}

#[test]
fn address_of_a_virtual_server_is_not_for_the_api() {
    let folder = tempfile::tempdir().unwrap();
    token(folder.path(), "ci", "viewer", &[]);
    let text = configuration("listen: '127.0.0.1:9443', tokens-file: tokens").replace("127.0.0.1:0", "0.0.0.0:9443");
    std::fs::write(folder.path().join("pronk.yaml"), text).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_pronk"))
        .args(["check", "pronk.yaml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(said.contains("virtual server `vs` listens on 0.0.0.0:9443, too"), "{said}");
}
