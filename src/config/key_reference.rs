//! The reference of every key, in Markdown.

use super::keys::{
    ADMIN, AnyKey, CERTIFICATE, LINT, MEMBER, MONITORS, NODE, POOL, PROFILES, ProbingKeys, Section, TOP, Type,
    VIRTUAL_SERVER,
};

/// Returns the reference of every key, in Markdown.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    for it in [&TOP, &NODE, &POOL, &MEMBER] {
        section(&mut text, it);
    }
    let of_monitors = shared(MONITORS.iter().filter(|it| it.section.key(ProbingKeys::interval()).is_some()));
    text += "\n## Keys that monitors share\n\nA monitor of type inband has the first two alone. Of tls the `interval` is \
             `10s` and the `timeout` is `31s`.\n";
    table(&mut text, &of_monitors, &[]);
    types(&mut text, MONITORS, &of_monitors);
    section(&mut text, &VIRTUAL_SERVER);
    let of_profiles = shared(PROFILES.iter());
    text += "\n## Keys that profiles share\n";
    table(&mut text, &of_profiles, &[]);
    types(&mut text, PROFILES, &of_profiles);
    section(&mut text, &CERTIFICATE);
    section(&mut text, &LINT);
    section(&mut text, &ADMIN);
    text
}

/// Returns the keys that all of these types have.
fn shared<'a, R: 'static>(mut types: impl Iterator<Item = &'a &'static Type<R>>) -> Keys {
    let mut keys = types.next().map(|first| first.section.keys()).unwrap_or_default();
    types.for_each(|other| keys.retain(|key| other.section.key(key.name()).is_some()));
    keys
}

/// A section for each type, with the keys that neither all types have nor an earlier type that is the nearest.
fn types<R>(text: &mut String, types: &[&Type<R>], shared: &Keys) {
    let has = |keys: &Keys, key: &dyn AnyKey| keys.iter().any(|other| other.name() == key.name());
    let own =
        |of_type: &Type<R>| -> Keys { of_type.section.keys().into_iter().filter(|key| !has(shared, *key)).collect() };
    for (index, of_type) in types.iter().enumerate() {
        head(text, &of_type.section);
        let mut keys = own(of_type);
        let within = |other: &&&Type<R>| own(other).iter().all(|key| has(&keys, *key));
        let nearest = types[..index].iter().filter(within).max_by_key(|other| own(other).len());
        if let Some(nearest) = nearest.filter(|it| !own(it).is_empty()) {
            keys.retain(|key| !has(&own(nearest), *key));
            let word = nearest.word;
            let rest = if keys.is_empty() { "." } else { ", and these:" };
            *text += &format!("\nIts keys are those of {word}{rest}\n");
        }
        if !keys.is_empty() {
            table(text, &keys, of_type.defaults);
        }
    }
}
fn section(text: &mut String, section: &Section) {
    head(text, section);
    table(text, &section.keys(), &[]);
}

fn head(text: &mut String, section: &Section) {
    let mut title = section.name.to_owned();
    if !title.starts_with("fastL4") {
        title[..1].make_ascii_uppercase();
    }
    *text += &format!("\n## {title}\n\n{}\n", section.doc);
}

fn table(text: &mut String, keys: &[&'static dyn AnyKey], defaults: &[(&str, &str)]) {
    *text += "\n| key | value | default | meaning |\n|---|---|---|---|\n";
    for key in keys {
        let default = defaults.iter().find(|(name, _)| *name == key.name()).map_or_else(|| key.default(), |(_, it)| it);
        let default = match default {
            "" if key.is_required() => "required".to_owned(),
            "" => String::new(),
            default => format!("`{default}`"),
        };
        *text += &format!("| `{}` | {} | {default} | {} |\n", key.name(), key.describe(), key.doc());
    }
}

type Keys = Vec<&'static dyn AnyKey>;

const HEAD: &str = "\
# Configuration reference

Made from the code by `pronk config reference > docs/configuration.md`; a test holds that the two agree.

A file is YAML 1.2, so `true` and `false` are the only flags. Durations are a number of seconds, or numbers with `ms`, `s`, \
`m`, `h` or `d`, such as `1h30m` or `1.5s`; sizes may carry `KiB`, `MiB` or `GiB`. Relative paths begin at the file's folder. Names are of \
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
        let committed = include_str!("../../docs/configuration.md");
        assert_eq!(committed, reference(), "run: make generated");
    }
}
