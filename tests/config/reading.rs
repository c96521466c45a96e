//! A file that is cut short.

use super::{GUIDE, SHORT, parse, said};

#[test]
fn guide_cut_short_never_leaves_a_pronk_that_listens_nowhere() {
    let section = GUIDE.find("virtual-servers:").unwrap();
    let line_ends = GUIDE.match_indices('\n').map(|(end, _)| end);
    for cut in line_ends.chain(section..section + 30) {
        for end in ["", "\n"] {
            let Ok(loaded) = parse(&format!("{}{end}", &GUIDE[..cut])) else { continue };
            assert!(!loaded.model.virtual_servers.is_empty(), "cut at byte {cut}");
        }
    }
}

#[test]
fn file_without_virtual_servers_is_refused_with_its_line() {
    let without = SHORT.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    let missing = |place: &str| vec![format!("{place} error: `virtual-servers` is missing; the file may be cut short")];
    for (end, expected) in [
        ("", missing("1:1")),
        ("virtual-servers:\n", missing("3:1")),
        ("virtual-servers:  # none\n", missing("3:1")),
        ("virtual-servers: ~\n", missing("3:1")),
        ("virtual-servers: null\n", missing("3:1")),
        ("virtual-servers", vec!["3:1 error: not YAML: simple key expected ':'".to_owned()]),
        ("virtual-servers: []\n", vec!["3:18 error: `virtual-servers` is a map by name, found a list".to_owned()]),
        ("virtual-servers: {}\n", vec![]),
    ] {
        assert_eq!(said(&format!("{without}{end}")), expected, "{end:?}");
    }
    assert!(parse(&without).unwrap_err().to_string().contains("write `virtual-servers: {}` if none is meant"));
}
