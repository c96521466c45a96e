use super::Kind::{Count, Duration, Flag, HostName, IpAddress, Path, Pattern, Reference, Text, Texts, Variable, Word};
use super::{DAY, Key, Shape, key};

/// The shapes of monitors by type.
pub(in crate::config) const MONITORS: &[(&str, Shape)] = &[
    ("tcp", TCP),
    ("tls", TLS),
    ("tcp-half-open", TCP_HALF_OPEN),
    ("http", HTTP),
    ("https", HTTPS),
    ("impala", IMPALA),
    ("inband", INBAND),
    ("gateway", GATEWAY),
    ("gateway-icmp", GATEWAY_ICMP),
];

const TYPES: &[&str] = &["tcp", "tls", "tcp-half-open", "http", "https", "impala", "inband", "gateway", "gateway-icmp"];
const TYPE: Key = key("type", Word(TYPES), "tcp", "What a probe does; by default its parent's.").refusing(OTHER_TYPES);
const PARENT: Key = key(
    "defaults-from",
    Reference("monitor"),
    "",
    "The monitor that gives every key not set here; by default the built-in one of the type.",
);
const INTERVAL: Key = key("interval", Duration(10, DAY), "", "From one probe to the next.");
const UP_INTERVAL: Key = key("up-interval", Duration(0, DAY), "", "The same while the member is up; 0 is `interval`.");
const TIMEOUT: Key = key(
    "timeout",
    Duration(10, DAY),
    "",
    "Without a success for this long a member is down. F5 advises three intervals and a second.",
);
const UNTIL_UP: Key =
    key("time-until-up", Duration(0, DAY), "", "How long a member that was down must answer before it is up.");
const MANUAL: Key =
    key("manual-resume", Flag, "", "A member that was down stays so until `pronk member resume POOL NODE:PORT`.");
const JITTER: Key = key("jitter", Flag, "", "Spread the probes of many members over the interval.");
const ALIAS_ADDRESS: Key = key("alias-address", IpAddress, "", "Probe this IP address instead of the node's.");
const ALIAS_PORT: Key = key("alias-port", Count(1, 65535), "", "Probe this port instead of the member's.");
const SERVER_SSL: Key = key(
    "server-ssl",
    Reference("profile"),
    "",
    "TLS toward the member as a server-ssl profile has it: verified, or with a client certificate.",
);
const USER: Key = key("user", Text, "", "Basic authentication: the user.");
const PASSWORD_FILE: Key =
    key("password-file", Path, "", "File whose first line is the password, not readable by others.");
const PASSWORD_ENV: Key = key("password-env", Variable, "", "Environment variable with the password.");
const SEND: Key = key(
    "send",
    Text,
    "",
    "A path, or a whole request such as `GET /healthz HTTP/1.1\\r\\nHost: a\\r\\n`, whose line and headers are used.",
);
const HOST: Key = key("host", HostName, "", "The Host header; by default the node's hostname, else its address.");
const STATUS: Key = key("status", Texts, "", "Codes that are successes: `200`, `2xx`, `200-399`, or a list of them.");
const RECV: Key =
    key("recv", Pattern, "", "A regular expression that the answer (status line, headers, body) must match.");
const RECV_DISABLE: Key = key(
    "recv-disable",
    Pattern,
    "",
    "A regular expression; an answer that matches it disables the member: no new connection, the others go on.",
);
const REVERSE: Key = key("reverse", Flag, "", "An answer that matches `recv` is the failure.");

const TCP: Shape = Shape {
    name: "monitor of type tcp",
    doc: "Connects, and closes at once. It tells that the kernel accepts, not that an impalad answers.",
    keys: &[TYPE, PARENT, INTERVAL, UP_INTERVAL, TIMEOUT, UNTIL_UP, MANUAL, JITTER, ALIAS_ADDRESS, ALIAS_PORT],
    elsewhere: &[
        ("send", TALKS),
        ("recv", TALKS),
        ("recv-disable", TALKS),
        ("reverse", "it turns `recv` of an http monitor round"),
        ("destination", ALIAS),
        ("transparent", NOT_TRANSPARENT),
        ("ssl", "a monitor that talks has it: `impala`, `https`"),
    ],
};

const TLS: Shape = Shape {
    name: "monitor of type tls",
    doc: "Handshakes, takes any certificate and hands it to the watch over certificates. Whether it is to be trusted is \
          server-ssl's and the linter's matter.",
    keys: TCP.keys,
    elsewhere: TCP.elsewhere,
};

const TCP_HALF_OPEN: Shape = Shape {
    name: "monitor of type tcp-half-open",
    doc: "Connects, and resets at once, so that no connection lingers at the member.",
    keys: TCP.keys,
    elsewhere: TCP.elsewhere,
};

const GATEWAY: Shape = Shape {
    name: "monitor of type gateway",
    doc: "Connects; a refusal is an answer too. It tells that the host is there.",
    keys: TCP.keys,
    elsewhere: TCP.elsewhere,
};

const GATEWAY_ICMP: Shape = Shape {
    name: "monitor of type gateway-icmp",
    doc: "Sends an ICMP echo request through a ping socket, which `net.ipv4.ping_group_range` must allow.",
    keys: &[TYPE, PARENT, INTERVAL, UP_INTERVAL, TIMEOUT, UNTIL_UP, MANUAL, JITTER, ALIAS_ADDRESS],
    elsewhere: &[("alias-port", "ICMP has no ports"), ("destination", ALIAS)],
};

const HTTP: Shape = Shape {
    name: "monitor of type http",
    doc: "Sends a request and judges the answer.",
    keys: &[
        TYPE,
        PARENT,
        INTERVAL,
        UP_INTERVAL,
        TIMEOUT,
        UNTIL_UP,
        MANUAL,
        JITTER,
        ALIAS_ADDRESS,
        ALIAS_PORT,
        SEND,
        HOST,
        USER,
        PASSWORD_FILE,
        PASSWORD_ENV,
        STATUS,
        RECV,
        RECV_DISABLE,
        REVERSE,
    ],
    elsewhere: &[
        ("ssl", "write `type: https`"),
        ("server-ssl", "write `type: https`"),
        ("username", "write `user`"),
        ("password", NO_PASSWORD),
        ("destination", ALIAS),
        ("transparent", NOT_TRANSPARENT),
        ("adaptive", NOT_ADAPTIVE),
    ],
};

const HTTPS: Shape = Shape {
    name: "monitor of type https",
    doc: "As http, inside TLS; without `server-ssl` the certificate is not verified.",
    keys: &[
        TYPE,
        PARENT,
        INTERVAL,
        UP_INTERVAL,
        TIMEOUT,
        UNTIL_UP,
        MANUAL,
        JITTER,
        ALIAS_ADDRESS,
        ALIAS_PORT,
        SEND,
        HOST,
        USER,
        PASSWORD_FILE,
        PASSWORD_ENV,
        STATUS,
        RECV,
        RECV_DISABLE,
        REVERSE,
        SERVER_SSL,
    ],
    elsewhere: &[
        ("ssl", "write `type: http` for none"),
        ("ssl-profile", "write `server-ssl`"),
        ("cert", "write `server-ssl`, and the certificate in that profile"),
        ("key", "write `server-ssl`, and the key in that profile"),
        ("cipherlist", "write `server-ssl`, and the `cipher-group` in that profile"),
        ("username", "write `user`"),
        ("password", NO_PASSWORD),
        ("destination", ALIAS),
        ("transparent", NOT_TRANSPARENT),
        ("adaptive", NOT_ADAPTIVE),
    ],
};

const IMPALA: Shape = Shape {
    name: "monitor of type impala",
    doc: "Asks an impalad's port without credentials, and its web UI. Knows daemons that drain, that are full, and that \
          are executors only.",
    keys: &[
        TYPE,
        PARENT,
        INTERVAL,
        UP_INTERVAL,
        TIMEOUT,
        UNTIL_UP,
        MANUAL,
        JITTER,
        ALIAS_ADDRESS,
        ALIAS_PORT,
        key(
            "protocol",
            Word(&["auto", "hs2", "beeswax", "hs2-http"]),
            "",
            "What the port speaks; `auto` goes by the port: 21000 is beeswax, 28000 is hs2-http, any other is hs2.",
        ),
        key(
            "sasl",
            Word(&["auto", "true", "false"]),
            "",
            "Whether the port speaks SASL (LDAP or Kerberos); `auto` finds out.",
        ),
        key("ssl", Flag, "", "Whether the port speaks TLS; without `server-ssl` its certificate is not verified."),
        SERVER_SSL,
        key(
            "service-threads",
            Count(1, 1_000_000),
            "",
            "The daemon's `--fe_service_threads`: with so many connections it is full.",
        ),
        key("web-port", Count(0, 65535), "", "The web UI's port; 0 does without it."),
        key("web-ssl", Flag, "", "Whether the web UI speaks TLS; without `web-server-ssl` it is not verified."),
        key("web-server-ssl", Reference("profile"), "", "TLS toward the web UI as a server-ssl profile has it."),
        USER,
        PASSWORD_FILE,
        PASSWORD_ENV,
    ],
    elsewhere: &[("username", "write `user`"), ("password", NO_PASSWORD), ("destination", ALIAS)],
};

const INBAND: Shape = Shape {
    name: "monitor of type inband",
    doc: "Sends nothing: counts how clients' own connections fail. Best beside a monitor that probes.",
    keys: &[
        TYPE,
        PARENT,
        key("failures", Count(1, 1_000_000), "", "So many within `failure-interval` mark the member down."),
        key("failure-interval", Duration(10, DAY), "", "The time within which failures are counted."),
        key(
            "response-time",
            Duration(0, DAY),
            "",
            "A connection that ends after this long without a byte from the member counts as a failure; 0 never.",
        ),
        key("retry-time", Duration(0, DAY), "", "How long a member that is down is spared; 0 until it is resumed."),
    ],
    elsewhere: &[
        ("interval", "nothing is probed: write `failure-interval`"),
        ("timeout", "nothing is probed: write `failures` and `failure-interval`"),
    ],
};

const NOT_TRANSPARENT: &str = "write where to probe: `alias-address` and `alias-port`";
const TALKS: &str = "a tcp monitor does not talk: write `type: http` or `type: impala`";
const ALIAS: &str = "write `alias-address` and `alias-port`";
const NO_PASSWORD: &str = "keep it out of this file: write `password-file` or `password-env`";
const NOT_ADAPTIVE: &str = "the time of an answer is not judged; write `timeout`";

/// F5's types that pronk does not have, with the reason or the nearest.
const OTHER_TYPES: &[(&str, &str)] = &[
    ("icmp", "write gateway-icmp"),
    ("external", "no program is run: the nearest is impala, or http on a page of the program's own"),
    ("scripted", "no program is run: the nearest is http with `send` and `recv`"),
    ("http2", "an impalad speaks HTTP/1.1: write http"),
    ("snmp-dca", NO_AGENT),
    ("snmp-dca-base", NO_AGENT),
    ("wmi", NO_AGENT),
    ("udp", NOT_UDP),
    ("dns", NOT_UDP),
    ("sip", NOT_UDP),
    ("radius", NOT_UDP),
    ("radius-accounting", NOT_UDP),
    ("diameter", NO_SUCH_SERVICE),
    ("firepass", NO_SUCH_SERVICE),
    ("ftp", NO_SUCH_SERVICE),
    ("imap", NO_SUCH_SERVICE),
    ("ldap", NO_SUCH_SERVICE),
    ("module-score", NO_SUCH_SERVICE),
    ("mqtt", NO_SUCH_SERVICE),
    ("mssql", NO_SUCH_SERVICE),
    ("mysql", NO_SUCH_SERVICE),
    ("nntp", NO_SUCH_SERVICE),
    ("oracle", NO_SUCH_SERVICE),
    ("pop3", NO_SUCH_SERVICE),
    ("postgresql", NO_SUCH_SERVICE),
    ("real-server", NO_SUCH_SERVICE),
    ("rpc", NO_SUCH_SERVICE),
    ("sasp", NO_SUCH_SERVICE),
    ("smb", NO_SUCH_SERVICE),
    ("smtp", NO_SUCH_SERVICE),
    ("soap", NO_SUCH_SERVICE),
    ("tcp-echo", NO_SUCH_SERVICE),
    ("virtual-location", NO_SUCH_SERVICE),
    ("wap", NO_SUCH_SERVICE),
];
const NO_AGENT: &str = "an impalad has no such agent: impala reads its load from the web UI";
const NO_SUCH_SERVICE: &str = "an impalad has no such service: write impala";
const NOT_UDP: &str = "members serve TCP: write impala or tcp";
