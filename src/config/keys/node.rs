//! The keys of a node.

use std::sync::Arc;

use super::declare::settings;
use super::key::Key;
use super::kind::{Count, DAY, Flag, HostName, Limit, Line, NodeAddress, Optional, SECOND, Span, Words};
use super::section::Section;
use super::setting::{Constant, EntryName, Setting};
use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::model::{Address, AdminState, Node, SetBy};

pub(in crate::config) const NODE: Section = Section {
    name: "node",
    doc: "A host. The guide advises its IP address rather than its name.",
    list: |keys| const { &NodeKeys }.list(keys),
};

settings!(
    NodeKeys = Node {
        name: EntryName,
        address: Key::new(
            "address",
            NodeAddress,
            "An IP address, or a fully qualified domain name, which is resolved again every `interval`.",
        )
        .required(),
        hostname: Key::new(
            "hostname",
            Optional(HostName),
            "The name in the host's certificate, which server-ssl checks.",
        ),
        description: DESCRIPTION,
        state: Key::new(
            "state",
            STATE,
            "`disabled` gets only connections of clients with a persistence record, \
                                         `forced-offline` gets none."
        )
        .default("enabled"),
        connection_limit: Key::new(
            "connection-limit",
            LIMIT,
            "The most connections at once, from all pools; 0 is no limit.",
        )
        .default("0"),
        rate_limit: Key::new(
            "rate-limit",
            RATE,
            "The most new connections in any second, from all pools; 0 is no \
                                                  limit."
        )
        .default("0"),
        ratio: Key::new("ratio", RATIO, "The node's share with the ratio methods of nodes.").default("1"),
        autopopulate: Key::new(
            "autopopulate",
            Flag,
            "Each address of the name becomes a member. Members are added and drained as the addresses change.",
        )
        .default("false"),
        interval: Key::new("interval", Span(SECOND, DAY), "How often the name is resolved again.").default("30s"),
        state_set_by: Constant(None::<Arc<SetBy>>),
    }
);

/// Notes what does not fit together in a node.
pub(in crate::config) fn check(node: &Node, fields: &Fields<'_>) {
    let (name, address) = (fields.name, NodeKeys::address());
    let is_known = fields.has(address) && fields.is_good(address);
    if let Address::Fqdn(_) = node.address {
        let help = "the guide advises the address, which needs no name resolution to stay up".to_owned();
        let message = format!("node `{name}` is given by name");
        fields.report(Severity::Note, fields.place(address), message, Some(help));
    } else if node.autopopulate && is_known {
        let message = format!("node `{name}` has one address, and autopopulate has nothing to find");
        let help = "write a domain name as `address`, or leave autopopulate out".to_owned();
        fields.error(fields.place(NodeKeys::autopopulate()), message, Some(help));
    }
}

pub(super) const DESCRIPTION: Key<Optional<Line>> = Key::new("description", Optional(Line), "A text for people.");
pub(super) const STATE: Words<AdminState> = Words { all: &AdminState::ALL, word: AdminState::as_str };
pub(super) const LIMIT: Limit<u32> = Limit::to(u32::MAX as u64);
pub(super) const RATE: Limit<u32> = Limit::to(1_000_000);
pub(super) const RATIO: Count<u32> = Count::from(1, 65535);
