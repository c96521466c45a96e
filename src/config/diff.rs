//! What changes from one model to another, in plain words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::keys::{
    AdminKeys, ClientSslKeys, Facts, LintKeys, MemberKeys, NodeKeys, PersistenceKeys, PoolKeys, ProtocolKeys,
    ServerSslKeys, Setting, Top, TopKeys, VirtualServerKeys, monitor_facts,
};
use crate::model::{Model, Name, Pool};

/// One difference between two models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub sign: Sign,
    /// What it is about, such as `pool` or `client-ssl profile`.
    pub subject: &'static str,
    /// Its name; empty for what there is one of.
    pub name: String,
    /// What is different about it: a key, the old and the new value. `None` when all of it came or went.
    pub fact: Option<(&'static str, String, String)>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Added,
    Removed,
    Changed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sign {
            Sign::Added => "+ ",
            Sign::Removed => "- ",
            Sign::Changed => "~ ",
        })?;
        f.write_str(self.subject)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        match &self.fact {
            Some((key, old, new)) => write!(f, ": {key} {old} -> {new}"),
            None => Ok(()),
        }
    }
}

/// Returns every difference in what is in use, sections in the file's order; none for equal models. A virtual server
/// that names another pool or profile changes itself; one whose pool or profile changes inside does not.
pub fn diff(old: &Model, new: &Model) -> Vec<Change> {
    let mut changes = Vec::new();
    let top = |model: &Model| {
        let Model { certificate_store, certificate_refresh, .. } = model;
        facts(&TopKeys)(&Top {
            certificate_store: certificate_store.clone(),
            certificate_refresh: *certificate_refresh,
        })
    };
    let differences = differences(top(old), top(new)).into_iter();
    changes.extend(differences.map(|fact| Change {
        sign: Sign::Changed,
        subject: "certificates",
        name: String::new(),
        fact: Some(fact),
    }));
    named(&mut changes, "node", &old.nodes, &new.nodes, facts(&NodeKeys));
    let used = (in_use(old.monitors_in_use()), in_use(new.monitors_in_use()));
    in_force(&mut changes, "monitor", used, (&old.monitors, &new.monitors), monitor_facts);
    pools(&mut changes, &old.pools, &new.pools);
    let (before, after) = (old.profiles_in_use(), new.profiles_in_use());
    macro_rules! profiles {
        ($subject:literal, $field:ident, $keys:expr) => {
            let known = (&old.profiles.$field, &new.profiles.$field);
            in_force(&mut changes, $subject, (before.$field, after.$field), known, facts(&$keys));
        };
    }
    profiles!("client-ssl profile", client_ssl, ClientSslKeys);
    profiles!("server-ssl profile", server_ssl, ServerSslKeys);
    profiles!("protocol profile", protocol, ProtocolKeys);
    profiles!("persistence profile", persistence, PersistenceKeys);
    let lint = |model: &Model| -> BTreeMap<Name, _> {
        model.lint.iter().map(|(id, level)| (id.clone(), Arc::new(level.clone()))).collect()
    };
    // There is one, without a name.
    let admin = |model: &Model| -> BTreeMap<Name, _> {
        model.admin.iter().map(|admin| (Name::from(""), Arc::clone(admin))).collect()
    };
    named(&mut changes, "admin API", &admin(old), &admin(new), facts(&AdminKeys));
    named(&mut changes, "lint check", &lint(old), &lint(new), facts(&LintKeys));
    let (before, after) = (&old.virtual_servers, &new.virtual_servers);
    named(&mut changes, "virtual server", before, after, facts(&VirtualServerKeys));
    changes
}

fn in_use<T>(used: BTreeMap<&Name, &Arc<T>>) -> BTreeMap<Name, Arc<T>> {
    used.into_iter().map(|(name, it)| (name.clone(), Arc::clone(it))).collect()
}

/// Returns what the keys say of a value.
fn facts<S: Setting>(keys: &S) -> impl Fn(&S::Value) -> Facts {
    move |value| {
        let mut facts = Facts::new();
        keys.facts(value, &mut facts);
        facts
    }
}

/// Returns the facts that differ, each with the old and the new value. One that only one side has is `none` on the
/// other.
fn differences(old: Facts, new: Facts) -> Vec<(&'static str, String, String)> {
    let has = |facts: &Facts, key: &str| facts.iter().any(|(other, _)| *other == key);
    let type_of = |facts: &Facts| facts.iter().find(|(key, _)| *key == "type").cloned();
    let mut keys: Vec<_> = new.iter().map(|(key, _)| *key).collect();
    if type_of(&old) == type_of(&new) {
        keys.extend(old.iter().map(|(key, _)| *key).filter(|key| !has(&new, key)));
    } else {
        // Keys that only one of the types has say nothing more.
        keys.retain(|key| has(&old, key));
    }
    let of = |facts: &Facts, key: &str| {
        facts.iter().find(|(other, _)| *other == key).map_or_else(|| "none".to_owned(), |(_, value)| value.clone())
    };
    let pairs = keys.into_iter().map(|key| (key, of(&old, key), of(&new, key)));
    pairs.filter(|(_, old, new)| old != new).collect()
}

type Named<T> = BTreeMap<Name, Arc<T>>;

/// Adds the differences of profiles or monitors in use. One that both files know is neither added nor removed when it
/// comes into use or goes out of it, built in or not: whoever names it has changed.
fn in_force<T>(
    changes: &mut Vec<Change>,
    subject: &'static str,
    (mut old, mut new): (Named<T>, Named<T>),
    (old_known, new_known): (&Named<T>, &Named<T>),
    facts: impl Fn(&T) -> Facts,
) {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).cloned().collect();
    for name in names {
        for (used, known) in [(&mut old, old_known), (&mut new, new_known)] {
            if let Some(it) = known.get(&name).filter(|_| !used.contains_key(&name)) {
                used.insert(name.clone(), Arc::clone(it));
            }
        }
    }
    named(changes, subject, &old, &new, facts);
}

fn named<K: Ord + ToString, T>(
    changes: &mut Vec<Change>,
    subject: &'static str,
    old: &BTreeMap<K, Arc<T>>,
    new: &BTreeMap<K, Arc<T>>,
    facts: impl Fn(&T) -> Facts,
) {
    let mut push = |sign, name: &K, fact| changes.push(Change { sign, subject, name: name.to_string(), fact });
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        push(Sign::Removed, name, None);
    }
    for (name, after) in new {
        match old.get(name) {
            None => push(Sign::Added, name, None),
            Some(before) => {
                for fact in differences(facts(before), facts(after)) {
                    push(Sign::Changed, name, Some(fact));
                }
            }
        }
    }
}

fn pools(changes: &mut Vec<Change>, old: &BTreeMap<Name, Arc<Pool>>, new: &BTreeMap<Name, Arc<Pool>>) {
    named(changes, "pool", old, new, facts(&PoolKeys));
    for (name, after) in new {
        let Some(before) = old.get(name) else { continue };
        let members = |pool: &Pool| -> BTreeMap<String, _> {
            let members = pool.members.iter();
            members.map(|member| (format!("{} of pool {name}", member.key()), Arc::clone(member))).collect()
        };
        let (before_members, after_members) = (members(before), members(after));
        named(changes, "member", &before_members, &after_members, facts(&MemberKeys));
        // The order breaks ties, so it is a change even when the members are the same.
        let order = |pool: &Pool| pool.members.iter().map(|member| member.key().to_string()).collect::<Vec<_>>();
        let (old_order, new_order) = (order(before), order(after));
        if old_order != new_order && before_members.keys().eq(after_members.keys()) {
            let fact = Some(("order of members", old_order.join(", "), new_order.join(", ")));
            changes.push(Change { sign: Sign::Changed, subject: "pool", name: name.to_string(), fact });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    const BASE: &str = "
nodes:
  n1: { address: 10.1.1.1, hostname: n1.example.com }
  n2: { address: 10.1.1.2 }
pools:
  p: { monitors: [often], members: [n1:21050, n2:21050] }
monitors:
  often: { interval: 2s, timeout: 7s }
profiles:
  front: { type: client-ssl, cert-key-chain: [{ cert: lb.pem, key: lb.key }] }
  back: { type: server-ssl, ca-file: ca.pem }
  slow: { type: fastL4, idle-timeout: 1h }
  sticky: { type: source-addr, timeout: 1h }
virtual-servers:
  vs: { destination: 10.0.0.1:21050, pool: p, client-ssl: front, server-ssl: back, protocol: slow, persistence: sticky }
";

    fn model(text: &str) -> Model {
        config::parse("test.yaml", text, Path::new("/etc/pronk")).unwrap_or_else(|wrong| panic!("{wrong}")).model
    }

    fn changes(edits: &[(&str, &str)]) -> Vec<String> {
        let mut text = BASE.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        diff(&model(BASE), &model(&text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_models_have_no_difference() {
        assert_eq!(changes(&[]), [""; 0]);
        assert_eq!(changes(&[("idle-timeout: 1h", "idle-timeout: 3600")]), [""; 0]);
    }

    #[test]
    fn every_part_is_told_in_plain_words() {
        let edits = [
            ("address: 10.1.1.2 }", "address: 10.1.1.2, state: disabled }"),
            ("n2:21050]", "{ member: n1:21051, ratio: 2 }]"),
            ("timeout: 7s", "timeout: 9s"),
            ("key: lb.key }", "key: lb.key, passphrase-env: LB }"),
            ("ca-file: ca.pem", "peer-cert-mode: ignore"),
            ("idle-timeout: 1h", "idle-timeout: indefinite"),
            ("sticky: { type: source-addr, timeout: 1h", "sticky: { type: source-addr, mask: /24"),
            ("10.0.0.1:21050, pool: p", "10.0.0.1:21050, state: forced-offline, source: 10.0.0.0/8, pool: p"),
        ];
        assert_eq!(
            changes(&edits),
            [
                "~ node n2: state enabled -> disabled",
                "~ monitor often: timeout 7s -> 9s",
                "- member n2:21050 of pool p",
                "+ member n1:21051 of pool p",
                "~ client-ssl profile front: cert-key-chain [cert /etc/pronk/lb.pem, key /etc/pronk/lb.key] -> \
             [cert /etc/pronk/lb.pem, key /etc/pronk/lb.key, passphrase in $LB]",
                "~ server-ssl profile back: ca-file /etc/pronk/ca.pem -> system",
                "~ server-ssl profile back: peer-cert-mode require -> ignore",
                "~ protocol profile slow: idle-timeout 3600s -> indefinite",
                "~ persistence profile sticky: timeout 3600s -> 180s",
                "~ persistence profile sticky: mask /32 -> /24",
                "~ virtual server vs: source none -> [10.0.0.0/8]",
                "~ virtual server vs: state enabled -> forced-offline",
            ]
        );
    }

    #[test]
    fn what_is_renamed_comes_and_goes() {
        let edits = [("  p: {", "  q: {"), ("pool: p", "pool: q")];
        assert_eq!(changes(&edits), ["- pool p", "+ pool q", "~ virtual server vs: pool p -> q"]);
        assert_eq!(changes(&[("  vs: {", "  vs2: {")]), ["- virtual server vs", "+ virtual server vs2"]);
        let store = [("nodes:\n", "certificate-store: keys\nnodes:\n")];
        assert_eq!(changes(&store), ["~ certificates: certificate-store /etc/pronk/certs -> /etc/pronk/keys"]);
        let refresh = [("nodes:\n", "certificate-refresh: indefinite\nnodes:\n")];
        assert_eq!(changes(&refresh), ["~ certificates: certificate-refresh 5s -> indefinite"]);
    }

    #[test]
    fn what_is_built_in_is_neither_added_nor_removed() {
        let edits = [("monitors: [often]", "monitors: [often, tls, impala]"), ("protocol: slow, ", "")];
        let told = ["~ pool p: monitors [often] -> [often; tls; impala]", "~ virtual server vs: protocol slow -> tcp"];
        assert_eq!(changes(&edits), told);
    }

    #[test]
    fn order_of_members_counts_because_it_breaks_ties() {
        let told = changes(&[("[n1:21050, n2:21050]", "[n2:21050, n1:21050]")]);
        assert_eq!(told, ["~ pool p: order of members n1:21050, n2:21050 -> n2:21050, n1:21050"]);
    }
}
