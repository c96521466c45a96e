//! `pronk init`: a first configuration from options, or from answers on a terminal.

use std::path::Path;
use std::process::{Command, Stdio};

use super::pronk;
use super::support::ca::Authority;

const FRONT: &str = "--front-end=f5-impala.example.com";
const DAEMONS: [&str; 2] = ["--daemon=node1.example.com=10.1.1.1", "--daemon=node2.example.com=10.1.1.2"];

/// Every mode, with its further options.
const MODES: [(&str, &[&str]); 4] = [
    ("plain", &[]),
    ("passthrough", &[]),
    ("offload", &["--certificate=self-signed"]),
    ("re-encrypt", &["--certificate=self-signed", "--ca-file=ca.pem"]),
];

fn words<'a>(mode: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["init", "--mode", mode, FRONT].into_iter().chain(DAEMONS).chain(more.iter().copied()).collect()
}

#[test]
fn file_of_every_mode_is_accepted_without_a_warning() {
    for (mode, more) in MODES {
        for further in [&[][..], &["--hue", "--port=21050,21000,28000"]] {
            let folder = tempfile::tempdir().unwrap();
            Authority::new("cluster ca").write(folder.path(), "ca.pem");
            let ran = pronk(folder.path(), &words(mode, &[more, further].concat()));
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{mode}");
            assert!(ran.out.ends_with("wrote pronk.yaml\nnext: pronk run pronk.yaml\n"), "{mode}: {}", ran.out);
            let checked = pronk(folder.path(), &["check", "--strict", "pronk.yaml"]);
            assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{mode}");
        }
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pronk.yaml");
    std::fs::write(&file, "mine").unwrap();
    let ran = pronk(folder.path(), &words("offload", &["--certificate=self-signed"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("pronk.yaml exists, and is not overwritten"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert!(!folder.path().join("certs").exists(), "no certificate is made for it");

    // A certificate that is there is used as it is.
    assert_eq!(pronk(folder.path(), &["cert", "create", "f5-impala", "--dns", "f5-impala.example.com"]).code, Some(0));
    let before = std::fs::read(folder.path().join("certs/f5-impala/cert.pem")).unwrap();
    let ran = pronk(folder.path(), &words("offload", &["other.yaml", "--certificate=self-signed"]));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(std::fs::read(folder.path().join("certs/f5-impala/cert.pem")).unwrap(), before);
}

#[test]
fn request_is_written_for_an_authority_to_sign() {
    let folder = tempfile::tempdir().unwrap();
    let ran = pronk(folder.path(), &words("offload", &["--certificate=csr"]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let request = std::fs::read_to_string(folder.path().join("f5-impala.csr")).unwrap();
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    assert!(ran.out.contains("once the certificate is signed and imported: pronk check pronk.yaml"), "{}", ran.out);
}

#[test]
fn what_is_missing_without_a_terminal_is_named() {
    let table: [(&[&str], &str); 11] = [
        (
            &["init", "--mode=re-encrypt", FRONT, DAEMONS[0], "--ca-file=ca.pem", "--certificate=self-signed"],
            "there is no file ca.pem",
        ),
        (&["init", "--mode=plain", FRONT, DAEMONS[0], "--ca-file=ca.pem"], "--ca-file is for re-encrypt"),
        (
            &["init", "--mode=plain", FRONT, DAEMONS[0], "--certificate=csr"],
            "--certificate is for offload and re-encrypt",
        ),
        (&["init"], "give --mode, --front-end, --daemon, or run this on a terminal"),
        (&["init", "--mode=plain", FRONT], "give --daemon"),
        (&["init", "--mode=offload", FRONT, DAEMONS[0]], "give --certificate self-signed or csr"),
        (&["init", "--mode=re-encrypt", FRONT, DAEMONS[0]], "with --ca-file FILE"),
        (&["init", "--mode=re-encrypt", FRONT, "--daemon=10.1.1.1"], "write --daemon NAME=10.1.1.1"),
        (&["init", "--mode=plain", FRONT, DAEMONS[0], DAEMONS[0]], "daemon node1.example.com is given twice"),
        (&["init", "--mode=plain", FRONT, DAEMONS[0], "--port=21050,21050"], "port 21050 is given twice"),
        (&["init", "--mode=plain", "--front-end=10.1.1.1", DAEMONS[0]], "give the load balancer's host name"),
    ];
    for (words, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let ran = pronk(folder.path(), words);
        assert!(ran.code != Some(0) && ran.err.contains(expected), "{words:?}: {}", ran.err);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{words:?}: nothing is left behind");
    }
}

/// Runs `pronk init` on a terminal of its own, and types the answers.
fn typed(folder: &Path, answers: &str) -> String {
    let command = format!("{} init", env!("CARGO_BIN_EXE_pronk"));
    let mut child = Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), answers.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn questions_on_a_terminal_are_asked_again_until_they_are_answered() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: `script` (bsdutils) is not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let answers =
        "10.1.1.1\nlb.example.com\nnode1.example.com=10.1.1.1 node2.example.com=10.1.1.2\nbridge\noffload\n\nyes\n\n";
    let out = typed(folder.path(), answers);
    assert!(out.contains("give the load balancer's host name") && out.contains("it is one of: plain"), "{out}");
    assert!(out.contains("wrote pronk.yaml"), "{out}");
    let text = std::fs::read_to_string(folder.path().join("pronk.yaml")).unwrap();
    for part in
        ["hostname: lb.example.com", "node2: { address: 10.1.1.2", "persistence: one-hour-affinity", "store: lb"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(pronk(folder.path(), &["check", "--strict", "pronk.yaml"]).code, Some(0));
}
