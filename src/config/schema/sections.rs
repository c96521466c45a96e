use super::Kind::{
    Address, Count, Day, Destination, Duration, DurationOr, Flag, HostName, Members, MonitorRule, Named, Networks,
    NodePort, Path, Pattern, Reference, Text, Texts, Word,
};
use super::{DAY, Kind, SECOND, Shape, key};

const STATES: &[&str] = &["enabled", "disabled", "forced-offline"];

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
        key(
            "virtual-servers",
            Named("virtual server"),
            "",
            "What clients connect to. `{}` if there are none: a file without them may be one that is cut short.",
        )
        .required(),
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
        key(
            "address",
            Address,
            "",
            "IP address, or a fully qualified domain name that is resolved again every `interval`.",
        )
        .required(),
        key("hostname", HostName, "", "The name in the host's certificate, which server-ssl checks."),
        key("description", Text, "", "For people."),
        key("state", Word(STATES), "enabled", "`disabled` takes persistent connections only, `forced-offline` none."),
        key(
            "connection-limit",
            Count(0, u32::MAX as u64),
            "0",
            "Connections from all pools at once, exactly; 0 is no limit.",
        ),
        key("rate-limit", RATE, "0", "Connections from all pools in any second; 0 is no limit."),
        key("ratio", Count(1, 65535), "1", "Its share under the ratio methods of nodes."),
        key(
            "autopopulate",
            Flag,
            "false",
            "Each address of the name is a member of its own, added and drained as the name's addresses change.",
        ),
        key("interval", Duration(SECOND, DAY), "30s", "How often the name is resolved again."),
    ],
    elsewhere: &[
        ("fqdn", "write the name as `address`"),
        ("monitor", "monitors watch members: write `monitors` in the pool"),
        ("session", "write `state`"),
        ("dynamic-ratio", DYNAMIC_RATIO),
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
            "`-node` methods count the connections of all pools to a host: one impalad serves 21000 and 21050. \
             least-load goes by what the daemons tell of themselves to an impala monitor.",
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
        key(
            "ignore-persisted-weight",
            Flag,
            "false",
            "Connections that persistence sent to a member count for nothing when the method chooses.",
        ),
        key(
            "min-active-members",
            Count(0, 65535),
            "0",
            "Members of the highest `priority-group` serve alone while so many of them are up and below their limits; \
             else those of the next one serve as well. 0 is no groups.",
        ),
        key(
            "min-up-members",
            Count(0, 65535),
            "0",
            "With fewer members up the pool is offline and takes no connection, so that whoever stands above fails \
             over; 0 is off.",
        ),
        key(
            "slow-ramp-time",
            Duration(0, DAY),
            "10s",
            "How long the share of a member grows after it came up, was enabled or was added; 0 is at once.",
        ),
        key(
            "queue-on-connection-limit",
            Flag,
            "false",
            "Connections wait, in the order in which they came, when every member is at a limit or full by its own \
             account; else they are refused.",
        ),
        key(
            "queue-depth-limit",
            Count(0, u32::MAX as u64),
            "1000",
            "Connections that wait at once; 0 is no limit, which is F5's default.",
        ),
        key(
            "queue-time-limit",
            DurationOr("indefinite", 1, DAY),
            "60s",
            "How long a connection waits at most. F5's default is without end; clients that hang tell their users \
             nothing.",
        ),
        key(
            "setup-limit",
            Count(0, u32::MAX as u64),
            "2",
            "After the loss of a member, connections that are set up with one member at once, until its first byte \
             comes; others wait in the queue. An impalad has two setup threads. 0 is no limit.",
        ),
        key("setup-limit-time", Duration(0, DAY), "30s", "How long after a loss `setup-limit` holds."),
        key(
            "service-down-action",
            Word(&["none", "reset", "drop", "reselect"]),
            "none",
            "What becomes of the connections of a member that goes down: they go on, are reset on both sides, end in \
             silence, or move to another member where they have carried nothing.",
        ),
        key(
            "drain-time",
            DurationOr("indefinite", 0, 365 * DAY),
            "indefinite",
            "How long connections to a member that a reload removes go on before the service-down-action is taken.",
        ),
        key(
            "discover",
            Word(&["impala"]),
            "none",
            "`impala` fills the pool with the coordinators that a coordinator's web UI lists, beside those in `members`.",
        ),
        key(
            "discover-seeds",
            Texts,
            "",
            "Whose web UIs are asked first: nodes, or `host` or `host:port`; by default the nodes of `members`.",
        ),
        key(
            "discover-port",
            Count(1, 65535),
            "",
            "The port of discovered members; by default that of the first member, else 21050.",
        ),
        key("discover-filter", Pattern, "", "A regular expression that a coordinator's host must match."),
        key("discover-interval", Duration(SECOND / 10, DAY), "30s", "How often the cluster is asked."),
    ],
    elsewhere: &[
        ("monitor", "write `monitors`"),
        ("seeds", "write `discover-seeds`"),
        ("min-up-members-checking", "write `min-up-members`; 0 is off"),
        ("min-up-members-action", "a pool with too few members up is offline; failing over is for what stands above"),
    ],
};

pub(in crate::config) const MEMBER: Shape = Shape {
    name: "member",
    doc: "A port of a node.",
    keys: &[
        key("member", NodePort, "", "The name of a node, and the port.").required(),
        key("connection-limit", Count(0, u32::MAX as u64), "0", "Connections at once, exactly; 0 is no limit."),
        key("ratio", Count(1, 65535), "1", "Its share under the ratio methods of members."),
        key("description", Text, "", "For people."),
        key("state", Word(STATES), "enabled", "As a node's."),
        key("rate-limit", RATE, "0", "Connections in any second; 0 is no limit."),
        key(
            "priority-group",
            Count(0, 65535),
            "0",
            "Members with a higher one are used first, while the pool has `min-active-members`.",
        ),
    ],
    elsewhere: &[
        ("address", "name a node in `member`; addresses stand under `nodes`"),
        ("session", "write `state`"),
        ("dynamic-ratio", DYNAMIC_RATIO),
        ("monitor", "monitors watch all members alike: write `monitors` in the pool"),
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
            "A source-addr profile, such as `source_addr`, which Hue needs, or a hash profile.",
        ),
        key(
            "fallback-persistence",
            Reference("profile"),
            "none",
            "Another one, asked where the first names no member that may be used.",
        ),
        key(
            "cancel-affinity",
            Flag,
            "false",
            "The same as `persistence: cancel_affinity`: impala-shell's Ctrl-C comes on a second connection, and \
             reaches the coordinator that runs the query.",
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
        key("rate-limit", RATE, "0", "Connections in any second; 0 is no limit."),
        key("source", Networks, "", "Networks that clients may come from; none lets everyone in."),
        key(
            "state",
            Word(STATES),
            "enabled",
            "`disabled` lets in whoever has a persistence record, `forced-offline` does not listen; both finish the \
             connections that they have.",
        ),
        key(
            "service-down-immediate-action",
            Word(&["none", "reset", "drop"]),
            "none",
            "What a client meets at once, before its TLS handshake, when no member could take it: nothing special, a \
             reset, or silence.",
        ),
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
        ("rules", "iRules are not offered"),
        ("policies", "policies are not offered"),
        ("snat", "write `source-address-translation: automap`, which is the default"),
        ("disabled", "write `state: disabled`"),
        ("enabled", "write `state`: enabled, disabled or forced-offline"),
        ("ip-protocol", "it is TCP"),
        ("mask", "a virtual server listens on one address"),
        ("rate-limit-mode", "the limit is the virtual server's own"),
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

const METHODS: &[&str] = &[
    "round-robin",
    "ratio-member",
    "ratio-node",
    "least-connections-member",
    "least-connections-node",
    "ratio-least-connections-member",
    "ratio-least-connections-node",
    "weighted-least-connections-member",
    "weighted-least-connections-node",
    "observed-member",
    "observed-node",
    "predictive-member",
    "predictive-node",
    "dynamic-ratio-member",
    "dynamic-ratio-node",
    "least-sessions",
    "least-load",
];

/// F5's methods that pronk does not have, with the reason or the nearest.
const OTHER_METHODS: &[(&str, &str)] = &[
    ("fastest-node", NO_OUTSTANDING_REQUESTS),
    ("fastest-app-response", NO_OUTSTANDING_REQUESTS),
    (
        "ratio-session",
        "it counts requests within connections, which raw TCP does not show; the nearest is ratio-member",
    ),
];

const RATE: Kind = Count(0, 1_000_000);
const DYNAMIC_RATIO: &str = "an impala monitor measures it";
const NO_OUTSTANDING_REQUESTS: &str =
    "it needs outstanding requests, which raw TCP does not show; the nearest is least-connections-node";
const NO_OWN_ADDRESS: &str = "a full proxy connects to members from its own address: with the client's, the member \
                              would answer the client past pronk. Leave this out, or write automap";
