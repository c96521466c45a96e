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
fn entry_of_another_name_is_not_taken_for_the_one_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        pronk(folder.path(), &["cert", "create", "f5-impala", "--dns", "f5-impala.other.example"]).code,
        Some(0)
    );
    let ran = pronk(folder.path(), &words("offload", &["--certificate=self-signed"]));
    let expected = "has an entry f5-impala for another name than f5-impala.example.com";
    assert!(ran.code == Some(1) && ran.err.contains(expected), "{}", ran.err);
    assert!(!folder.path().join("pronk.yaml").exists());
}

/// A path on the command line leads from the working folder, one in the file from the file's.
#[test]
fn authorities_are_found_from_the_files_folder() {
    for (file, ca_file, written) in [
        ("sub/pronk.yaml", "ca.pem", None),
        ("sub/pronk.yaml", "sub/ca.pem", Some("ca-file: ca.pem")),
        ("pronk.yaml", "sub/ca.pem", Some("ca-file: sub/ca.pem")),
        ("sub/pronk.yaml", "a: b.pem", None),
        ("pronk.yaml", "a: b.pem", Some("ca-file: 'a: b.pem'")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        Authority::new("cluster ca").write(folder.path(), ca_file);
        let ca_file = format!("--ca-file={ca_file}");
        let ran = pronk(folder.path(), &words("re-encrypt", &[file, "--certificate=self-signed", &ca_file]));
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{file} {ca_file}");
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(written.is_none_or(|it| text.contains(it)), "{text}");
        assert_eq!(pronk(folder.path(), &["check", "--strict", file]).code, Some(0), "{text}");
    }
}

#[test]
fn request_is_written_for_an_authority_to_sign() {
    let folder = tempfile::tempdir().unwrap();
    let ran = pronk(folder.path(), &words("offload", &["--certificate=csr"]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let request = std::fs::read_to_string(folder.path().join("f5-impala.csr")).unwrap();
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    assert!(ran.out.contains("once the certificate is signed and imported: pronk check pronk.yaml"), "{}", ran.out);
    assert!(ran.out.contains("pronk cert import f5-impala --cert SIGNED.pem\n"), "{}", ran.out);

    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let ran = pronk(folder.path(), &words("offload", &["sub/pronk.yaml", "--certificate=csr"]));
    let import = "pronk cert import f5-impala --cert SIGNED.pem --store sub/certs\n";
    assert!(ran.code == Some(0) && ran.out.contains(import), "{}", ran.out);
}

#[test]
fn what_is_missing_without_a_terminal_is_named() {
    let table: [(&[&str], &str); 15] = [
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
        (
            &["init", "--mode=plain", FRONT, "--daemon=n1=10.0.0.1", "--daemon=n1=10.0.0.2"],
            "daemon n1 is given twice, with two addresses",
        ),
        (&["init", "--mode=plain", FRONT, "--daemon=null=10.0.0.1"], "`null` means something else in YAML"),
        (
            &["init", "--mode=plain", FRONT, "--daemon=impalad-2.a=10.0.0.1", "--daemon=10.0.0.2"],
            "two nodes would be called impalad-2",
        ),
        (
            &["init", "-", "--mode=offload", FRONT, DAEMONS[0], "--certificate=self-signed"],
            "--certificate makes files, and `-` only prints",
        ),
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
