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

/// Each exits with the code of usage, and says in words what the value must be.
#[test]
fn arguments_that_cannot_be_meant_are_told_and_exit_with_2() {
    for (arguments, words) in [
        (&["lint", "--connect", "[::1"][..], "the bracket is not closed"),
        (&["lint", "--connect", "node1:99999"], "the port is a number from 1 to 65535"),
        (&["lint", "--connect", ""], "write HOST:PORT"),
        (&["lint", "--connect", "https://node1:21050"], "write HOST:PORT"),
        (&["lint", "--expiry-days", "soon", "x.pem"], "a whole number from 0 to 36500"),
        (&["lint", "--hostname", "a b", "x.pem"], "it is not a host name"),
        (&["lint", "--deny", "nope", "x.pem"], "there is no check"),
        (&["lint", "--explain", "nope"], "there is no check"),
        (&["lint", "--format", "xml", "x.pem"], "possible values"),
        (&["lint"], "required"),
        (&["cert", "create", "../lb", "--dns", "lb.example.com"], "a single file name"),
        (&["cert", "show", "a/b"], "a single file name"),
        (&["cert", "check", ""], "a single file name"),
        (&["cert", "create", "lb", "--dns", "a b"], "it is not a host name"),
        (&["cert", "create", "lb", "--dns", "10.0.0.1"], "give it with --ip"),
        (&["cert", "create", "lb", "--ip", "10.0.0"], "it is no IP address"),
        (&["cert", "create", "lb", "--dns", "a.b", "--days", "0"], "a whole number from 1 to 36500"),
        (&["cert", "create", "lb", "--dns", "a.b", "--days", "99999999999999999999"], "a whole number from 1 to 36500"),
        (&["cert", "create", "lb", "--dns", "a.b", "--key", "rsa:1"], "possible values"),
        (&["cert", "create", "ca", "--authority", "--dns", "a.b"], "--authority"),
        (&["run", "--threads", "many", "x.yaml"], "a whole number from 1 to 1024"),
        (&["run", "--drain-timeout", "3q", "x.yaml"], "a duration is"),
        (&["run", "--log", "=,=", "x.yaml"], "a filter is"),
        (&["explain", "vs", "10.1.1"], "it is no IP address"),
        (&["persistence", "delete", "--client", "10.1.1"], "it is no IP address"),
        (&["persistence", "delete"], "required"),
        (&["config", "profiles", "nope"], "there is no built-in file"),
        (&["check"], "required"),
    ] {
        let done = pronk(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(code(&done), 2, "{arguments:?}: {}", said(&done));
        assert!(said(&done).contains(words), "{arguments:?}: {}", said(&done));
        for library in ["invalid digit", "invalid IP address syntax", "error: error", "not in "] {
            assert!(!said(&done).contains(library), "{arguments:?}: {}", said(&done));
        }
    }
}

#[test]
fn lint_takes_several_files_and_standard_input() {
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/files");
    let (one, other) = (format!("{files}/base-lb.pem"), format!("{files}/gnutls-lb.pem"));
    let lint = |arguments: &[&str], input: &[u8]| {
        let all = [&["lint", "--fail-on", "never", "--format", "json"], arguments].concat();
        let done = with_input(&all, input);
        let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
        (code(&done), report["certificates"].as_array().map_or(0, Vec::len), String::from_utf8(done.stdout).unwrap())
    };
    let input = fs::read(&other).unwrap();
    let (code_of_two, of_two, _) = lint(&[&one, &other], b"");
    let (code_of_both, of_both, text) = lint(&[&one, "-"], &input);
    assert_eq!((code_of_two, code_of_both, of_two), (0, 0, of_both));
    assert!(of_two >= 2 && text.contains("standard input"), "{text}");
    let (code_of_bad, _, text) = lint(&["-", &one], b"nonsense");
    assert!(code_of_bad == 3 && text.contains("standard input") && text.contains("base-lb.pem"), "{text}");
}

#[test]
fn input_that_cannot_be_read_is_told_alike_whichever_option_names_it() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/files/base-lb.pem");
    let options = [("--ca-file", 3), ("--crl", 3), ("--passphrase-file", 3), ("--config", 3), ("--weak-keys", 2)];
    for (option, expected) in options {
        let done = pronk(&["lint", file, option, "/nowhere/absent"]).output().unwrap();
        // No input is a list of weak keys, but an argument.
        assert_eq!(code(&done), expected, "{option}: {}", said(&done));
        let text = format!("{}{}", said(&done), String::from_utf8_lossy(&done.stdout));
        assert!(text.contains("/nowhere/absent") && text.contains("no such file"), "{option}: {text}");
    }
}
