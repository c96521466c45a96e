//! Monitors that connect and no more: tcp, tls, tcp-half-open, gateway and gateway-icmp.

use super::common::{ProbingKeys, ReadMonitor, list_probing, probing};
use crate::config::keys::section::Section;
use crate::config::keys::typed::Type;
use crate::model::MonitorKind;

pub(super) const TCP: Type<ReadMonitor> = Type {
    word: "tcp",
    root: "tcp",
    head: "Shows that the kernel accepts connections, not that an impalad answers them.",
    defaults: &[],
    read: |fields| probing(MonitorKind::Tcp, fields),
    section: Section {
        name: "monitor of type tcp",
        doc: "Connects, and closes at once. It shows that the kernel accepts connections, not that an impalad answers.",
        list: list_probing,
    },
};

pub(super) const TLS: Type<ReadMonitor> = Type {
    word: "tls",
    root: "tls",
    head: "A handshake costs the member one of its two setup threads for a moment, so it is asked less often.",
    defaults: &[("interval", "10s"), ("timeout", "31s")],
    read: |fields| probing(MonitorKind::Tls, fields),
    section: Section {
        name: "monitor of type tls",
        doc: "Makes a TLS handshake, accepts any certificate, and adds it to the inventory of certificates. Trust is \
              checked by server-ssl and by the linter.",
        list: list_probing,
    },
};

pub(super) const TCP_HALF_OPEN: Type<ReadMonitor> = Type {
    word: "tcp-half-open",
    root: "tcp_half_open",
    head: "",
    defaults: &[],
    read: |fields| probing(MonitorKind::TcpHalfOpen, fields),
    section: Section {
        name: "monitor of type tcp-half-open",
        doc: "Connects, and resets at once, so that no connection lingers at the member.",
        list: list_probing,
    },
};

pub(super) const GATEWAY: Type<ReadMonitor> = Type {
    word: "gateway",
    root: "gateway",
    head: "",
    defaults: &[],
    read: |fields| probing(MonitorKind::Gateway, fields),
    section: Section {
        name: "monitor of type gateway",
        doc: "Connects; a refusal is a success too. It shows that the host is there.",
        list: list_probing,
    },
};

pub(super) const GATEWAY_ICMP: Type<ReadMonitor> = Type {
    word: "gateway-icmp",
    root: "gateway_icmp",
    head: "",
    defaults: &[],
    read: |fields| probing(MonitorKind::GatewayIcmp, fields),
    section: Section {
        name: "monitor of type gateway-icmp",
        doc: "Sends an ICMP echo request through a ping socket, which `net.ipv4.ping_group_range` must allow.",
        list: |keys| {
            list_probing(keys);
            keys.retain(|key| key.name() != ProbingKeys::alias_port());
        },
    },
};
