//! The keys of a member.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::declare::settings;
use super::key::Key;
use super::kind::{Count, Kind, Written, Wrong};
use super::node::{DESCRIPTION, LIMIT, RATE, RATIO, STATE};
use super::section::{AnyKey, Section};
use super::setting::{Constant, Facts, Setting};
use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::config::tree::{Node, Value};
use crate::model::{self, Address, Member, Name, SetBy};

pub(in crate::config) const MEMBER: Section =
    Section { name: "member", doc: "A port of a node.", list: |keys| const { &MemberKeys }.list(keys) };

settings!(
    MemberKeys = Member {
        node: Key::new("member", MemberNode, "The name of a node, and the port.").required(),
        port: PortOfMember,
        connection_limit: Key::new("connection-limit", LIMIT, "The most connections at once; 0 is no limit.")
            .default("0"),
        ratio: Key::new("ratio", RATIO, "The member's share with the ratio methods of members.").default("1"),
        description: DESCRIPTION,
        state: Key::new("state", STATE, "As of a node.").default("enabled"),
        rate_limit: Key::new("rate-limit", RATE, "The most new connections in any second; 0 is no limit.").default("0"),
        priority_group: Key::new(
            "priority-group",
            Count::<u32>::from(0, 65535),
            "Members with a higher number are used first, if the pool has `min-active-members`.",
        )
        .default("0"),
        state_set_by: Constant(None::<Arc<SetBy>>),
        ratio_set_by: Constant(None::<Arc<SetBy>>),
        discovered: Constant(false),
    }
);

/// The node of `node:port`.
#[derive(Clone, Copy)]
struct MemberNode;

impl Kind for MemberNode {
    type Value = Arc<model::Node>;

    fn describe(&self) -> String {
        "`node:port`".into()
    }

    fn schema(&self) -> Json {
        node_port()
    }

    fn read(&self, Written { node, fields }: Written<'_>) -> Result<Self::Value, Wrong> {
        let (written, at) = (node.scalar().ok_or(Wrong::Kind)?, node.at);
        let Some((name, _)) = written.rsplit_once(':') else {
            fields.error(at, format!("a member is `node:port`, found `{written}`"), None);
            return Err(Wrong::Noted);
        };
        if port_of(&written).is_none() {
            fields.error(at, format!("`{written}` does not end in a port from 1 to 65535"), None);
        }
        if let Some(known) = fields.context.model.nodes.get(name) {
            return Ok(Arc::clone(known));
        }
        if name.parse::<IpAddr>().is_ok() {
            let help = format!("write `nodes: {{ {name}: {{ address: {name} }} }}`, or a shorter name for it");
            fields.error(at, format!("a member names a node, and no node is called `{name}`"), Some(help));
        } else {
            if !fields.context.has_reference("node", "nodes", name, at, &[]) {
                return Err(Wrong::Noted);
            }
        }
        Err(Wrong::Noted)
    }

    fn absent(&self) -> Self::Value {
        let nowhere = Address::Ip(std::net::Ipv4Addr::UNSPECIFIED.into());
        Arc::new(model::Node::new(Name::from(""), nowhere))
    }

    fn tell(&self, value: &Self::Value) -> String {
        value.name.to_string()
    }
}

/// The port of `node:port`, whose mistakes are noted with the node.
struct PortOfMember;

impl Setting for PortOfMember {
    type Value = u16;

    fn list(&'static self, _: &mut Vec<&'static dyn AnyKey>) {}

    fn read(&self, fields: &Fields<'_>) -> u16 {
        let written = fields.node(MemberKeys::node()).and_then(Node::scalar);
        written.and_then(|text| port_of(&text)).unwrap_or(0)
    }

    fn facts(&self, _: &u16, _: &mut Facts) {}
}

fn port_of(node_port: &str) -> Option<u16> {
    let (_, port) = node_port.rsplit_once(':')?;
    port.parse().ok().filter(|port| *port > 0)
}

/// Reads one item of a pool's `members`: `node:port`, or a map. `None` when nothing in it names a member, which is
/// noted.
fn member(item: &Node, fields: &Fields<'_>) -> Option<Member> {
    let name = |member: &Member| !member.node.name.as_str().is_empty() && member.port > 0;
    let member = match &item.value {
        Value::Text(_) | Value::Number(_) => MemberKeys.read(&fields.of_single(&MEMBER, MemberKeys::node(), item)),
        _ => MemberKeys.read(&fields.of_map(&MEMBER, item)?),
    };
    name(&member).then_some(member)
}

pub(super) const MEMBERS: Key<Members> =
    Key::new("members", Members, "Each `node:port`, or a map of the keys of a member.");

/// A list of members.
#[derive(Clone, Copy)]
pub(super) struct Members;

impl Kind for Members {
    type Value = Vec<Arc<Member>>;

    fn describe(&self) -> String {
        "a list of members".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": { "anyOf": [node_port(), { "$ref": "#/$defs/member" }] } })
    }

    fn read(&self, written: Written<'_>) -> Result<Self::Value, Wrong> {
        let Value::List(items) = &written.node.value else { return Err(Wrong::Kind) };
        let (mut members, mut keys): (Vec<Arc<Member>>, _) = (Vec::new(), HashSet::new());
        let mut ports: HashMap<(String, u16), String> = HashMap::new();
        for item in items {
            let Some(member) = member(item, written.fields) else { continue };
            let key = member.key();
            let port = (member.node.address.to_string().to_ascii_lowercase(), member.port);
            if !keys.insert(key.clone()) {
                let message = format!("member `{key}` is listed twice in pool `{}`", written.fields.name);
                written.fields.error(item.at, message, Some("for a larger share write `ratio`".to_owned()));
            } else if let Some(twin) = ports.insert(port, key.to_string()) {
                let message = format!("members `{twin}` and `{key}` are the same port of the same address");
                let help = "keep one of them: its limits and its share count twice otherwise".to_owned();
                written.fields.report(Severity::Warning, item.at, message, Some(help));
            }
            members.push(Arc::new(member));
        }
        Ok(members)
    }

    fn absent(&self) -> Self::Value {
        Vec::new()
    }

    /// Members are compared one by one, and in their order, elsewhere.
    fn tell(&self, _: &Self::Value) -> String {
        String::new()
    }

    fn items(&self) -> Option<&'static Section> {
        Some(&MEMBER)
    }
}

fn node_port() -> Json {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]+:[0-9]{1,5}$" })
}
