//! Arguments: several files, standard input, and what cannot be meant.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use crate::{code, pronk, said};

const GOOD: &str = "virtual-servers: {}\n";
const BAD: &str = "virtual_servers: {}\n";

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        pronk(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn check_takes_several_files_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.yaml"), GOOD).unwrap();
    fs::write(folder.path().join("bad.yaml"), BAD).unwrap();
    let check = |files: &[&str]| {
        pronk(&["check"]).args(files).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap()
    };
    assert_eq!(code(&check(&["good.yaml", "good.yaml"])), 0);
    let done = check(&["bad.yaml", "good.yaml"]);
    assert_eq!(code(&done), 1);
    assert!(said(&done).contains("bad.yaml:1:1"), "{}", said(&done));
    assert!(String::from_utf8_lossy(&done.stdout).contains("good.yaml: ok"), "the others are checked as well");

    let done = with_input(&["check", "-"], GOOD.as_bytes());
    assert_eq!((code(&done), String::from_utf8_lossy(&done.stdout).contains("standard input: ok")), (0, true));
    let done = with_input(&["check", "-"], BAD.as_bytes());
    assert_eq!((code(&done), said(&done).contains("standard input:1:1")), (1, true), "{}", said(&done));
    let done = with_input(&["run", "-"], GOOD.as_bytes());
    assert_eq!((code(&done), said(&done).contains("cannot come from standard input")), (1, true));
}

#[test]
fn files_without_end_are_refused() {
    for arguments in [&["check", "/dev/zero"][..], &["config", "show", "/dev/zero"], &["lint", "--config", "/dev/zero"]]
    {
        let done = pronk(arguments).output().unwrap();
        assert!(code(&done) != 0 && said(&done).contains("larger than 64 MiB"), "{arguments:?}: {}", said(&done));
    }
}

#[test]
fn files_in_other_encodings_are_named() {
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, expected) in [
        (&utf16[..], "it is in UTF-16"),
        (b"virtual-servers: {}\n# caf\xe9\n", "line 2 is not in UTF-8, by its byte 0xe9"),
    ] {
        let done = with_input(&["check", "-"], bytes);
        assert!(code(&done) == 1 && said(&done).contains(expected), "{}", said(&done));
        assert!(said(&done).contains("iconv"), "{}", said(&done));
    }
    let done = with_input(&["check", "-"], b"\xef\xbb\xbfvirtual_servers: {}\n");
    assert!(said(&done).contains("standard input:1:1"), "a byte order mark takes no column: {}", said(&done));
}

#[test]
fn arguments_that_cannot_be_meant_end_with_2() {
    for arguments in [
        &["bogus"][..],
        &["check"],
        &["lint"],
        &["lint", "--explain", "no-such-check"],
        &["config", "profiles", "monitor"],
        &["explain", "vs", "not-an-address"],
        &["persistence", "list", "--client", "not-an-address"],
        &["persistence", "delete"],
        &["run", "pronk.yaml", "--drain-timeout", "soon"],
        &["run", "pronk.yaml", "--log", "pronk=loud"],
        &["run", "pronk.yaml", "--threads", "0"],
        &["completions", "tcsh"],
    ] {
        let done = pronk(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(code(&done), 2, "{arguments:?}: {}", said(&done));
        assert!(!said(&done).contains("error: error:"), "{arguments:?}: {}", said(&done));
    }
    let done = pronk(&["config", "profiles", "monitor"]).output().unwrap();
    assert!(said(&done).contains("did you mean `monitors`?"), "{}", said(&done));
}

#[test]
fn mistakes_of_a_file_that_is_run_say_error_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pronk.yaml"), BAD).unwrap();
    let done =
        pronk(&["run", "pronk.yaml", "--admin-socket", "admin.sock"]).current_dir(folder.path()).output().unwrap();
    assert_eq!((code(&done), said(&done).contains("error: error:")), (1, false), "{}", said(&done));
}
