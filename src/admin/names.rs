//! The names of what runs, for completions of the shell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::Serving;

/// The names of what runs, in order.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Names {
    pub virtual_servers: Vec<String>,
    pub pools: Vec<String>,
    /// Those of the members' nodes.
    pub nodes: Vec<String>,
    /// Each as `node:port`, and as `pool/node:port` too where several pools have it.
    pub members: Vec<String>,
}

impl Names {
    pub(super) fn of(serving: &Serving) -> Self {
        let all = || serving.pools.values().flat_map(|pool| pool.members.iter().map(move |member| (pool, member)));
        let mut keys: Vec<_> = all().map(|(_, member)| &member.key).collect();
        keys.sort();
        let is_shared = |key| keys.partition_point(|it| *it <= key) - keys.partition_point(|it| *it < key) > 1;
        let in_pools = all().filter(|(_, member)| is_shared(&member.key));
        let members = in_pools.map(|(pool, member)| format!("{}/{}", pool.config.name, member.key));
        let mut members: Vec<_> = members.chain(keys.iter().map(ToString::to_string)).collect();
        let mut nodes: Vec<_> = all().map(|(_, member)| member.key.node.to_string()).collect();
        for names in [&mut members, &mut nodes] {
            names.sort();
            names.dedup();
        }
        Self {
            virtual_servers: serving.virtual_servers.keys().map(ToString::to_string).collect(),
            pools: serving.pools.keys().map(ToString::to_string).collect(),
            nodes,
            members,
        }
    }
}
