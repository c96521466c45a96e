//! Every declaration, one by one: what holds for all keys of all sections.

use std::path::Path;

use super::{ADMIN, AnyKey, CERTIFICATE, LINT, MEMBER, MONITORS, NODE, POOL, PROFILES, Section, TOP, VIRTUAL_SERVER};
use crate::config::elsewhere;
use crate::config::{self, built_in, parse};

/// Returns every section with a file in which `{}` stands for the value of one of its keys.
fn sections() -> Vec<(&'static Section, String)> {
    let sides = "nodes: { n: { address: 10.1.1.1 } }\npools: { p: { members: [n:1] } }\n";
    let listens = "virtual-servers: { v: { destination: 10.0.0.1:1, pool: p } }\n";
    let file = |section: &str, fixed: &str, rest: &str| format!("{section}: {{ it: {{ {fixed}KEY }} }}\n{rest}");
    let of_type = |section: &str, word: &str| file(section, &format!("type: {word}, "), "virtual-servers: {}\n");
    let mut all = vec![
        (&TOP, "KEY\n".to_owned() + listens + sides),
        (&NODE, file("nodes", "", "virtual-servers: {}\n")),
        (&POOL, file("pools", "", "virtual-servers: {}\n")),
        (
            &MEMBER,
            "nodes: { n: { address: 10.1.1.1 } }\npools: { p: { members: [{ KEY }] } }\nvirtual-servers: {}\n".into(),
        ),
        (&VIRTUAL_SERVER, file("virtual-servers", "", sides)),
        (&LINT, file("lint", "", "virtual-servers: {}\n")),
        (&ADMIN, "admin: { KEY }\nvirtual-servers: {}\n".into()),
        (
            &CERTIFICATE,
            "profiles: { it: { type: client-ssl, cert-key-chain: [{ KEY }] } }\nvirtual-servers: {}\n".into(),
        ),
    ];
    all.extend(PROFILES.iter().map(|it| (&it.section, of_type("profiles", it.word))));
    all.extend(MONITORS.iter().map(|it| (&it.section, of_type("monitors", it.word))));
    all
}

fn errors(text: &str) -> Vec<String> {
    let Err(wrong) = parse("test.yaml", text, Path::new("/etc/pronk")) else { return Vec::new() };
    wrong.iter().map(|it| format!("{} {}", it.message, it.help.as_deref().unwrap_or_default())).collect()
}

fn each_key(check: impl Fn(&Section, &dyn AnyKey, &dyn Fn(&str) -> Vec<String>)) {
    for (section, file) in sections() {
        for key in section.keys().into_iter().filter(|key| !key.is_section()) {
            check(section, key, &|written| errors(&file.replace("KEY", written)));
        }
    }
}

#[test]
fn value_of_another_kind_is_refused_by_name() {
    each_key(|section, key, errors| {
        let name = key.name();
        // The last is a map itself.
        if matches!(name, "type" | "defaults-from" | "admin") {
            return;
        }
        let told = errors(&format!("{name}: {{ a: [b] }}"));
        assert!(
            told.iter().any(|it| it.starts_with(&format!("`{name}` must be "))),
            "{} {name}: {told:?}",
            section.name
        );
    });
}

#[test]
fn default_can_be_written() {
    each_key(|section, key, errors| {
        if matches!(key.name(), "type" | "defaults-from") {
            return;
        }
        let (name, default) = (key.name(), key.default());
        let told = errors(&format!("{name}: {default}"));
        let about = |it: &&String| it.contains(&format!("`{name}` must")) || it.contains("unknown key");
        assert_eq!(told.iter().find(about), None, "{}: {name}: {default}", section.name);
    });
}

#[test]
fn misspelt_key_is_suggested() {
    each_key(|section, key, errors| {
        let misspelt = format!("{}x", key.name());
        if section.key(&misspelt).is_some() {
            return;
        }
        let told = errors(&format!("{misspelt}: 1"));
        let help = format!("unknown key `{misspelt}` in a {} did you mean `", section.name);
        assert!(told.iter().any(|it| it.starts_with(&help)), "{}: {told:?}", section.name);
    });
}

#[test]
fn no_key_is_both_offered_and_refused() {
    for (section, _) in sections() {
        let names: Vec<_> = section.keys().iter().map(|key| key.name()).collect();
        let words = elsewhere::of_sections().filter(|(name, _)| *name == section.name);
        for (_, word) in words {
            assert!(!names.contains(&word), "{}: {word} is a key", section.name);
        }
        assert!(names.iter().enumerate().all(|(index, name)| !names[..index].contains(name)), "{}", section.name);
    }
    each_key(|section, key, errors| {
        for (word, why) in key.refused() {
            let told = errors(&format!("{}: {word}", key.name()));
            assert!(told.iter().any(|it| it.ends_with(why)), "{} {} {word}: {told:?}", section.name, key.name());
        }
    });
}

#[test]
fn every_type_reads_back_as_itself() {
    for (section, types) in [
        ("profiles", PROFILES.iter().map(|it| (it.word, it.root)).collect::<Vec<_>>()),
        ("monitors", MONITORS.iter().map(|it| (it.word, it.root)).collect()),
    ] {
        for (word, root) in types {
            let text = format!("{section}: {{ it: {{ type: {word} }} }}\nvirtual-servers: {{}}\n");
            let model = parse("test.yaml", &text, Path::new("/etc/pronk")).unwrap().model;
            if let Some(monitor) = model.monitors.get("it") {
                assert_eq!(monitor.kind.as_str(), word);
                assert_eq!(model.monitors[root].kind, monitor.kind, "{root}");
            }
            // What is inherited from the built-in entry is what nothing at all would be: both come from the declaration.
            let explicit = text.replace("} }", &format!(", defaults-from: {root} }} }}"));
            let explicit = parse("test.yaml", &explicit, Path::new("/etc/pronk")).unwrap().model;
            assert_eq!(config::diff(&model, &explicit), [], "{word}");
        }
    }
    assert!(built_in().iter().all(|file| !file.text.is_empty()));
}
