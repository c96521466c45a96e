//! Keys of other load balancers, by the section in which people write them.

/// Words for keys of one kind of map, each line with the words that mean the same, and what to write.
pub(super) struct Place {
    /// The sections, by their names.
    pub sections: &'static [&'static str],
    pub words: &'static [(&'static str, &'static str)],
}

pub(super) static PLACES: &[Place] = &[
    Place {
        sections: &["configuration file"],
        words: &[
            ("frontend frontends listen listener listeners virtual virtuals vs virtual-server-list", VIRTUAL_SERVERS),
            ("backend backends upstream upstreams pool", "write `pools`, and in each `members: [node:port]`"),
            (
                "server servers node node-list",
                "write `nodes: { NAME: { address: 10.0.0.1 } }`, or as a frontend `virtual-servers`",
            ),
            ("profile ssl-profiles client-ssl server-ssl", "write `profiles: { NAME: { type: client-ssl, … } }`"),
            ("monitor health-monitors healthcheck", "write `monitors: { NAME: { type: impala, … } }`"),
            ("ltm", "leave `ltm` out: `nodes`, `pools`, `profiles` and `virtual-servers` stand at the left margin"),
            ("global", "options of the process are of the command line: pronk run --help"),
            ("defaults", "write a profile, and name it in `defaults-from` of others"),
            ("http stream", "write `virtual-servers` and `pools`"),
            ("certs certificates ssl-certs", "write `certificate-store`, its folder"),
            ("persistence", "write `persistence` in the virtual server"),
            ("rules irules", "iRules are not offered"),
        ],
    },
    Place {
        sections: &["virtual server"],
        words: &[
            ("default-pool pool-name default-backend use-backend backend proxy-pass upstream", "write `pool: NAME`"),
            (
                "destination-address destination-address-mask address service-port port bind listen virtual-address",
                "write `destination: \"address:port\"`, such as `\"*:21050\"`",
            ),
            ("mask", "a virtual server listens on one address"),
            ("server-name virtual-hostname fqdn host", "write `hostname`, the name that clients connect to"),
            (
                "default-persistence-profile persist persistence-profile stick stick-table sticky cookie ip-hash",
                "write `persistence: source_addr`",
            ),
            ("fallback-persistence-profile", "write `fallback-persistence`"),
            (
                "ssl-profile-client clientssl client-ssl-profile ssl-client ssl ssl-certificate crt",
                "write `client-ssl: NAME`, a profile of type client-ssl",
            ),
            (
                "ssl-profile-server serverssl server-ssl-profile ssl-server proxy-ssl",
                "write `server-ssl: NAME`, a profile of type server-ssl",
            ),
            (
                "protocol-profile protocol-profile-client protocol-profile-server tcp-profile fastl4 tcp profile-tcp",
                "write `protocol: NAME`, a profile of type tcp or fastL4",
            ),
            ("profiles profile", "write `client-ssl`, `server-ssl` and `protocol`, a profile's name each"),
            ("name", NAMED),
            (
                "http-profile http http-profile-client http-profile-server oneconnect-profile oneconnect one-connect",
                "HTTP is not read: leave it out",
            ),
            ("rules irules irule", "iRules are not offered"),
            ("policies", "policies are not offered"),
            ("snat snatpool snat-pool", "write `source-address-translation: automap`, which is the default"),
            ("disabled down", "write `state: disabled`"),
            ("enabled availability", STATE),
            (
                "source-address source-address-filter allow deny acl",
                "write `source: [10.0.0.0/8]`, the networks of clients",
            ),
            ("ip-protocol", "it is TCP"),
            ("mode", "TLS mode and type follow from `client-ssl`, `server-ssl` and `type`"),
            (
                "rate-limit-mode",
                "`rate-limit` is the virtual server's own; for object-source write `client-rate-limit`",
            ),
            ("rate-limit-src-mask", "write `client-limit-mask`, with `client-rate-limit`"),
            ("rate-limit-dst-mask", "a virtual server has one destination: leave it out"),
            (
                "src-conn-cur sc-conn-cur sc0-conn-cur conn-cur limit-conn limit-conn-zone max-connections-per-client",
                "write `client-connection-limit`",
            ),
            (
                "src-conn-rate sc-conn-rate sc0-conn-rate conn-rate limit-req limit-req-zone",
                "write `client-rate-limit`",
            ),
            ("connection-rate-limit", "write `rate-limit`"),
            ("maxconn max-conns", "write `connection-limit`"),
            (
                "vlans vlans-enabled vlans-disabled vlan-and-tunnel-traffic vlan",
                "bind to an address of the network: `destination: \"address:port\"`",
            ),
            (
                "address-translation translate-address port-translation translate-port",
                "it is always on: members get pronk's own connections",
            ),
            ("source-port", "the system chooses pronk's port toward members"),
            (
                "auto-lasthop connection-mirroring mirror clone-pools last-hop-pool nat64 gtm-score traffic-classes",
                NO_NEED,
            ),
            (
                "timeout-client timeout-server client-timeout proxy-timeout idle-timeout",
                "write it in a profile: `profiles: { long: { type: tcp, idle-timeout: 1h } }`, and here `protocol: long`",
            ),
            ("balance load-balancing-method load-balancing-mode", "write `load-balancing-mode` in the pool"),
            ("monitors health-monitors monitor", "write `monitors` in the pool"),
            ("members server servers", "write `members` in the pool"),
            ("option options", "options are keys of profiles: see `pronk config reference`"),
        ],
    },
    Place {
        sections: &["pool"],
        words: &[
            (
                "monitor health-monitor health-monitors health-check healthcheck option httpchk active-monitors",
                "write `monitors: [impala]`",
            ),
            ("availability-requirement", "write `monitors: { min: 1, of: [impala, tcp] }`, or a list for all"),
            (
                "load-balancing-method lb-method balance balancing-method method least-conn",
                "write `load-balancing-mode`, such as least-connections-node",
            ),
            ("new-members member servers server node-list", "write `members: [node:port]`"),
            ("priority-group-activation", "write `min-active-members`"),
            ("action-on-service-down", "write `service-down-action`: none, reset, drop or reselect"),
            ("allow-snat allow-nat", "members see pronk's own address: leave it out"),
            ("enable-request-queueing request-queueing queue", "write `queue-on-connection-limit: true`"),
            ("request-queue-depth", "write `queue-depth-limit`"),
            ("request-queue-timeout timeout-queue", "write `queue-time-limit`"),
            ("seeds", "write `discover-seeds`"),
            ("min-up-members-checking", "write `min-up-members`; 0 is off"),
            (
                "min-up-members-action",
                "a pool with too few members up is offline; what is in front of pronk fails over",
            ),
            ("name", NAMED),
            ("slow-start slowstart", "write `slow-ramp-time`"),
            ("max-fails fail-timeout", FAILURES),
            ("persistence persist stick-table sticky ip-hash", "write `persistence` in the virtual server"),
            ("port service-port", "write the port with each member: `members: [node:21050]`"),
            (
                "ip-tos-to-client ip-tos-to-server link-qos-to-client link-qos-to-server gateway-failsafe-device \
                 profiles autoscale-group-id metadata",
                NO_NEED,
            ),
            ("keepalive", "connections to members are each a client's own: leave it out"),
        ],
    },
    Place {
        sections: &["node"],
        words: &[
            ("fqdn ip ip-address host address-fqdn", "write `address`, an IP address or a name"),
            (
                "server-name authenticate-name name-in-certificate",
                "write `hostname`, the name in the host's certificate",
            ),
            ("monitor monitors health-monitors health-monitor", "monitors watch members: write `monitors` in the pool"),
            ("name", NAMED),
            ("session enabled availability", STATE),
            ("disabled down", "write `state: disabled`"),
            ("slow-start slowstart", "write `slow-ramp-time` in the pool"),
            ("max-fails fail-timeout", FAILURES),
            ("port service-port", "write the port with the member: `members: [node:21050]` in the pool"),
            ("dynamic-ratio", DYNAMIC_RATIO),
            ("weight", "write `ratio`, with a ratio method in the pool"),
            ("maxconn max-conns", "write `connection-limit`"),
            ("connection-rate-limit", "write `rate-limit`"),
        ],
    },
    Place {
        sections: &["member"],
        words: &[
            ("address", "name a node in `member`; addresses stand under `nodes`"),
            ("port service-port", "write it in `member: \"node:21050\"`"),
            ("node name server", "write `member: \"node:21050\"`"),
            ("session enabled availability", STATE),
            ("disabled down", "write `state: disabled`"),
            ("slow-start slowstart", "write `slow-ramp-time` in the pool"),
            ("max-fails fail-timeout", FAILURES),
            ("dynamic-ratio", DYNAMIC_RATIO),
            ("weight", "write `ratio`"),
            ("backup", "write `priority-group: 0`, and `min-active-members: 1` in the pool"),
            ("maxconn max-conns", "write `connection-limit`"),
            ("monitor monitors health-monitors", "monitors watch all members alike: write `monitors` in the pool"),
        ],
    },
    Place {
        sections: &[
            "client-ssl profile",
            "server-ssl profile",
            "tcp profile",
            "fastL4 profile",
            "source-addr profile",
            "hash profile",
            "monitor of type tcp",
            "monitor of type tls",
            "monitor of type tcp-half-open",
            "monitor of type gateway",
            "monitor of type gateway-icmp",
            "monitor of type http",
            "monitor of type https",
            "monitor of type impala",
            "monitor of type inband",
        ],
        words: &[
            ("parent parent-profile parent-monitor import-settings", "write `defaults-from: NAME`"),
            ("name", NAMED),
            ("partition app-service", "there are no partitions: leave it out"),
        ],
    },
    Place {
        sections: &["source-addr profile", "hash profile"],
        words: &[("persistence-type", "write `type: source-addr` or `type: hash`")],
    },
    Place {
        sections: &["client-ssl profile", "server-ssl profile"],
        words: &[
            ("options option-list options-list ssl-protocols tls-versions ssl-min-ver ssl-max-ver", NO_OPTIONS),
            ("no-sslv3 no-tlsv1 no-tlsv1-0 no-tlsv1-1 no-tlsv1-2 no-tlsv1-3", NO_OPTIONS),
            ("min-version min-protocol min-tls-version tls-min-version", "write `minimum-version`"),
            ("max-version max-protocol max-tls-version tls-max-version", "write `maximum-version`"),
            ("ca-bundle ca-cert cafile ca-certificate ca-certificates", "write `ca-file`"),
            (
                "crl ssl-crl proxy-ssl-crl certificate-revocation-list-crl certificate-revocation-list",
                "write `crl-file`",
            ),
        ],
    },
    Place {
        sections: &["client-ssl profile"],
        words: &[
            (
                "certificate cert key chain certificate-key-chain store sni-default crt ssl-certificate \
                 ssl-certificate-key",
                IN_CHAIN,
            ),
            ("ciphers cipher-suites cipherlist ssl-ciphers", NO_CIPHER_STRING),
            ("server-name", "names are taken from the certificates of `cert-key-chain`"),
            ("allow-non-ssl non-ssl-connections", "a port speaks TLS or not: use two virtual servers"),
            ("cache-timeout", "sessions are kept by number: write `cache-size`"),
            ("renegotiation", "TLS 1.3 has none, and none is offered for TLS 1.2"),
            (
                "client-cert-ca advertised-certificate-authorities trusted-certificate-authorities verify \
                 ssl-client-certificate",
                "write `ca-file`",
            ),
            ("client-certificate ssl-verify-client", "write `peer-cert-mode`: ignore, request or require"),
            ("passphrase", NO_PASSPHRASE),
        ],
    },
    Place {
        sections: &["server-ssl profile"],
        words: &[
            ("ciphers cipher-suites cipherlist", NO_CIPHER_STRING),
            ("passphrase", NO_PASSPHRASE),
            ("certificate", "write `cert`, what pronk shows to members that ask for it"),
            ("server-certificate verify proxy-ssl-verify ssl-verify", "write `peer-cert-mode`: require or ignore"),
            ("trusted-certificate-authorities ca proxy-ssl-trusted-certificate", "write `ca-file`"),
            ("sni verifyhost", "write `server-name` for SNI, `authenticate-name` for the name in certificates"),
            (
                "authenticate frequency",
                "every connection is verified, a resumed one by what its first handshake showed",
            ),
            ("authenticate-depth certificate-chain-traversal-depth", "the depth of members' chains is not limited"),
        ],
    },
    Place {
        sections: &["tcp profile", "fastL4 profile"],
        words: &[
            ("nagle nagle-s-algorithm", "write `nodelay`, its opposite"),
            (
                "timeout tcp-idle-timeout proxy-timeout timeout-client timeout-server timeout-tunnel",
                "write `idle-timeout`",
            ),
            ("timeout-connect proxy-connect-timeout", "write `connect-timeout`"),
            ("fin-wait", "write `close-wait`"),
            ("fin-wait-2 timeout-client-fin", "write `half-closed-timeout`"),
            ("tcp-close-timeout", "write `close-wait`"),
            ("tcp-handshake-timeout", "the system's own holds for clients; for members write `connect-timeout`"),
            ("keep-alive clitcpka srvtcpka", "write `keep-alive-interval`"),
            ("pva-acceleration", "there is no such hardware"),
            ("loose-close loose-initialization reset-on-timeout-mode syn-cookie-enable", NO_NEED),
        ],
    },
    Place {
        sections: &["source-addr profile"],
        words: &[
            (
                "mirror mirror-persistence",
                "records are this process's own; write `type: hash` where several pronks must agree",
            ),
            ("hash-algorithm", "for carp write `type: hash`"),
            ("map-proxies map-proxy-address map-proxy-class", "there is no such map"),
            ("prefix-length", "write `mask: 255.255.255.0` or `mask: /24`"),
            ("expire expires persist-timeout", "write `timeout`"),
            ("override-connection-limits", "write `override-connection-limit`"),
        ],
    },
    Place {
        sections: &["hash profile"],
        words: &[
            ("timeout", "nothing is kept that could expire"),
            ("hash-algorithm", "it is carp, as F5 calls it: the highest score of client and member"),
            ("hash-offset hash-length hash-buffer-limit hash-start-pattern hash-end-pattern", THE_ADDRESS),
            ("match-across-services match-across-virtuals match-across-pools", ALIKE),
            ("mirror", "there are no records to mirror"),
        ],
    },
    Place {
        sections: &["certificate"],
        words: &[
            ("passphrase", NO_PASSPHRASE),
            (
                "certificate crt pem",
                "write `cert`, its file, or `store`, the name of an entry of the certificate store",
            ),
            ("name", "leave it out, or for an entry of the certificate store write `store`"),
        ],
    },
    Place {
        sections: &[
            "monitor of type tcp",
            "monitor of type tls",
            "monitor of type tcp-half-open",
            "monitor of type gateway",
        ],
        words: &[
            (SENT, "it only connects: for a web page write `type: http` or `https`, which have `send` and `recv`"),
            ("reverse", "it turns `recv` of an http monitor round"),
            ("ssl", "for TLS write `type: tls`, or `type: impala`, which finds out whether there is TLS"),
        ],
    },
    Place {
        sections: &["monitor of type impala"],
        words: &[
            (SENT, "it asks as clients do, with nothing to set: leave it out, or write `type: http`"),
            ("reverse", "it is of http monitors: leave it out"),
        ],
    },
    Place {
        sections: &["monitor of type gateway-icmp"],
        words: &[("alias-port", "ICMP has no ports"), ("destination", ALIAS)],
    },
    Place {
        sections: &["monitor of type http"],
        words: &[("ssl server-ssl", "write `type: https`"), ("adaptive", NOT_ADAPTIVE)],
    },
    Place {
        sections: &["monitor of type https"],
        words: &[
            ("ssl", "write `type: http` for none"),
            ("ssl-profile", "write `server-ssl`"),
            ("cert", "write `server-ssl`, and the certificate in that profile"),
            ("key", "write `server-ssl`, and the key in that profile"),
            ("cipherlist", "write `server-ssl`, and the `cipher-group` in that profile"),
            ("adaptive", NOT_ADAPTIVE),
        ],
    },
    Place {
        sections: &["monitor of type inband"],
        words: &[
            ("interval", "nothing is probed: write `failure-interval`"),
            ("timeout", "nothing is probed: write `failures` and `failure-interval`"),
        ],
    },
    Place {
        sections: &[
            "monitor of type tcp",
            "monitor of type tls",
            "monitor of type tcp-half-open",
            "monitor of type gateway",
            "monitor of type http",
            "monitor of type https",
            "monitor of type impala",
        ],
        words: &[
            ("destination alias-service-port dest alias-port-service", ALIAS),
            ("port service-port check-port", "write `alias-port`"),
            ("transparent", "write where to probe: `alias-address` and `alias-port`"),
            ("username user-name", "write `user`"),
            ("password", "keep it out of this file: write `password-file` or `password-env`"),
            ("send-string get", "write `send`"),
            ("receive-string receive expect", "write `recv`"),
            ("receive-disable-string", "write `recv-disable`"),
            ("inter fastinter check-interval", "write `interval`"),
            ("rise fall", "write `timeout`: a member without a success for so long is down"),
        ],
    },
];

const VIRTUAL_SERVERS: &str = "write `virtual-servers: { NAME: { destination: \"*:21050\", pool: NAME } }`";
const NAMED: &str = "leave it out: the name is the key under which it stands";
const STATE: &str = "write `state`: enabled, disabled or forced-offline";
const FAILURES: &str = "write `monitors` in the pool; one of type inband counts failures of connections";
/// What a monitor sends and expects.
const SENT: &str =
    "send send-string recv receive receive-string expect recv-disable receive-disable-string get http-check";
const IN_CHAIN: &str = "write `cert-key-chain: [{ cert: lb.pem, key: lb.key }]`";
const NO_CIPHER_STRING: &str = "write a `cipher-group`: default, secure, aes or ecc";
const NO_OPTIONS: &str = "for versions write `minimum-version` and `maximum-version`";
const NO_PASSPHRASE: &str = "keep it out of this file: write `passphrase-file` or `passphrase-env`";
const NO_NEED: &str = "pronk has no need of it: leave it out";
const DYNAMIC_RATIO: &str = "an impala monitor measures it";
const THE_ADDRESS: &str = "the client's address is hashed, not what it sends";
const ALIKE: &str = "members with the same node are chosen alike where pools list the same nodes";
const ALIAS: &str = "write `alias-address` and `alias-port`";
const NOT_ADAPTIVE: &str = "the time of an answer is not judged; write `timeout`";
