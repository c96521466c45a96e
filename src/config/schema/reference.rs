use super::{CERT_KEY, Key, LINT, MEMBER, MONITORS, NODE, POOL, PROFILES, Shape, TOP, VIRTUAL_SERVER, root};
use crate::config::inherit::Document;

/// The reference of every key, in Markdown.
pub fn reference() -> String {
    let built_in = Document::built_in();
    let mut text = HEAD.to_owned();
    for shape in [&TOP, &NODE, &POOL, &MEMBER] {
        section(&mut text, shape, |_| None);
    }
    for (kind, shape) in MONITORS {
        section(&mut text, shape, |key| given(&built_in, "monitors", kind, key));
    }
    section(&mut text, &VIRTUAL_SERVER, |_| None);
    for (kind, shape) in PROFILES {
        section(&mut text, shape, |key| given(&built_in, "profiles", kind, key));
        if *kind == "client-ssl" {
            section(&mut text, &CERT_KEY, |_| None);
        }
    }
    section(&mut text, &LINT, |_| None);
    text
}

fn section(text: &mut String, shape: &Shape, built_in: impl Fn(&Key) -> Option<String>) {
    let mut title = shape.name.to_owned();
    if !shape.name.starts_with("fastL4") {
        title[..1].make_ascii_uppercase();
    }
    *text += &format!("\n## {title}\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n", shape.doc);
    for key in shape.keys {
        let default = built_in(key).or_else(|| (!key.default.is_empty()).then(|| key.default.to_owned()));
        let default = match default {
            Some(default) => format!("`{default}`"),
            None if key.required => "required".to_owned(),
            None => String::new(),
        };
        *text += &format!("| `{}` | {} | {default} | {} |\n", key.name, key.kind.describe(), key.doc);
    }
}

/// What the built-in parent of a type says.
fn given(document: &Document, section: &str, kind: &str, key: &Key) -> Option<String> {
    let parent = document.named(section, root(section, kind)?)?;
    // What the type is called is no default: it is what chose this table.
    (key.name != "type").then(|| parent.value.entry(key.name)?.value.scalar()).flatten()
}

const HEAD: &str = "\
# Configuration reference

Made from the code by `pronk config reference > docs/configuration.md`; a test holds that the two agree.

A file is YAML 1.2, so `true` and `false` are the only flags. Durations are a number of seconds, or carry `ms`, `s`, \
`m`, `h` or `d`; sizes may carry `KiB`, `MiB` or `GiB`. Relative paths begin at the file's folder. Names are of \
letters, digits, `.`, `_` and `-`. `none` takes back a name, text or path that a parent gives.

A profile or monitor inherits every key that it does not set from the one that `defaults-from` names, and in the end \
from the built-in one of its type: `clientssl`, `serverssl`, `tcp`, `fastL4`, `source_addr`, and the monitors of \
`profiles/monitors.yaml`. `clientssl-secure` and \
`serverssl-insecure-compatible` are built in as well. All are in the folder `profiles`, with the reasons for their \
values. `pronk config show FILE --resolved` tells what is in force and where each value comes from.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_reference_is_current() {
        let committed = include_str!("../../../docs/configuration.md");
        assert_eq!(committed, reference(), "run: pronk config reference > docs/configuration.md");
    }
}
