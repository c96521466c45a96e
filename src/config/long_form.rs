//! The long form of what people write short: `n1: 10.0.0.1` for a node, one member where a list is expected.

use super::tree::{Node, Value};

/// Returns how something that is no map would be written as a map of this section.
pub(super) fn of_map(section: &str, written: &Node) -> Option<String> {
    let scalar = written.scalar();
    let form = match (section, scalar) {
        ("node", Some(address)) => format!("{{ address: {address} }}"),
        ("pool", _) => "{ members: [node:port] }".to_owned(),
        ("virtual server", Some(destination)) if destination.contains(':') => {
            format!("{{ destination: \"{destination}\", pool: NAME }}")
        }
        ("virtual server", _) => "{ destination: \"address:port\", pool: NAME }".to_owned(),
        (typed, Some(parent)) if typed.ends_with("profile") || typed.ends_with("monitor") => {
            format!("{{ defaults-from: {parent} }}")
        }
        _ => return None,
    };
    Some(format!("write `{form}`"))
}

/// Returns how something that is no list would be written as a list of itself.
pub(super) fn of_list(key: &str, expected: &str, written: &Node) -> Option<String> {
    if !expected.starts_with("a list") {
        return None;
    }
    let item = match &written.value {
        // As tmsh has them.
        Value::Map(entries) if key == "members" && entries.iter().all(|entry| entry.key.contains(':')) => {
            entries.iter().map(|entry| entry.key.trim_start_matches("/Common/")).collect::<Vec<_>>().join(", ")
        }
        Value::Map(_) => "{ … }".to_owned(),
        _ => written.scalar()?,
    };
    Some(format!("write `{key}: [{item}]`"))
}

/// Returns how a section is written that somebody gave as a list.
pub(super) fn of_section(section: &str) -> String {
    format!("write `{section}: {{ NAME: {{ … }} }}`: each entry has its name as its key")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    #[test]
    fn short_forms_are_answered_with_the_long_ones() {
        for (written, long) in [
            ("nodes: { n1: 10.0.0.1 }", "write `{ address: 10.0.0.1 }`"),
            ("nodes: { n1: impalad-1.example.com }", "write `{ address: impalad-1.example.com }`"),
            ("nodes: [n1]", "write `nodes: { NAME: { … } }`"),
            ("nodes: [{ name: n1, address: 10.0.0.1 }]", "write `nodes: { NAME: { … } }`"),
            ("pools: { p: ['n1:21050'] }", "write `{ members: [node:port] }`"),
            ("pools: { p: { members: 'n1:21050' } }", "write `members: [n1:21050]`"),
            ("profiles: { p: clientssl }", "write `{ defaults-from: clientssl }`"),
            ("monitors: { m: tcp }", "write `{ defaults-from: tcp }`"),
            (
                "profiles: { p: { type: client-ssl, cert-key-chain: { cert: a, key: b } } }",
                "write `cert-key-chain: [{ … }]`",
            ),
            ("virtual-servers: { v: '*:21050' }", "write `{ destination: \"*:21050\", pool: NAME }`"),
            ("virtual-servers: { v: 21050 }", "write `{ destination: \"address:port\", pool: NAME }`"),
        ] {
            let wrong = parse("pronk.yaml", written, Path::new("/")).unwrap_err().render(false);
            assert!(wrong.contains(long), "{written}: {wrong}");
        }
    }
}
