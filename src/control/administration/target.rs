//! What an administrative change is for: a node, a member or a virtual server.

use std::fmt;

use crate::config::did_you_mean;
use crate::model::{MemberKey, Model, Name};

/// What an administrative change is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Node(Name),
    Member { pool: Name, member: MemberKey },
    VirtualServer(Name),
}

/// A kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    Node,
    Member,
    VirtualServer,
}

/// Why nothing is found, in words that tell the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::control) enum NotFound {
    /// There is nothing of that name.
    Missing(String),
    /// It is not clear what is meant.
    Unclear(String),
}

impl TargetKind {
    pub const ALL: [Self; 3] = [Self::Node, Self::Member, Self::VirtualServer];

    /// Returns the word for commands and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Member => "member",
            Self::VirtualServer => "virtual-server",
        }
    }
}

impl Target {
    /// Reads a target as it is written: a member as `pool/node:port`.
    pub fn parse(kind: TargetKind, name: &str) -> Option<Self> {
        Some(match kind {
            TargetKind::Node => Self::Node(Name::from(name)),
            TargetKind::VirtualServer => Self::VirtualServer(Name::from(name)),
            TargetKind::Member => {
                let (pool, member) = name.rsplit_once('/')?;
                Self::Member { pool: Name::from(pool), member: MemberKey::parse(member)? }
            }
        })
    }

    /// Finds what a name is for in a configuration. A member may be written without its pool where one pool has it; with
    /// `every_pool` it is that of each pool that has it.
    ///
    /// # Errors
    /// There is none of that name, or several.
    pub(in crate::control) fn find(
        model: &Model,
        kind: TargetKind,
        name: &str,
        every_pool: bool,
    ) -> Result<Vec<Self>, NotFound> {
        let unknown = |known: &mut dyn Iterator<Item = &str>| {
            let hint = did_you_mean(name, known).map(|hint| format!("; {hint}")).unwrap_or_default();
            NotFound::Missing(format!("there is no {} {name}{hint}", kind.as_str()))
        };
        match kind {
            TargetKind::Node if model.nodes.contains_key(name) => Ok(vec![Self::Node(Name::from(name))]),
            TargetKind::Node => Err(unknown(&mut model.nodes.keys().map(Name::as_str))),
            TargetKind::VirtualServer if model.virtual_servers.contains_key(name) => {
                Ok(vec![Self::VirtualServer(Name::from(name))])
            }
            TargetKind::VirtualServer => Err(unknown(&mut model.virtual_servers.keys().map(Name::as_str))),
            TargetKind::Member => Self::find_member(model, name, every_pool, &unknown),
        }
    }

    fn find_member(
        model: &Model,
        name: &str,
        every_pool: bool,
        unknown: &dyn Fn(&mut dyn Iterator<Item = &str>) -> NotFound,
    ) -> Result<Vec<Self>, NotFound> {
        let (pool, member) = match name.rsplit_once('/') {
            Some((pool, member)) => (Some(pool), member),
            None => (None, name),
        };
        let Some(member) = MemberKey::parse(member) else {
            return Err(NotFound::Unclear(format!("a member is `node:port` or `pool/node:port`, found `{name}`")));
        };
        if let Some(pool) = pool.filter(|pool| !model.pools.contains_key(*pool)) {
            let hint = did_you_mean(pool, model.pools.keys().map(Name::as_str));
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            return Err(NotFound::Missing(format!("there is no pool {pool}{hint}")));
        }
        let pools = model.pools.values().filter(|it| pool.is_none_or(|pool| it.name.as_str() == pool));
        let having: Vec<_> =
            pools.filter(|pool| pool.member(&member).is_some()).map(|pool| pool.name.clone()).collect();
        match having.as_slice() {
            [] => {
                let all = model.pools.values().flat_map(|it| it.members.iter().map(|member| (&it.name, member.key())));
                let all: Vec<_> =
                    all.map(|(of, key)| if pool.is_some() { format!("{of}/{key}") } else { key.to_string() }).collect();
                Err(unknown(&mut all.iter().map(String::as_str)))
            }
            [_, _, ..] if !every_pool => {
                let names: Vec<_> = having.iter().map(|pool| format!("{pool}/{member}")).collect();
                let names = names.join(", ");
                Err(NotFound::Unclear(format!("several pools have the member {member}; name one: {names}")))
            }
            _ => Ok(having.into_iter().map(|pool| Self::Member { pool, member: member.clone() }).collect()),
        }
    }

    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Node(_) => TargetKind::Node,
            Self::Member { .. } => TargetKind::Member,
            Self::VirtualServer(_) => TargetKind::VirtualServer,
        }
    }

    /// Returns the name without the kind.
    pub fn name(&self) -> String {
        match self {
            Self::Node(name) | Self::VirtualServer(name) => name.to_string(),
            Self::Member { pool, member } => format!("{pool}/{member}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().as_str(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const FILE: &str = "
nodes: { n1: { address: 10.0.0.1 }, n2: { address: 10.0.0.2 } }
pools: { a: { members: ['n1:21050', 'n2:21050'] }, b: { members: ['n1:21050', 'n1:21000'] } }
virtual-servers: { vs: { destination: 10.9.9.9:21050, pool: a } }
";

    #[test]
    fn targets_are_found_or_told_apart() {
        let model = config::parse("", FILE, std::path::Path::new("/")).unwrap().model;
        let find = |kind, name| match Target::find(&model, kind, name, false) {
            Ok(found) => Ok(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
            Err(NotFound::Missing(why)) => Err(why),
            Err(NotFound::Unclear(why)) => Err(format!("unclear: {why}")),
        };
        use TargetKind::{Member, Node, VirtualServer};
        let everywhere = Target::find(&model, Member, "n1:21050", true).unwrap();
        assert_eq!(
            everywhere.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["member a/n1:21050", "member b/n1:21050"]
        );
        for (kind, name, expected) in [
            (Node, "n1", Ok("node n1")),
            (Node, "n3", Err("there is no node n3; did you mean `n1`?")),
            (VirtualServer, "vs", Ok("virtual-server vs")),
            (VirtualServer, "elsewhere", Err("there is no virtual-server elsewhere")),
            (Member, "n2:21050", Ok("member a/n2:21050")),
            (Member, "b/n1:21050", Ok("member b/n1:21050")),
            (
                Member,
                "n1:21050",
                Err("unclear: several pools have the member n1:21050; name one: a/n1:21050, b/n1:21050"),
            ),
            (Member, "n2:2105", Err("there is no member n2:2105; did you mean `n2:21050`?")),
            (Member, "c/n2:21050", Err("there is no pool c; did you mean `a`?")),
            (Member, "n2", Err("unclear: a member is `node:port` or `pool/node:port`, found `n2`")),
        ] {
            assert_eq!(find(kind, name), expected.map(str::to_owned).map_err(str::to_owned), "{name}");
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for target in [
            Target::Node("n1".into()),
            Target::Member { pool: "a/b".into(), member: MemberKey { node: "n:1".into(), port: 1 } },
            Target::VirtualServer("vs".into()),
        ] {
            assert_eq!(Target::parse(target.kind(), &target.name()), Some(target));
        }
    }
}
