use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Model, Name};

/// What changes from one model to another, a line each in plain words; empty for equal models.
pub fn diff(old: &Model, new: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    section(&mut lines, "node", &old.nodes, &new.nodes, |_, _| Vec::new());
    section(&mut lines, "pool", &old.pools, &new.pools, |old, new| {
        let gone = old.members.iter().filter(|it| new.member(&it.key()).is_none());
        let come = new.members.iter().filter(|it| old.member(&it.key()).is_none());
        let gone = gone.map(|member| format!("  - member {}", member.key()));
        gone.chain(come.map(|member| format!("  + member {}", member.key()))).collect()
    });
    section(&mut lines, "virtual server", &old.virtual_servers, &new.virtual_servers, |old, new| {
        let facts = [
            ("destination", old.destination.to_string(), new.destination.to_string()),
            ("pool", old.pool.name.to_string(), new.pool.name.to_string()),
            ("mode", old.mode().as_str().into(), new.mode().as_str().into()),
            ("enabled", old.enabled.to_string(), new.enabled.to_string()),
            ("protocol", old.protocol.name.to_string(), new.protocol.name.to_string()),
        ];
        let changed = facts.into_iter().filter(|(_, old, new)| old != new);
        changed.map(|(fact, old, new)| format!("  {fact}: {old} -> {new}")).collect()
    });
    lines
}

fn section<T: PartialEq>(
    lines: &mut Vec<String>,
    what: &str,
    old: &BTreeMap<Name, Arc<T>>,
    new: &BTreeMap<Name, Arc<T>>,
    details: impl Fn(&T, &T) -> Vec<String>,
) {
    lines.extend(old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("- {what} {name}")));
    for (name, value) in new {
        match old.get(name) {
            None => lines.push(format!("+ {what} {name}")),
            Some(before) if before != value => {
                lines.push(format!("~ {what} {name}"));
                lines.extend(details(before, value));
            }
            Some(_) => {}
        }
    }
}
