//! Output that cannot be written: a full disk, a reader that has left.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use crate::{code, pronk, said};

/// Commands that print much, and need nothing else.
const PRINTING: [&[&str]; 9] = [
    &["completions", "bash"],
    &["config", "reference"],
    &["config", "schema"],
    &["config", "profiles"],
    &["lint", "--list-checks"],
    &["lint", "--catalogue"],
    &["--help"],
    &["--version"],
    &["help", "run"],
];

#[test]
fn full_disk_is_told_in_one_line_and_by_the_exit_code() {
    for arguments in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let done = pronk(arguments).stdout(full).output().unwrap();
        assert_eq!(code(&done), 1, "{arguments:?}: {}", said(&done));
        assert_eq!(said(&done), "error: cannot write to standard output: no space left on device\n");
    }
}

#[test]
fn reader_that_has_left_is_told_in_one_line_and_by_the_exit_code() {
    for arguments in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = pronk(arguments).stdout(writer).output().unwrap();
        assert_eq!(code(&done), 1, "{arguments:?}: {}", said(&done));
        assert_eq!(said(&done), "error: cannot write to standard output: broken pipe\n");
    }
}

#[test]
fn standard_error_that_cannot_be_written_changes_nothing() {
    for (arguments, expected) in [(&["check", "absent.yaml"][..], 1), (&["bogus"], 2), (&["lint", "absent.pem"], 3)] {
        for leaves in [false, true] {
            let (mut reader, writer) = std::io::pipe().unwrap();
            let mut command = pronk(arguments);
            if leaves {
                drop(reader);
                command.stderr(writer);
            } else {
                command.stderr(File::options().write(true).open("/dev/full").unwrap());
                drop(writer);
                assert_eq!(reader.read(&mut [0]).unwrap(), 0);
            }
            let done = command.stdout(Stdio::null()).status().unwrap();
            assert_eq!(done.code(), Some(expected), "{arguments:?}");
        }
    }
}

#[test]
fn colours_are_as_the_option_and_the_variables_say() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pronk.yaml"), "virtual_servers: {}\n").unwrap();
    for (option, variable, has_colours) in [
        (None, None, false),
        (Some("auto"), None, false),
        (Some("always"), None, true),
        (Some("always"), Some(("NO_COLOR", "1")), true),
        (Some("never"), Some(("CLICOLOR_FORCE", "1")), false),
        (None, Some(("CLICOLOR_FORCE", "1")), true),
    ] {
        for arguments in
            [&["check", "pronk.yaml"][..], &["lint", "--config", "pronk.yaml"], &["config", "show", "pronk.yaml"]]
        {
            let mut command = pronk(arguments);
            command.current_dir(folder.path());
            if let Some(option) = option {
                command.args(["--color", option]);
            }
            command.envs(variable);
            let text = said(&command.output().unwrap());
            assert!(text.contains("virtual_servers"), "{arguments:?}: {text}");
            assert_eq!(text.contains('\u{1b}'), has_colours, "{arguments:?} {option:?} {variable:?}: {text:?}");
        }
    }
}
