use super::Kind::{
    Address, Count, Day, Destination, DurationOr, Flag, HostName, Members, MonitorRule, Named, Networks, NodePort,
    Path, Reference, Text, Word,
};
use super::{DAY, Shape, key};

const STATES: &[&str] = &["enabled", "disabled", "forced-offline"];
const NO_LIMIT_PER_SECOND: &str = "connections are limited in number by `connection-limit`, not yet in rate";

pub(in crate::config) const TOP: Shape = Shape {
    name: "configuration file",
    doc: "The sections of a file.",
    keys: &[
        key("nodes", Named("node"), "", "The hosts that run impalads."),
        key("pools", Named("pool"), "", "Members that serve the same port."),
        key(
            "monitors",
            Named("monitor"),
            "",
            "How members are watched; those in `profiles/monitors.yaml` are built in, such as `tcp` and `impala`.",
        ),
        key("profiles", Named("profile"), "", "Settings that virtual servers share."),
        key("virtual-servers", Named("virtual server"), "", "What clients connect to."),
        key("lint", Named("lint check"), "", "What becomes of findings about certificates, by the check's id."),
        key("certificate-store", Path, "certs", "The folder of the certificate store."),
        key(
            "certificate-refresh",
            DurationOr("indefinite", 10, DAY),
            "5s",
            "How often the certificates, keys, authorities and revocation lists that profiles name are looked at for \
             replacements, which are taken over at once; `indefinite` leaves that to `pronk reload`.",
        ),
    ],
    elsewhere: &[],
};

pub(in crate::config) const NODE: Shape = Shape {
    name: "node",
    doc: "A host. The guide advises its IP address rather than its name.",
    keys: &[
        key("address", Address, "", "IP address, or a fully qualified domain name that is resolved again every 30 s.")
            .required(),
        key("hostname", HostName, "", "The name in the host's certificate, which server-ssl checks."),
        key("description", Text, "", "For people."),
        key("state", Word(STATES), "enabled", "`disabled` takes persistent connections only, `forced-offline` none."),
    ],
    elsewhere: &[
        ("fqdn", "write the name as `address`"),
        ("monitor", "monitors watch members: write `monitors` in the pool"),
        ("session", "write `state`"),
        ("connection-limit", "write it on the members"),
        ("ratio", "write it on the members"),
        ("rate-limit", NO_LIMIT_PER_SECOND),
    ],
};

pub(in crate::config) const POOL: Shape = Shape {
    name: "pool",
    doc: "Members and how one is chosen.",
    keys: &[
        key("description", Text, "", "For people."),
        key(
            "monitors",
            MonitorRule,
            "",
            "A member is up while all of them say so, or as many as `{ min: N, of: [...] }` asks; without any it is \
             used. tmsh's `a and b` and `min 2 of { a b c }` are understood.",
        ),
        key(
            "load-balancing-mode",
            Word(METHODS),
            "round-robin",
            "`-node` methods count the connections of all pools to a host: one impalad serves 21000 and 21050.",
        )
        .refusing(OTHER_METHODS),
        key(
            "reselect-tries",
            Count(0, 100),
            "3",
            "Other members tried after one fails to connect, each at most once. F5's default is 0, which hands the \
             failure to the client.",
        ),
        key("members", Members, "", "Each `node:port`, or a map of the keys of a member."),
    ],
    elsewhere: &[
        ("monitor", "write `monitors`"),
        ("service-down-action", "not offered yet: connections to a member that goes down go on until they end"),
        ("slow-ramp-time", "not offered yet: a member takes its full share at once"),
        ("min-active-members", "priority groups are not offered yet"),
        ("queue-on-connection-limit", "not offered yet: connections above the limit go to other members"),
    ],
};

pub(in crate::config) const MEMBER: Shape = Shape {
    name: "member",
    doc: "A port of a node.",
    keys: &[
        key("member", NodePort, "", "The name of a node, and the port.").required(),
        key("connection-limit", Count(0, u32::MAX as u64), "0", "Connections at once, exactly; 0 is no limit."),
        key("ratio", Count(1, 65535), "1", "Its share under ratio-member."),
        key("description", Text, "", "For people."),
        key("state", Word(STATES), "enabled", "As a node's."),
    ],
    elsewhere: &[
        ("address", "name a node in `member`; addresses stand under `nodes`"),
        ("session", "write `state`"),
        ("priority-group", "priority groups are not offered yet"),
        ("monitor", "monitors watch all members alike: write `monitors` in the pool"),
        ("rate-limit", NO_LIMIT_PER_SECOND),
    ],
};

pub(in crate::config) const VIRTUAL_SERVER: Shape = Shape {
    name: "virtual server",
    doc: "What clients connect to. Its TLS mode follows from the SSL profiles it names: none is passthrough, client-ssl \
          alone is offload, both are re-encrypt, server-ssl alone is TLS toward the member only.",
    keys: &[
        key("description", Text, "", "For people."),
        key(
            "type",
            Word(&["standard", "performance-l4"]),
            "standard",
            "`performance-l4` takes no SSL profile and a fastL4 profile only.",
        ),
        key(
            "destination",
            Destination,
            "",
            "`address:port` or `\"[v6-address]:port\"`; `\"*:port\"` and `\"[::]:port\"` take IPv4 and IPv6. Port 0 \
             asks the system for a free one.",
        )
        .required(),
        key("hostname", HostName, "", "The name that clients connect to and check in certificates."),
        key("pool", Reference("pool"), "", "Where connections go.").required(),
        key(
            "persistence",
            Reference("profile"),
            "none",
            "A source-addr profile, such as `source_addr`; Hue needs one.",
        ),
        key("client-ssl", Reference("profile"), "none", "Terminates TLS from clients."),
        key("server-ssl", Reference("profile"), "none", "Begins TLS toward members."),
        key(
            "protocol",
            Reference("profile"),
            "",
            "A tcp or fastL4 profile; by default `tcp`, or `fastL4` for performance-l4.",
        ),
        key("connection-limit", Count(0, u32::MAX as u64), "0", "Connections at once, exactly; 0 is no limit."),
        key("source", Networks, "", "Networks that clients may come from; none lets everyone in."),
        key("enabled", Flag, "true", "Whether it listens."),
        key(
            "dial",
            Word(&["first-byte", "accept"]),
            "first-byte",
            "When the member is connected to. Impala's clients speak first, and a silent connection would hold one of \
             an impalad's two setup threads.",
        ),
        key(
            "source-address-translation",
            Word(&["automap"]),
            "automap",
            "Members see pronk's own address, as F5's automap has it.",
        )
        .refusing(&[("none", NO_OWN_ADDRESS), ("snat", "automap: the system chooses the address")]),
    ],
    elsewhere: &[
        ("profiles", "write `client-ssl`, `server-ssl` and `protocol`, a profile's name each"),
        ("persist", "write `persistence`"),
        ("fallback-persistence", "one persistence profile is offered"),
        ("rules", "iRules are not offered"),
        ("policies", "policies are not offered"),
        ("snat", "write `source-address-translation: automap`, which is the default"),
        ("disabled", "write `enabled: false`"),
        ("ip-protocol", "it is TCP"),
        ("mask", "a virtual server listens on one address"),
        ("rate-limit", NO_LIMIT_PER_SECOND),
    ],
};

pub(in crate::config) const LINT: Shape = Shape {
    name: "lint check",
    doc: "What becomes of the findings of one check of certificates, in `pronk lint --config` and while pronk runs. \
          `pronk lint --list-checks` tells the ids.",
    keys: &[
        key(
            "level",
            Word(&["allow", "warn", "deny"]),
            "",
            "`allow` holds findings back, `warn` makes them warnings, `deny` makes them errors.",
        )
        .required(),
        key("reason", Text, "", "Why, for those who read the file; `allow` needs one."),
        key("until", Day, "", "The first day (UTC) on which this no longer holds."),
    ],
    elsewhere: &[],
};

const METHODS: &[&str] = &["round-robin", "ratio-member", "least-connections-member", "least-connections-node"];

/// F5's methods that pronk does not have, with the reason or the nearest.
const OTHER_METHODS: &[(&str, &str)] = &[
    ("fastest-node", NO_OUTSTANDING_REQUESTS),
    ("fastest-app-response", NO_OUTSTANDING_REQUESTS),
    ("ratio-node", "the nearest is ratio-member"),
    ("ratio-session", "the nearest is ratio-member"),
    ("ratio-least-connections-member", "the nearest is least-connections-member"),
    ("ratio-least-connections-node", "the nearest is least-connections-node"),
    ("weighted-least-connections-member", "the nearest is least-connections-member with a connection-limit"),
    ("weighted-least-connections-node", "the nearest is least-connections-node with a connection-limit"),
    ("observed-member", "the nearest is least-connections-member"),
    ("observed-node", "the nearest is least-connections-node"),
    ("predictive-member", "the nearest is least-connections-member"),
    ("predictive-node", "the nearest is least-connections-node"),
    ("dynamic-ratio-member", "the nearest is least-connections-member"),
    ("dynamic-ratio-node", "the nearest is least-connections-node"),
    ("least-sessions", "the nearest is least-connections-node"),
];

const NO_OUTSTANDING_REQUESTS: &str =
    "it needs outstanding requests, which raw TCP does not show; the nearest is least-connections-node";
const NO_OWN_ADDRESS: &str = "a full proxy connects to members from its own address: with the client's, the member \
                              would answer the client past pronk. Leave this out, or write automap";
