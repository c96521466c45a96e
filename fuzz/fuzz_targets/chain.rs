//! Any bytes as a file of certificates: put together into chains, verified and linted with every check, and reported.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pronk::cert::bundle;
use pronk::lint::{ClusterView, Linter, Role, Trust, Use, WeakKeys, gather_bundle};
use pronk::lint::clients::{Matrix, render};
use pronk::lint::report::{Report, github, human, json, junit, sarif};
use pronk::model::Host;

fuzz_target!(|bytes: &[u8]| {
    let Ok(bundle) = bundle::parse(Path::new("fuzzed"), bytes, 0o600, None) else { return };
    let host = |name| Host::parse(name).into_iter().collect::<Vec<_>>();
    let role = Role {
        usage: Use::Passthrough,
        front_ends: host("lb.example.com"),
        node: host("node1.example.com").pop(),
    };
    let gathered = gather_bundle(bundle, &role);
    let trust = Trust { anchors: Arc::from(gathered.anchors), given: true };
    let linter = Linter { revocation_lists: gathered.revocation_lists, ..Linter::new(1_767_225_600, trust, WeakKeys::default()) };
    let findings = linter.lint(&gathered.subjects);
    let report = Report {
        subjects: &gathered.subjects,
        findings: &findings,
        unreadable: &gathered.unreadable,
        hostnames: &[],
        names_checked: true,
        names_help: "",
        fail_on: None,
        folder: Path::new("/nowhere"),
        now: linter.now,
    };
    let matrix = Matrix::of(&linter, &gathered.subjects);
    let table = render(&matrix);
    let mut written = Vec::new();
    json(&report, Some(matrix), &mut written).unwrap();
    let written = String::from_utf8(written).unwrap();
    let texts = [human(&report, false), table, written, sarif(&report), junit(&report), github(&report)];
    for text in texts.iter().chain([&ClusterView::of(&gathered.subjects, &findings, linter.now).render()]) {
        let harmless = |letter: char| letter == '\n' || !letter.is_control();
        assert!(text.chars().all(harmless), "{text:?}");
    }
});
