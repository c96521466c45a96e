use std::path::Path;
use std::process::{Command, Output};

use super::SHORT;

fn pronk(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_pronk")).current_dir(folder).args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn check_tells_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.yaml"), SHORT).unwrap();
    std::fs::write(folder.path().join("bad.yaml"), SHORT.replace("pool: p", "pool: q")).unwrap();

    let (code, out, err) = pronk(folder.path(), &["check", "good.yaml"]);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "good.yaml: ok (1 virtual server, 1 pool, 1 node)\n", ""));
    let (code, out, err) = pronk(folder.path(), &["check", "bad.yaml"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with("error: there is no pool `q`\n --> bad.yaml:3:61\n"), "{err}");
    let (code, _, err) = pronk(folder.path(), &["check", "absent.yaml"]);
    assert_eq!((code, err.contains("cannot read absent.yaml")), (Some(1), true), "{err}");
    assert_eq!(pronk(folder.path(), &["check"]).0, Some(2));
    assert_eq!(pronk(folder.path(), &["check", "good.yaml", "--hasty"]).0, Some(2));
}

#[test]
fn mistakes_in_the_file_and_in_what_it_names_are_told_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = SHORT.replace("pool: p }", "pol: p, pool: p, client-ssl: front }")
        + "profiles: { front: { type: client-ssl, cert-key-chain: [{ store: absent }] } }
monitors: { m: { type: http, user: u, password-file: nowhere } }
lint: { no-such-check: { level: warn } }
";
    std::fs::write(folder.path().join("bad.yaml"), file.replace("{ members", "{ monitors: m, members")).unwrap();
    let (code, _, err) = pronk(folder.path(), &["check", "bad.yaml"]);
    assert_eq!(code, Some(1));
    for told in ["unknown key `pol`", "has no entry \"absent\"", "monitor `m` has no password", "no-such-check"] {
        assert!(err.contains(told), "{told}: {err}");
    }
}

/// A mistake leads to no other that nobody made, and none is put on another's place.
#[test]
fn one_mistake_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    for (profile, wanted) in [
        (
            "cert-key-chain: [{ store: a }], minimum-version: tls1.3, maximum-version: tls1.2",
            "is above maximum-version",
        ),
        ("cert-key-chain: [{ store: a }], peer-cert-mode: require", "has no `ca-file` to check them with"),
        ("cert-key-chain: [{ store: a, cert: b }]", "`store` is given together with"),
        ("cert-key-chain: [{ store: a, cert: b }, { cert: absent.pem }]", "`store` is given together with"),
        ("cert-key-chain: 3", "`cert-key-chain` must be a list of certificates"),
    ] {
        let file = SHORT.replace("pool: p }", "pool: p, client-ssl: front }")
            + &format!("profiles: {{ front: {{ type: client-ssl, {profile} }} }}\n");
        std::fs::write(folder.path().join("bad.yaml"), file).unwrap();
        let (_, _, err) = pronk(folder.path(), &["check", "bad.yaml"]);
        assert!(err.matches("error:").count() == 1 && err.contains(wanted), "{profile}: {err}");
    }
    std::fs::write(folder.path().join("bad.yaml"), SHORT.to_owned() + "certificate-store: [x]\n").unwrap();
    let (_, _, err) = pronk(folder.path(), &["check", "bad.yaml"]);
    assert!(err.matches("error:").count() == 1 && err.contains("`certificate-store` must be a path"), "{err}");
}

#[test]
fn schema_and_reference_are_printed() {
    let (code, out, _) = pronk(Path::new("/"), &["config", "schema"]);
    assert_eq!(code, Some(0));
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(pronk(Path::new("/"), &["config", "reference"]).1.starts_with("# Configuration reference\n"));
}
