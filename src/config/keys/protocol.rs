//! The keys of a tcp or fastL4 profile.

use std::sync::Arc;

use super::declare::settings;
use super::key::Key;
use super::kind::{Count, DAY, Flag, HOUR, Limit, Never, SECOND, Span};
use super::profile::{ReadProfile, list_common};
use super::section::{AnyKey, Section};
use super::setting::{EntryName, OfType, Setting};
use super::typed::Type;
use crate::config::fields::Fields;
use crate::model::VirtualServerKind;
use crate::model::profile::{Profiles, Protocol, ProtocolKind};

pub(super) const TCP: Type<ReadProfile> = Type {
    word: "tcp",
    root: "tcp",
    head: "How TCP itself is treated: `tcp` for standard virtual servers, `fastL4` for performance-l4. Both are the same \
           here.\n\nImpala's clients are silent for as long as a user thinks or a query runs. So `idle-timeout`, which \
           is F5's, is what a cluster most often raises: the guide takes 1h for Hue and notebooks.\n\nRouters and \
           clouds forget silent flows without telling either end, the shortest known after 240 s and a common one after \
           350 s. So the kernel probes silent peers well before that; F5's tcp waits 1800 s and its fastL4 sends none. \
           Probes carry no data and do not count against `idle-timeout`.",
    defaults: &[],
    read,
    section: Section { name: "tcp profile", doc: "How TCP is treated by a standard virtual server.", list },
};

pub(super) const FAST_L4: Type<ReadProfile> = Type {
    word: "fastL4",
    root: "fastL4",
    head: "",
    defaults: &[],
    read,
    section: Section { name: "fastL4 profile", doc: "How TCP is treated by a performance-l4 virtual server.", list },
};

fn list(keys: &mut Vec<&'static dyn AnyKey>) {
    list_common(keys);
    const { &ProtocolKeys }.list(keys);
}

fn read(fields: &Fields<'_>, profiles: &mut Profiles) {
    let profile = ProtocolKeys.read(fields);
    profiles.protocol.insert(profile.name.clone(), Arc::new(profile));
}

/// Returns the protocol profile of a virtual server of this type that names none.
pub(in crate::config) fn default_protocol(kind: VirtualServerKind) -> &'static str {
    match kind {
        VirtualServerKind::Standard => TCP.root,
        VirtualServerKind::PerformanceL4 => FAST_L4.root,
    }
}

settings!(
    ProtocolKeys = Protocol {
        name: EntryName,
        kind: OfType { all: &ProtocolKind::ALL, word: ProtocolKind::as_str },
        idle_timeout: Key::new(
            "idle-timeout",
            Never("indefinite", Span(1, 365 * DAY)),
            "A connection without bytes in either direction for this long is closed.",
        )
        .default("300s"),
        half_closed_timeout: Key::new(
            "half-closed-timeout",
            Never("indefinite", Span(1, 365 * DAY)),
            "A connection that one side has ended is closed after this long without bytes from the other side. `indefinite` \
             leaves it to idle-timeout.",
        )
        .default("300s")
        .because("F5's tcp profile waits as long for the other side (fin-wait-2-timeout)"),
        reset_on_timeout: Key::new("reset-on-timeout", Flag, "Close idle connections with RST; otherwise with FIN.")
            .default("true")
            .because("both ends learn at once that the connection is gone"),
        keep_alive_interval: Key::new(
            "keep-alive-interval",
            // Linux takes no more (tcp(7), TCP_KEEPIDLE), and whole seconds only.
            Never("disabled", Span(SECOND, 32767 * SECOND)),
            "TCP keep-alive probes are sent after this long without bytes. They do not count for idle-timeout.",
        )
        .default("60s"),
        user_timeout: Key::new(
            "tcp-user-timeout",
            Never("disabled", Span(SECOND, DAY)),
            "How long sent bytes and keep-alive probes may stay unacknowledged, on both sides, before the connection is \
             closed (TCP_USER_TIMEOUT). A receiver that reads nothing for so long is closed too. It also limits \
             connecting. `disabled` is the system's own limit, about 15 minutes.",
        )
        .default("disabled"),
        close_wait: Key::new(
            "close-wait",
            Span(1, HOUR),
            "How long the last bytes of a connection may take to be \
                                                           delivered."
        )
        .default("5s"),
        max_segment_size: Key::new(
            "max-segment-size",
            // Linux takes no others (tcp(7), TCP_MAXSEG).
            Limit::<u16>::between(88, 32767),
            "The largest TCP segment in bytes, on both sides, for networks that lose larger packets; 0 follows the \
             network interface.",
        )
        .default("0"),
        backlog: Key::new(
            "backlog",
            Count::<u32>::from(1, 65535),
            "Connections that the kernel may hold until they \
                                                                    are accepted."
        )
        .default("1024")
        .because("the system's net.core.somaxconn may hold it lower"),
        nodelay: Key::new("nodelay", Flag, "Send small segments at once (TCP_NODELAY).")
            .default("true")
            .because("Thrift's small requests must not wait for acknowledgements"),
        connect_timeout: Key::new(
            "connect-timeout",
            Span(1, HOUR),
            "How long connecting to one member may take, and how long it may then send nothing, in TLS or to what \
             opens a session, if another member can be chosen.",
        )
        .default("5s")
        .because("then another member is tried"),
    }
);
