//! Arguments of `pronk lint`: what cannot be meant, what is asked for, and what is given to paste.

use crate::command::{HTTP, answering, folder, lint};
use crate::corpus::{FRONT, NODE};
use crate::support::ca::{Authority, write};

#[test]
fn arguments_that_cannot_be_meant_are_wrong_usage() {
    let folder = folder();
    write(folder.path(), "words", b"not hexadecimal\n", 0o644);
    let lists = ["nofile", "words", "good.pem", "."];
    let ports =
        ["", "a..b", "1.2.3.4.5", "*.x", "host:+5", "127.0.0.1:1:2", "host:0", "host:99999", "https://host", "u@h"];
    let all = lists.map(|list| ["good.pem", "--weak-keys", list].to_vec());
    for args in all.into_iter().chain(ports.map(|port| ["--connect", port].to_vec())) {
        let run = lint(folder.path(), &args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains("error"), "{args:?}: {}", run.err);
    }
}

/// Names are asked for only where they are missing, and can be given.
#[test]
fn names_are_asked_for_where_they_can_be_given() {
    let folder = folder();
    let plain = format!("127.0.0.1:{}", answering(HTTP).0);
    let table: [(&[&str], bool); 6] = [
        (&["good.pem"], true),
        (&["good.pem", "--hostname", FRONT], false),
        (&["--connect", &plain, "--hostname", FRONT], false),
        (&["--connect", &plain, "--hostname", FRONT, "--ca-file", "ca.pem"], false),
        (&["good.pem", "--mode", "re-encrypt"], false),
        (&["ca.pem"], false),
    ];
    for (args, asked) in table {
        let run = lint(folder.path(), args);
        assert_eq!(run.out.contains("names were not checked"), asked, "{args:?}: {}", run.out);
    }
}

#[test]
fn commands_to_paste_are_such_as_pronk_takes() {
    let (ca, folder) = (Authority::new("cluster ca"), tempfile::tempdir().unwrap());
    let leaf = ca.issue(NODE).dns(NODE).build();
    leaf.write(folder.path(), "node");
    leaf.write_store_entry(folder.path(), "certs/old lb");
    leaf.write_store_entry(folder.path(), "my store/lb");
    let pasted = |file: &str, host: &str| {
        let run = lint(folder.path(), &[file, "--hostname", host]);
        run.out.lines().find(|line| line.contains("pronk cert csr")).map(|line| line.trim().to_owned())
    };
    let names = "--common-name lb.example.com --dns lb.example.com --dns node1.example.com";
    for (file, host, expected) in [
        ("node.pem", "lb.example.com", Some(format!("pronk cert csr node1 {names}"))),
        // A certificate's name has no dot at its end.
        ("node.pem", "lb.example.com.", Some(format!("pronk cert csr node1 {names}"))),
        // pronk makes no certificate that some client refuses by its names.
        ("node.pem", "impala_lb.example.com", None),
        ("certs/old lb/cert.pem", "lb.example.com", Some(format!("pronk cert csr 'old lb' {names}"))),
        ("my store/lb/cert.pem", "lb.example.com", Some(format!("pronk cert csr lb --store 'my store' {names}"))),
    ] {
        assert_eq!(pasted(file, host), expected, "{file} {host}");
    }
}
