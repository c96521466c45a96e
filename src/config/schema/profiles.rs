use super::Kind::{Count, Duration, DurationOr, Flag, Path, Special, Text, Texts, Word};
use super::{Key, Shape, key};

const TYPES: &[&str] = &["client-ssl", "server-ssl", "tcp", "fastL4", "source-addr"];
const VERSIONS: &[&str] = &["tls1.2", "tls1.3"];
const GROUPS: &[&str] = &["default", "secure", "aes", "ecc"];
const RESPONSES: &[&str] = &["drop", "ignore"];
const TYPE: Key = key("type", Word(TYPES), "", "The kind of profile.");
const PARENT: Key = key("defaults-from", Text, "", "The profile that gives every key not set here.");

pub(in crate::config) const CERT_KEY: Shape = Shape {
    name: "certificate",
    doc: "A certificate with its key: an entry of the store, or files.",
    keys: &[
        key("store", Text, "", "An entry of the certificate store."),
        key("cert", Path, "", "PEM file of the certificate, with or without its chain."),
        key("key", Path, "", "PEM file of the private key, not readable by others."),
        key("chain", Path, "", "PEM file of the intermediate certificates."),
        key("passphrase-file", Path, "", "File whose first line opens an encrypted key."),
        key("passphrase-env", Text, "", "Environment variable that opens an encrypted key."),
        key("sni-default", Flag, "false", "Serve this one to clients whose SNI matches none."),
    ],
};

/// The shapes of profiles by type.
pub(in crate::config) const PROFILES: &[(&str, Shape)] = &[
    ("client-ssl", CLIENT_SSL),
    ("server-ssl", SERVER_SSL),
    ("tcp", TCP),
    ("fastL4", FAST_L4),
    ("source-addr", SOURCE_ADDR),
];

const CLIENT_SSL: Shape = Shape {
    name: "client-ssl profile",
    doc: "How TLS from clients is terminated.",
    keys: &[
        TYPE,
        PARENT,
        key("cert-key-chain", Special("a list of certificates"), "", "Chosen by SNI, then by signature scheme."),
        key("sni-require", Flag, "false", "Refuse clients whose SNI is absent or matches no certificate."),
        key("minimum-version", Word(VERSIONS), "tls1.2", "Oldest TLS version."),
        key("maximum-version", Word(VERSIONS), "tls1.3", "Newest TLS version."),
        key("cipher-group", Word(GROUPS), "default", "Which cipher suites, in which order."),
        key("peer-cert-mode", Word(&["ignore", "request", "require"]), "ignore", "Whether clients show a certificate."),
        key("ca-file", Path, "", "Authorities that may have issued clients' certificates."),
        key("crl-file", Path, "", "Revocation lists for clients' certificates."),
        key("authenticate-depth", Count(1, 255), "9", "Most certificates in a client's chain."),
        key("handshake-timeout", Duration, "10s", "For the whole handshake."),
        key("session-ticket", Flag, "true", "Give tickets to resume with; their keys rotate."),
        key("cache-size", Count(0, 1_000_000), "0", "Sessions kept in memory for clients without tickets."),
        key("alpn", Texts, "", "Protocol names offered, best first."),
    ],
};

const SERVER_SSL: Shape = Shape {
    name: "server-ssl profile",
    doc: "How TLS toward members is begun.",
    keys: &[
        TYPE,
        PARENT,
        key(
            "ca-file",
            Text,
            "system",
            "A PEM file, `system` or `webpki-roots`: who may have issued members' certificates.",
        ),
        key("peer-cert-mode", Word(&["require", "ignore"]), "require", "`ignore` verifies nothing."),
        key("authenticate-name", Text, "", "The name that certificates must carry; by default the node's hostname."),
        key("server-name", Text, "", "The SNI sent; by default the node's hostname."),
        key("expire-cert-response-control", Word(RESPONSES), "drop", "What an expired certificate does."),
        key("untrusted-cert-response-control", Word(RESPONSES), "drop", "What an unknown issuer does."),
        key("store", Text, "", "Client certificate: an entry of the certificate store."),
        key("cert", Path, "", "Client certificate: its PEM file."),
        key("key", Path, "", "Client certificate: the PEM file of its key."),
        key("chain", Path, "", "Client certificate: the PEM file of its intermediates."),
        key("passphrase-file", Path, "", "File whose first line opens an encrypted key."),
        key("passphrase-env", Text, "", "Environment variable that opens an encrypted key."),
        key("minimum-version", Word(VERSIONS), "tls1.2", "Oldest TLS version."),
        key("maximum-version", Word(VERSIONS), "tls1.3", "Newest TLS version."),
        key("cipher-group", Word(GROUPS), "default", "Which cipher suites, in which order."),
        key("handshake-timeout", Duration, "10s", "For the whole handshake."),
        key("cache-size", Count(0, 1_000_000), "256", "Sessions kept for each member."),
        key("alpn", Texts, "", "Protocol names offered, best first."),
    ],
};

macro_rules! protocol {
    ($name:literal, $doc:literal) => {
        Shape {
            name: $name,
            doc: $doc,
            keys: &[
                TYPE,
                PARENT,
                key("idle-timeout", DurationOr("indefinite"), "300s", "Silence both ways that ends a connection."),
                key("reset-on-timeout", Flag, "true", "End idle connections with RST."),
                key(
                    "keep-alive-interval",
                    DurationOr("disabled"),
                    "60s",
                    "Silence after which TCP keepalives are sent.",
                ),
                key("close-wait", Duration, "5s", "How long the last bytes may take when a connection ends."),
                key("backlog", Count(1, 65535), "1024", "Connections that the kernel may hold for us."),
                key("nodelay", Flag, "true", "Send small segments at once."),
                key("connect-timeout", Duration, "5s", "For connecting to one member."),
            ],
        }
    };
}

const TCP: Shape = protocol!("tcp profile", "How TCP is treated by a standard virtual server.");
const FAST_L4: Shape = protocol!("fastL4 profile", "How TCP is treated by a performance-l4 virtual server.");

const SOURCE_ADDR: Shape = Shape {
    name: "source-addr profile",
    doc: "Clients go back to the member that served them.",
    keys: &[
        TYPE,
        PARENT,
        key("timeout", DurationOr("indefinite"), "180s", "How long a record outlives the client's last connection."),
        key("mask", Text, "255.255.255.255", "Clients that agree under this IPv4 mask share a record."),
        key("mask-v6", Count(0, 128), "128", "The same for IPv6, as a prefix length in bits."),
    ],
};
