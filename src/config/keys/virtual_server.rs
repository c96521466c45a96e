//! The keys of a virtual server.

use std::sync::Arc;

use super::declare::settings;
use super::key::Key;
use super::kind::{Destination, Flag, HostName, Networks, Optional, PoolReference, Reference, Words};
use super::node::{DESCRIPTION, LIMIT, RATE, STATE};
use super::protocol::{ProtocolKeys, default_protocol};
use super::section::{AnyKey, Section};
use super::setting::{Constant, EntryName, Facts, Setting};
use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::config::tree::Node;
use crate::model::profile::{ClientSsl, Persistence, PersistenceKind, Protocol, ServerSsl};
use crate::model::{Dial, ImmediateAction, LoadBalancing, Model, SetBy, VirtualServer, VirtualServerKind};

pub(in crate::config) const VIRTUAL_SERVER: Section = Section {
    name: "virtual server",
    doc: "What clients connect to. Its SSL profiles decide its TLS mode: none is passthrough (plain in a cluster \
          without TLS), client-ssl alone is offload, both are re-encrypt, server-ssl alone is TLS toward the member only.",
    list: |keys| {
        const { &VirtualServerKeys }.list(keys);
        const { &AUTOMAP }.list(keys);
    },
};

settings!(
    VirtualServerKeys = VirtualServer {
        name: EntryName,
        description: DESCRIPTION,
        kind: TYPE,
        destination: Key::new(
            "destination",
            Destination,
            "`address:port` or `\"[v6-address]:port\"`; `\"*:port\"` and `\"[::]:port\"` take IPv4 and IPv6. Port 0 \
             asks the system for a free one.",
        )
        .required(),
        hostname: Key::new(
            "hostname",
            Optional(HostName),
            "The name that clients connect to and check in certificates.",
        ),
        pool: Key::new("pool", PoolReference, "The pool that gets the connections.").required(),
        persistence: PersistenceOfClients,
        fallback_persistence: Key::new(
            "fallback-persistence",
            PERSISTENCE_PROFILE,
            "A second persistence profile, used if the first has no member that may be used.",
        )
        .default("none"),
        client_ssl: Key::new("client-ssl", CLIENT_SSL_PROFILE, "Terminates TLS from clients.").default("none"),
        server_ssl: Key::new("server-ssl", SERVER_SSL_PROFILE, "Uses TLS toward members.").default("none"),
        protocol: ProtocolOfType,
        connection_limit: Key::new("connection-limit", LIMIT, "The most connections at once; 0 is no limit.")
            .default("0"),
        rate_limit: Key::new("rate-limit", RATE, "The most new connections in any second; 0 is no limit.").default("0"),
        source: Key::new(
            "source",
            Networks,
            "Networks that clients may come from; without any, all clients are let \
                                              in."
        ),
        state: Key::new(
            "state",
            STATE,
            "`disabled` lets in only clients with a persistence record, `forced-offline` does not listen. Open \
             connections continue.",
        )
        .default("enabled"),
        state_set_by: Constant(None::<Arc<SetBy>>),
        service_down_immediate_action: Key::new(
            "service-down-immediate-action",
            Words { all: &ImmediateAction::ALL, word: ImmediateAction::as_str },
            "What happens to a client, before its TLS handshake, if no member could serve it: `none` goes on as usual, \
             `reset` resets it, `drop` answers nothing.",
        )
        .default("none"),
        dial: Key::new(
            "dial",
            Words { all: &Dial::ALL, word: Dial::as_str },
            "When to connect to the member. Impala's clients send first, and a connection without bytes occupies one \
             of an impalad's two setup threads.",
        )
        .default("first-byte"),
    }
);

const TYPE: Key<Words<VirtualServerKind>> = Key::new(
    "type",
    Words { all: &VirtualServerKind::ALL, word: VirtualServerKind::as_str },
    "`performance-l4` takes no SSL profile and a fastL4 profile only.",
)
.default("standard");

/// Read for its mistakes alone: there is nothing else to choose.
const AUTOMAP: Key<Words<()>> = Key::new(
    "source-address-translation",
    Words { all: &[()], word: |()| "automap" },
    "Members see pronk's own address, as with F5's automap.",
)
.default("automap")
.refusing(&[("none", NO_OWN_ADDRESS), ("snat", "automap: the system chooses the address")]);
const NO_OWN_ADDRESS: &str = "a full proxy connects to members from its own address: with the client's, the member \
                              would answer the client past pronk. Leave this out, or write automap";

pub(super) const CLIENT_SSL_PROFILE: Reference<ClientSsl> = Reference {
    what: "profile",
    section: "profiles",
    types: &["client-ssl"],
    of: |model: &Model| &model.profiles.client_ssl,
    name: |profile| &profile.name,
};
const SERVER_SSL_PROFILE: Reference<ServerSsl> = Reference {
    what: "profile",
    section: "profiles",
    types: &["server-ssl"],
    of: |model: &Model| &model.profiles.server_ssl,
    name: |profile| &profile.name,
};
const PERSISTENCE_PROFILE: Reference<Persistence> = Reference {
    what: "profile",
    section: "profiles",
    types: &["source-addr", "hash"],
    of: |model: &Model| &model.profiles.persistence,
    name: |profile| &profile.name,
};

/// `persistence`, or `cancel-affinity`, which stands for a built-in profile.
struct PersistenceOfClients;

const PERSISTENCE: Key<Reference<Persistence>> = Key::new(
    "persistence",
    PERSISTENCE_PROFILE,
    "A source-addr profile, such as `source_addr`, which Hue needs, or a hash profile.",
)
.default("none");
/// The built-in profile that it stands for.
const CANCEL_AFFINITY_PROFILE: &str = "cancel_affinity";
const CANCEL_AFFINITY: Key<Flag> = Key::new(
    "cancel-affinity",
    Flag,
    "The same as `persistence: cancel_affinity`: impala-shell's Ctrl-C comes on a second connection, and reaches the \
     coordinator that runs the query.",
)
.default("false");

impl Setting for PersistenceOfClients {
    type Value = Option<Arc<Persistence>>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &PERSISTENCE }.list(keys);
        const { &CANCEL_AFFINITY }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let named = PERSISTENCE.read(fields);
        if !CANCEL_AFFINITY.read(fields) {
            return named;
        }
        if fields.has(PERSISTENCE.name()) {
            let message = "`persistence` and `cancel-affinity` are two answers to one question";
            let help = "leave cancel-affinity out: any source-addr profile takes a client's second connection along";
            fields.error(fields.place(CANCEL_AFFINITY.name()), message, Some(help.to_owned()));
            return named;
        }
        PERSISTENCE_PROFILE.named(CANCEL_AFFINITY_PROFILE, fields.place(CANCEL_AFFINITY.name()), fields)
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        PERSISTENCE.facts(value, facts);
    }
}

/// The protocol profile, which is by default that of the virtual server's type.
struct ProtocolOfType;

const PROTOCOL: Key<Reference<Protocol>> = Key::new(
    "protocol",
    protocol_of(&["tcp", "fastL4"]),
    "A tcp or fastL4 profile; by default `tcp`, or `fastL4` for performance-l4.",
);

const fn protocol_of(types: &'static [&'static str]) -> Reference<Protocol> {
    Reference {
        what: "profile",
        section: "profiles",
        types,
        of: |model: &Model| &model.profiles.protocol,
        name: |profile: &Protocol| &profile.name,
    }
}

impl Setting for ProtocolOfType {
    type Value = Arc<Protocol>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &PROTOCOL }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let kind = TYPE.read(fields);
        let reference = match kind {
            VirtualServerKind::Standard => protocol_of(&["tcp", "fastL4"]),
            VirtualServerKind::PerformanceL4 => protocol_of(&["fastL4"]),
        };
        let written = fields.node(PROTOCOL.name()).filter(|node| !node.is_none());
        let named = if let Some(of_tcp) =
            written.filter(|_| kind == VirtualServerKind::PerformanceL4).and_then(tcp(fields))
        {
            let message = format!("virtual server `{}` is performance-l4, and profile `{of_tcp}` is tcp", fields.name);
            let help = match of_tcp.as_str() {
                "tcp" => "write `protocol: fastL4`, or `type: standard`".to_owned(),
                own => format!(
                    "write `type: fastL4` in profile `{own}`, its `defaults-from` too, or here `type: standard`"
                ),
            };
            fields.error(fields.place(PROTOCOL.name()), message, Some(help));
            None
        } else if fields.has(PROTOCOL.name()) {
            Key::new(PROTOCOL.name(), reference, PROTOCOL.doc()).read(fields)
        } else {
            reference.named(default_protocol(kind), fields.at, fields)
        };
        named.unwrap_or_else(|| Arc::new(ProtocolKeys.read(&fields.blank())))
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        PROTOCOL.facts(&Some(Arc::clone(value)), facts);
    }
}

/// Returns the name that a value gives, if it is that of a tcp profile.
fn tcp<'a>(fields: &Fields<'a>) -> impl Fn(&'a Node) -> Option<String> {
    let document = fields.context.document;
    move |node| {
        let name = node.scalar()?;
        let entry = document.named("profiles", &name)?;
        document.type_of("profiles", entry).filter(|word| word == "tcp").map(|_| name)
    }
}

/// Notes what does not fit together in a virtual server.
pub(in crate::config) fn check(virtual_server: &VirtualServer, fields: &Fields<'_>) {
    AUTOMAP.read(fields);
    let name = fields.name;
    let place = |key: &str| fields.place(key);
    if virtual_server.kind == VirtualServerKind::PerformanceL4 {
        for key in [VirtualServerKeys::client_ssl(), VirtualServerKeys::server_ssl()] {
            if fields.has(key) {
                let message = format!("virtual server `{name}` is performance-l4, which takes no SSL profile");
                fields.error(place(key), message, Some("write `type: standard`".to_owned()));
            }
        }
    }
    check_persistence(virtual_server, fields);
    if let Some(profile) = virtual_server.client_ssl.as_ref().filter(|it| it.cert_key_chain.is_empty())
        && fields.context.is_good_entry("profiles", profile.name.as_str())
    {
        let help = "make a profile with `defaults-from` and a `cert-key-chain`".to_owned();
        let message = format!("client-ssl profile `{}` has no certificate", profile.name);
        fields.error(place(VirtualServerKeys::client_ssl()), message, Some(help));
    }
    if let Some(profile) = virtual_server.server_ssl.as_ref().filter(|it| !it.verify) {
        let message =
            format!("`{}` verifies nothing: anyone on the network can pose as a member of `{name}`", profile.name);
        let help = "use serverssl with the ca-file of the cluster".to_owned();
        fields.report(Severity::Warning, place(VirtualServerKeys::server_ssl()), message, Some(help));
    }
}

fn check_persistence(virtual_server: &VirtualServer, fields: &Fields<'_>) {
    let VirtualServer { persistence, fallback_persistence, pool, .. } = virtual_server;
    let fallback = VirtualServerKeys::fallback_persistence();
    if fields.has(fallback)
        && persistence.is_none()
        && fields.is_good(PERSISTENCE.name())
        && fields.is_good(CANCEL_AFFINITY.name())
    {
        let message = "there is a fallback-persistence and no persistence that it could stand in for";
        fields.error(fields.place(fallback), message, Some("write it as `persistence`".to_owned()));
    }
    let method = pool.load_balancing_mode;
    let keeps_records = |profile: &Arc<Persistence>| profile.kind != PersistenceKind::Hash;
    let is_good = [PERSISTENCE.name(), CANCEL_AFFINITY.name(), fallback].iter().all(|key| fields.is_good(key));
    let has_records = persistence.iter().chain(fallback_persistence).any(keeps_records);
    if method == LoadBalancing::LeastSessions && !has_records && is_good {
        let message = format!("virtual server `{}` keeps no records, and least-sessions counts them", fields.name);
        let help = "write `persistence: source_addr`, or use least-connections-node".to_owned();
        fields.report(Severity::Warning, fields.place(VirtualServerKeys::pool()), message, Some(help));
    }
    let counts = method.counts_connections_or_load();
    let is_known = fields.context.is_good_entry("pools", pool.name.as_str()) && !pool.name.as_str().is_empty();
    let affinity = CANCEL_AFFINITY.read(fields) && !fields.has(PERSISTENCE.name());
    if affinity && is_known && !counts {
        let message =
            format!("cancel-affinity is meant for least-connections methods, and the pool has {}", method.as_str());
        let help = "the guide's front end for Hue has round robin and `persistence: source_addr`".to_owned();
        fields.report(Severity::Note, fields.place(CANCEL_AFFINITY.name()), message, Some(help));
    }
}
