use super::Kind::{
    CertificateName, Certificates, Count, Duration, DurationOr, Flag, HostName, Mask, Path, Reference, Text, Texts,
    TrustAnchors, Variable, Word,
};
use super::{DAY, HOUR, Key, SECOND, Shape, key};

const TYPES: &[&str] = &["client-ssl", "server-ssl", "tcp", "fastL4", "source-addr", "hash"];
const VERSIONS: &[&str] = &["tls1.2", "tls1.3"];
const GROUPS: &[&str] = &["default", "secure", "aes", "ecc"];
const RESPONSES: &[&str] = &["drop", "ignore"];
const TYPE: Key = key("type", Word(TYPES), "", "The kind of profile; by default its parent's.");
const PARENT: Key = key(
    "defaults-from",
    Reference("profile"),
    "",
    "The profile that gives every key not set here; by default the built-in one of the type.",
);
const MINIMUM: Key = key("minimum-version", Word(VERSIONS), "", "Oldest TLS version.").refusing(OLD_VERSIONS);
const MAXIMUM: Key = key("maximum-version", Word(VERSIONS), "", "Newest TLS version.").refusing(OLD_VERSIONS);
const CIPHERS: Key = key(
    "cipher-group",
    Word(GROUPS),
    "",
    "`default`: all that are safe, AES-128-GCM-SHA256 first where the processor computes SHA-256; `secure`: 256-bit \
     keys; `aes`: AES-GCM; `ecc`: AES-GCM with ECDSA certificates, and TLS 1.3.",
);
const HANDSHAKE: Key = key("handshake-timeout", Duration(1, HOUR), "", "For the whole handshake.");
const ALPN: Key = key("alpn", Texts, "", "Protocol names offered, best first; none by default.");

pub(in crate::config) const CERT_KEY: Shape = Shape {
    name: "certificate",
    doc: "A certificate with its key: an entry of the store, or files.",
    keys: &[
        key("store", Text, "", "An entry of the certificate store."),
        key("cert", Path, "", "PEM file of the certificate, with or without its chain."),
        key("key", Path, "", "PEM file of the private key, not readable by others; by default the file of `cert`."),
        key("chain", Path, "", "PEM file of the intermediate certificates."),
        key("passphrase-file", Path, "", "File whose first line opens an encrypted key."),
        key("passphrase-env", Variable, "", "Environment variable that opens an encrypted key."),
        key("sni-default", Flag, "false", "Serve this one to clients whose SNI matches none."),
    ],
    elsewhere: &[("passphrase", "keep it out of this file: write `passphrase-file` or `passphrase-env`")],
};

/// The shapes of profiles by type.
pub(in crate::config) const PROFILES: &[(&str, Shape)] = &[
    ("client-ssl", CLIENT_SSL),
    ("server-ssl", SERVER_SSL),
    ("tcp", TCP),
    ("fastL4", FAST_L4),
    ("source-addr", SOURCE_ADDR),
    ("hash", HASH),
];

const CLIENT_SSL: Shape = Shape {
    name: "client-ssl profile",
    doc: "How TLS from clients is terminated.",
    keys: &[
        TYPE,
        PARENT,
        key("cert-key-chain", Certificates, "", "Chosen by SNI, then by signature scheme."),
        key("sni-require", Flag, "", "Refuse clients whose SNI is absent or matches no certificate."),
        MINIMUM,
        MAXIMUM,
        CIPHERS,
        key(
            "peer-cert-mode",
            Word(&["ignore", "request", "require"]),
            "",
            "Whether clients show a certificate. One that is requested may be absent, and must be valid if given.",
        ),
        key("ca-file", Path, "", "Authorities that may have issued clients' certificates."),
        key("crl-file", Path, "", "Revocation lists for clients' certificates."),
        key("authenticate-depth", Count(1, 255), "", "Most certificates in a client's chain."),
        HANDSHAKE,
        key("session-ticket", Flag, "", "Give tickets to resume with; their keys rotate."),
        key("cache-size", Count(0, 1_000_000), "", "Sessions kept in memory for clients without tickets."),
        ALPN,
    ],
    elsewhere: &[
        ("ciphers", NO_CIPHER_STRING),
        ("options", NO_OPTIONS),
        ("cert", IN_CHAIN),
        ("key", IN_CHAIN),
        ("chain", IN_CHAIN),
        ("store", IN_CHAIN),
        ("server-name", "names are taken from the certificates of `cert-key-chain`"),
        ("sni-default", IN_CHAIN),
        ("allow-non-ssl", "a port speaks TLS or not: use two virtual servers"),
        ("cache-timeout", "sessions are kept by number: write `cache-size`"),
        ("renegotiation", "TLS 1.3 has none, and none is offered for TLS 1.2"),
        ("client-cert-ca", "write `ca-file`"),
    ],
};

const SERVER_SSL: Shape = Shape {
    name: "server-ssl profile",
    doc: "How TLS toward members is begun. Unlike F5's, it verifies unless told otherwise.",
    keys: &[
        TYPE,
        PARENT,
        key(
            "ca-file",
            TrustAnchors,
            "",
            "Who may have issued members' certificates: a PEM file, the system's store, or Mozilla's list.",
        ),
        key("peer-cert-mode", Word(&["require", "ignore"]), "", "`ignore` verifies nothing.").refusing(&[(
            "request",
            "a member always shows its certificate: it is verified (require) or not (ignore)",
        )]),
        key(
            "authenticate-name",
            CertificateName,
            "",
            "The name that certificates must carry; by default the node's hostname, else its address.",
        ),
        key("server-name", HostName, "", "The SNI sent; by default the node's hostname."),
        key("expire-cert-response-control", Word(RESPONSES), "", "What an expired certificate does."),
        key("untrusted-cert-response-control", Word(RESPONSES), "", "What an unknown issuer does."),
        key("store", Text, "", "Client certificate: an entry of the certificate store."),
        key("cert", Path, "", "Client certificate: its PEM file."),
        key("key", Path, "", "Client certificate: the PEM file of its key; by default the file of `cert`."),
        key("chain", Path, "", "Client certificate: the PEM file of its intermediates."),
        key("passphrase-file", Path, "", "File whose first line opens an encrypted key."),
        key("passphrase-env", Variable, "", "Environment variable that opens an encrypted key."),
        MINIMUM,
        MAXIMUM,
        CIPHERS,
        HANDSHAKE,
        key("cache-size", Count(0, 1_000_000), "", "Sessions kept for each member."),
        ALPN,
    ],
    elsewhere: &[
        ("ciphers", NO_CIPHER_STRING),
        ("options", NO_OPTIONS),
        ("passphrase", "keep it out of this file: write `passphrase-file` or `passphrase-env`"),
        ("authenticate", "every connection is verified, a resumed one by its first handshake"),
        ("authenticate-depth", "the depth of members' chains is not limited"),
        ("crl-file", "revocation of members' certificates is not checked yet"),
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
                key(
                    "idle-timeout",
                    DurationOr("indefinite", 1, 365 * DAY),
                    "",
                    "Silence both ways that ends a connection.",
                ),
                key("reset-on-timeout", Flag, "", "End idle connections with RST; otherwise with FIN."),
                key(
                    "keep-alive-interval",
                    // Linux takes no more (tcp(7), TCP_KEEPIDLE), and whole seconds only.
                    DurationOr("disabled", SECOND, 32767 * SECOND),
                    "",
                    "Silence after which TCP keepalives are sent. They do not count against idle-timeout.",
                ),
                key("close-wait", Duration(1, HOUR), "", "How long the last bytes may take when a connection ends."),
                key("backlog", Count(1, 65535), "", "Connections that the kernel may hold for us."),
                key("nodelay", Flag, "", "Send small segments at once."),
                key("connect-timeout", Duration(1, HOUR), "", "For connecting to one member."),
            ],
            elsewhere: &[
                ("nagle", "write `nodelay`, its opposite"),
                ("fin-wait", "write `close-wait`"),
                ("tcp-close-timeout", "write `close-wait`"),
                ("tcp-handshake-timeout", "the system's own holds for clients; for members write `connect-timeout`"),
                ("pva-acceleration", "there is no such hardware"),
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
        key(
            "timeout",
            DurationOr("indefinite", 1, 365 * DAY),
            "",
            "How long a record outlives the client's last connection.",
        ),
        MASK,
        MASK_V6,
        key(
            "match-across-services",
            Flag,
            "",
            "Virtual servers with the same address share records: a client of 21000 goes to the same node on 21050.",
        ),
        key("match-across-virtuals", Flag, "", "All virtual servers whose profile says so share records."),
        key(
            "match-across-pools",
            Flag,
            "",
            "Records still count after a reload gave the virtual server another pool with the same node.",
        ),
        OVERRIDE_LIMIT,
    ],
    elsewhere: &[
        ("mirror", "records are this process's own; write `type: hash` where several pronks must agree"),
        ("hash-algorithm", "for carp write `type: hash`"),
        ("map-proxies", "there is no such map"),
        ("map-proxy-address", "there is no such map"),
        ("map-proxy-class", "there is no such map"),
    ],
};

const HASH: Shape = Shape {
    name: "hash profile",
    doc: "The client's address decides where it goes, by rendezvous hashing: no records are kept, several pronks agree, \
          and a member that comes or goes moves its own share of clients only.",
    keys: &[TYPE, PARENT, MASK, MASK_V6, OVERRIDE_LIMIT],
    elsewhere: &[
        ("timeout", "nothing is kept that could expire"),
        ("hash-algorithm", "it is carp, as F5 calls it: the highest score of client and member"),
        ("hash-offset", "the client's address is hashed, not what it sends"),
        ("hash-length", "the client's address is hashed, not what it sends"),
        ("hash-buffer-limit", "the client's address is hashed, not what it sends"),
        ("hash-start-pattern", "the client's address is hashed, not what it sends"),
        ("hash-end-pattern", "the client's address is hashed, not what it sends"),
        ("match-across-services", "members with the same node are chosen alike where pools list the same nodes"),
        ("match-across-virtuals", "members with the same node are chosen alike where pools list the same nodes"),
        ("match-across-pools", "members with the same node are chosen alike where pools list the same nodes"),
        ("mirror", "there are no records to mirror"),
    ],
};

const MASK: Key = key("mask", Mask, "", "Clients that agree under this IPv4 mask count as one.");
const MASK_V6: Key = key("mask-v6", Count(0, 128), "", "The same for IPv6, as a prefix length in bits.");
const OVERRIDE_LIMIT: Key = key(
    "override-connection-limit",
    Flag,
    "",
    "A member's own connection-limit does not hold for clients that come back to it; its node's does.",
);

const OLD_VERSIONS: &[(&str, &str)] = &[
    ("ssl2", TOO_OLD),
    ("ssl3", TOO_OLD),
    ("sslv2", TOO_OLD),
    ("sslv3", TOO_OLD),
    ("tls1", TOO_OLD),
    ("tls1.0", TOO_OLD),
    ("tls1.1", TOO_OLD),
];
const TOO_OLD: &str = "nothing older than tls1.2 is spoken (RFC 8996)";
const NO_CIPHER_STRING: &str = "write a `cipher-group`: default, secure, aes or ecc";
const NO_OPTIONS: &str = "for versions write `minimum-version` and `maximum-version`";
const IN_CHAIN: &str = "write `cert-key-chain: [{ cert: lb.pem, key: lb.key }]`";
