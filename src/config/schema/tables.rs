use super::Kind::{Count, Duration, Flag, Path, Special, Text, Texts, Word};
use super::{Shape, key};

const STATES: &[&str] = &["enabled", "disabled", "forced-offline"];

pub(in crate::config) const TOP: Shape = Shape {
    name: "configuration file",
    doc: "The sections of a file.",
    keys: &[
        key("nodes", Special("a map of nodes by name"), "", "The hosts that run impalads."),
        key("pools", Special("a map of pools by name"), "", "Members that serve the same port."),
        key("monitors", Special("a map of monitors by name"), "", "How members are watched; `tcp` is built in."),
        key("profiles", Special("a map of profiles by name"), "", "Settings that virtual servers share."),
        key("virtual-servers", Special("a map of virtual servers by name"), "", "What clients connect to."),
        key("certificate-store", Path, "certs", "The folder of the certificate store."),
    ],
};

pub(in crate::config) const NODE: Shape = Shape {
    name: "node",
    doc: "A host. The guide advises its IP address rather than its name.",
    keys: &[
        key("address", Text, "", "IP address, or a fully qualified domain name that is resolved again every 30 s."),
        key("hostname", Text, "", "The name in the host's certificate, which server-ssl checks."),
        key("description", Text, "", "For people."),
        key("state", Word(STATES), "enabled", "`disabled` takes persistent connections only, `forced-offline` none."),
    ],
};

pub(in crate::config) const POOL: Shape = Shape {
    name: "pool",
    doc: "Members and how one is chosen.",
    keys: &[
        key("description", Text, "", "For people."),
        key("monitors", Texts, "", "Names of monitors; a member is up while all of them say so."),
        key(
            "load-balancing-mode",
            Special("a load-balancing method"),
            "round-robin",
            "`round-robin`, `ratio-member`, `least-connections-member` or `least-connections-node`.",
        ),
        key("reselect-tries", Count(0, 100), "3", "Other members tried after one fails to connect. F5's default is 0."),
        key("members", Special("a list of members"), "", "Each `node:port`, or a map of the keys of a member."),
    ],
};

pub(in crate::config) const MEMBER: Shape = Shape {
    name: "member",
    doc: "A port of a node.",
    keys: &[
        key("member", Text, "", "`node:port`."),
        key("connection-limit", Count(0, u32::MAX as u64), "0", "Connections at once; 0 is no limit."),
        key("ratio", Count(1, 65535), "1", "Its share under ratio-member."),
        key("description", Text, "", "For people."),
        key("state", Word(STATES), "enabled", "As a node's."),
    ],
};

pub(in crate::config) const MONITOR: Shape = Shape {
    name: "monitor",
    doc: "How members are watched.",
    keys: &[
        key("type", Word(&["tcp"]), "tcp", "What a probe does: `tcp` connects."),
        key("defaults-from", Text, "tcp", "The monitor that gives every key not set here."),
        key("interval", Duration, "", "From one probe to the next."),
        key("timeout", Duration, "", "Without a success for this long a member is down."),
    ],
};

pub(in crate::config) const VIRTUAL_SERVER: Shape = Shape {
    name: "virtual server",
    doc: "What clients connect to. Its TLS mode follows from the SSL profiles it names: none is passthrough, client-ssl \
          alone is offload, both are re-encrypt, server-ssl alone is TLS toward the member only.",
    keys: &[
        key("description", Text, "", "For people."),
        key("type", Word(&["standard", "performance-l4"]), "standard", "`performance-l4` takes no SSL profile."),
        key("destination", Text, "", "`address:port`; `\"[::]:port\"` takes IPv4 and IPv6."),
        key("hostname", Text, "", "The name that clients connect to."),
        key("pool", Text, "", "Where connections go."),
        key("persistence", Text, "none", "A source-addr profile, such as `source_addr`; Hue needs one."),
        key("client-ssl", Text, "none", "Terminates TLS from clients."),
        key("server-ssl", Text, "none", "Begins TLS toward members."),
        key("protocol", Text, "", "A tcp or fastL4 profile; `tcp` for standard, `fastL4` for performance-l4."),
        key("connection-limit", Count(0, u32::MAX as u64), "0", "Connections at once; 0 is no limit."),
        key("source", Texts, "", "Networks that clients may come from, such as `10.0.0.0/8`; none lets everyone in."),
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
            Word(&["automap", "none"]),
            "automap",
            "Members see pronk's own address; `none` is refused.",
        ),
    ],
};
