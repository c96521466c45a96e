//! Values of other load balancers, by the key or the section of names for which people write them.

type Words = &'static [(&'static str, &'static str)];

/// Values of `type`, by a part of the section's name.
pub(super) static TYPES: &[(&str, Words)] = &[
    (
        "virtual server",
        &[
            ("performance-layer-4 performance-l4 fastl4-virtual layer-4 l4 fastl4", "write `performance-l4`"),
            ("tcp tcp-mode protocol", "write `standard`, which is the default"),
            ("performance-http fasthttp http", "HTTP is not read: write `standard`, which forwards it as it is"),
            ("forwarding-ip forwarding-layer-2 ip-forward l2-forward", "pronk forwards no packets: write `standard`"),
            ("stateless reject dhcp internal message-routing", "write `standard` or `performance-l4`"),
        ],
    ),
    (
        "profile",
        &[
            ("clientssl ssl-client ssl-profile-client client", "write `client-ssl`"),
            ("serverssl ssl-server ssl-profile-server server", "write `server-ssl`"),
            ("ssl", "write `client-ssl` for TLS with clients, `server-ssl` for TLS with members"),
            ("source-address-affinity source-address source-ip sticky", "write `source-addr`"),
            ("protocol fast-l4 performance-l4", "write `tcp` or `fastL4`"),
            (
                "cookie cookie-insert dest-addr destination-address-affinity ssl-persistence sip universal persistence",
                "write `source-addr` or `hash`",
            ),
            (
                "http http2 fasthttp performance-http one-connect oneconnect stream web-acceleration",
                "HTTP is not read: leave the profile out",
            ),
            ("udp sctp", "pronk forwards TCP: write `tcp`"),
        ],
    ),
    ("monitor", &[("hs2 hiveserver2 impalad beeswax", "write `impala`")]),
];

/// Values of keys.
pub(super) static KEYS: &[(&str, Words)] = &[
    (
        "load-balancing-mode",
        &[
            ("least-connections leastconn least-conn", "write `least-connections-node`, or `least-connections-member`"),
            ("ratio static-rr weighted-round-robin", "write `ratio-member`, or `ratio-node`"),
            ("roundrobin rr", "write `round-robin`"),
            ("weighted-least-connections weighted", "write `weighted-least-connections-member`, or `-node`"),
            ("dynamic-ratio", "write `dynamic-ratio-node`, or `dynamic-ratio-member`"),
            ("observed", "write `observed-member`, or `observed-node`"),
            ("predictive", "write `predictive-member`, or `predictive-node`"),
            (
                "fastest fastest-node fastest-app-response fastest-application least-time",
                "write `least-load`, which asks the impalads, or `predictive-member`",
            ),
            ("source ip-hash hash uri", "write `persistence: hash` in the virtual server"),
            ("random first", "write `round-robin`"),
        ],
    ),
    (
        "source-address-translation",
        &[("auto-map auto", "write `automap`, or leave it out"), ("lsn", "write `automap`, or leave it out")],
    ),
    (
        "state",
        &[
            ("user-down forced-offline-only-active-connections-allowed down maint", "write `forced-offline`"),
            ("user-disabled disabled-only-persistent-or-active-connections-allowed drain", "write `disabled`"),
            ("user-up user-enabled enabled-all-traffic-allowed up ready true yes on", "write `enabled`"),
        ],
    ),
    ("service-down-action", &[("reject", "write `reset`")]),
    (
        "peer-cert-mode",
        &[
            ("required verify-required", "write `require`"),
            ("optional", "write `request`"),
            ("none off auto", "write `ignore`"),
        ],
    ),
    (
        "cipher-group",
        &[
            ("f5-default", "write `default`"),
            ("f5-secure high", "write `secure`"),
            ("f5-aes", "write `aes`"),
            ("f5-ecc", "write `ecc`"),
        ],
    ),
    ("idle-timeout", &[("immediate", "write a duration, such as `1s`"), ("never none infinite", "write `indefinite`")]),
];

/// Names of what is built in elsewhere, by the section in which they are looked for.
pub(super) static NAMES: &[(&str, Words)] = &[
    (
        "profiles",
        &[
            ("source-address-affinity source-addr source-address sourceaddr source-ip", "write `source_addr`"),
            ("cookie ssl dest-addr universal sip-info msrdp host", "write `source_addr` or `hash`"),
            (
                "f5-tcp-lan f5-tcp-wan f5-tcp-progressive f5-tcp-mobile tcp-lan-optimized tcp-wan-optimized \
                 mptcp-mobile-optimized",
                "write `tcp`",
            ),
            ("fastl4 fast-l4 full-acceleration", "write `fastL4`"),
            ("apm-default-serverssl serverssl-default", "write `serverssl`"),
            ("clientssl-insecure-compatible wom-default-clientssl", "write a profile with `defaults-from: clientssl`"),
            ("http oneconnect stream", "HTTP is not read: leave it out"),
        ],
    ),
    (
        "monitors",
        &[
            ("icmp gateway-icmp ping", "write `gateway_icmp`"),
            ("half-open tcp-half-open", "write `tcp_half_open`"),
            ("hs2 hiveserver2 impalad beeswax", "write `impala`"),
            ("https-443 https-head-f5 http-head-f5", "write `https` or `http`"),
            ("none default", "leave `monitors` out, or write `impala`"),
        ],
    ),
];
