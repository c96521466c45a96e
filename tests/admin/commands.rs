//! pronk's commands from elsewhere: by the URL of the API, a token and an authority.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::lab::Lab;

/// Runs a command of pronk's over the network; returns whether it succeeded, and what it said.
fn run(lab: &Lab, token: &str, more: &[(&str, &str)], words: &[&str]) -> (bool, String) {
    let file = lab.folder().join("my.token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pronk"));
    command.args(words).env_remove("PRONK_ADMIN_SOCKET").env("PRONK_ADMIN_TOKEN_FILE", file);
    command
        .env("PRONK_ADMIN_URL", format!("https://127.0.0.1:{}", lab.port))
        .env("PRONK_ADMIN_CA_FILE", lab.folder().join("ca.pem"));
    command.envs(more.iter().copied());
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn operator_works_from_elsewhere() {
    let lab = Lab::tls();
    let (done, map) = run(&lab, &lab.viewer, &[], &["show", "map"]);
    assert!(done && map.contains(&format!("process {}", lab.pronk.pid())), "{map}");
    let (done, said) = run(&lab, &lab.operator, &[], &["disable", "node", "a", "--reason", "disk"]);
    assert!(done && said.contains("node a is disabled"), "{said}");
    let (done, said) = run(&lab, &lab.admin, &[], &["reload"]);
    assert!(done && said == "no change\n", "{said}");
    let records = lab.audit();
    assert!(records.iter().any(|it| it["why"] == "disk" && it["role"] == "operator"), "{records:?}");
}

#[test]
fn refusals_say_what_to_do() {
    let lab = Lab::tls();
    let told = |token: &str, more: &[(&str, &str)], words: &[&str]| {
        let (done, said) = run(&lab, token, more, words);
        assert!(!done, "{said}");
        said
    };
    let said = told(&lab.viewer, &[], &["reload"]);
    assert!(said.contains("POST /v1/reload needs the role admin, and the token `viewer` has viewer"), "{said}");
    let said = told("pronk_wrong", &[], &["show", "map"]);
    assert!(said.contains("not known here"), "{said}");
    let other = lab.folder().join("api.pem");
    let said = told(&lab.viewer, &[("PRONK_ADMIN_CA_FILE", other.to_str().unwrap())], &["show", "map"]);
    assert!(said.contains("not trusted") && said.contains("--admin-ca-file"), "{said}");
    let elsewhere = format!("https://localhost:{}", lab.port);
    let said = told(&lab.viewer, &[("PRONK_ADMIN_URL", &elsewhere)], &["show", "map"]);
    assert!(said.contains("wrong name") && said.contains("write a name of the certificate into the URL"), "{said}");
    let plain = format!("http://127.0.0.1:{}", lab.port);
    let said = told(&lab.viewer, &[("PRONK_ADMIN_URL", &plain)], &["show", "map"]);
    assert!(said.contains("no pronk, or one of another version"), "{said}");
    let nobody = format!("https://127.0.0.1:{}", super::support::lb::free_port());
    let said = told(&lab.viewer, &[("PRONK_ADMIN_URL", &nobody)], &["show", "map"]);
    assert!(said.contains("connection refused") && said.contains("`listen` of `admin`"), "{said}");
    let said = told(&lab.viewer, &[("PRONK_ADMIN_SOCKET", "/x")], &["show", "map"]);
    assert!(said.contains("leave one out"), "{said}");
}
