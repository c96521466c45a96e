//! The built-in profiles and monitors, as files. What everything of a type inherits from in the end is made from the
//! declarations of its keys; the folder `profiles` has copies for people.

use std::collections::BTreeSet;

use super::keys::{MONITORS, PROFILES, Type};
use super::source::BuiltIn;

/// Returns every built-in file.
pub fn built_in() -> Vec<BuiltIn> {
    let profiles = |words: &[&str]| roots(PROFILES.iter().filter(|it| words.contains(&it.word)).copied());
    let file = |name, section, head: &str, mut entries: Vec<String>, more: &str| {
        entries.extend((!more.is_empty()).then(|| more.to_owned()));
        let head = if head.is_empty() { String::new() } else { format!("# {head}\n\n") };
        BuiltIn { name, section, text: head + &entries.join("\n") }
    };
    vec![
        file("profiles/clientssl.yaml", "profiles", "", profiles(&["client-ssl"]), CLIENTSSL_SECURE),
        file("profiles/serverssl.yaml", "profiles", "", profiles(&["server-ssl"]), SERVERSSL_INSECURE),
        file("profiles/protocol.yaml", "profiles", "", profiles(&["tcp", "fastL4"]), ""),
        file("profiles/persistence.yaml", "profiles", "", profiles(&["source-addr", "hash"]), CANCEL_AFFINITY),
        file("profiles/monitors.yaml", "monitors", MONITORS_HEAD, roots(MONITORS.iter().copied()), ""),
    ]
}

/// Returns the entries that everything of these types inherits from in the end. A reason is given once.
fn roots<R: 'static>(types: impl Iterator<Item = &'static Type<R>>) -> Vec<String> {
    let mut given = BTreeSet::new();
    types.map(|of_type| root(of_type, &mut given)).collect()
}

fn root<R>(of_type: &Type<R>, given: &mut BTreeSet<&'static str>) -> String {
    let mut text = comment(of_type.head);
    text += &format!("{}:\n  type: {}\n", of_type.root, of_type.word);
    for key in of_type.section.keys() {
        let of_type_only = of_type.defaults.iter().find(|(name, _)| *name == key.name()).map(|(_, default)| *default);
        let default = of_type_only.unwrap_or_else(|| key.default());
        if default.is_empty() || default == "none" || key.name() == "type" {
            continue;
        }
        let line = format!("  {}: {default}", key.name());
        let reason = key.because();
        text += &if !reason.is_empty() && given.insert(reason) {
            format!("{line:<COLUMN$}# {reason}\n")
        } else {
            format!("{line}\n")
        };
    }
    text
}

/// Where the reasons begin.
const COLUMN: usize = 40;

/// Text as comment lines of at most 120 characters; a blank line begins a new paragraph.
fn comment(text: &str) -> String {
    let mut lines = Vec::new();
    for (index, paragraph) in text.split("\n\n").enumerate().filter(|(_, paragraph)| !paragraph.is_empty()) {
        if index > 0 {
            lines.push("#".to_owned());
        }
        let mut line = "#".to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() + 1 + word.len() > 120 {
                lines.push(std::mem::replace(&mut line, "#".to_owned()));
            }
            line = format!("{line} {word}");
        }
        lines.push(line);
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

const MONITORS_HEAD: &str =
    "The parents of monitors. A member is down after `timeout` without a success: three probes and a second.";

const CLIENTSSL_SECURE: &str = "\
# The same for those who want TLS 1.3 and 256-bit keys only.
clientssl-secure:
  type: client-ssl
  defaults-from: clientssl
  minimum-version: tls1.3
  cipher-group: secure
";

const SERVERSSL_INSECURE: &str = "\
# Encrypts and verifies nothing, as F5's stock profile does. Whoever is on the network can pose as an impalad, so every
# virtual server that uses it is told of at start and by `pronk check`.
serverssl-insecure-compatible:
  type: server-ssl
  defaults-from: serverssl
  peer-cert-mode: ignore
";

const CANCEL_AFFINITY: &str = "\
# What `cancel-affinity: true` of a virtual server means: impala-shell's Ctrl-C comes on a second connection, which must
# reach the coordinator that runs the query.
cancel_affinity:
  type: source-addr
  defaults-from: source_addr
  timeout: 60s
";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn committed_profiles_are_current() {
        for file in built_in() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file.name);
            let committed = std::fs::read_to_string(&path).unwrap();
            assert_eq!(committed, file.text, "run: make generated");
        }
    }
}
