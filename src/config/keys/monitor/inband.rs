//! The keys of a monitor of type inband.

use super::common::{ReadMonitor, list_common};
use crate::config::keys::declare::settings;
use crate::config::keys::key::Key;
use crate::config::keys::kind::{Count, DAY, Span};
use crate::config::keys::section::Section;
use crate::config::keys::setting::Setting;
use crate::config::keys::typed::Type;
use crate::model::{Inband, Monitor, MonitorKind, Probing};

pub(super) const INBAND: Type<ReadMonitor> = Type {
    word: "inband",
    root: "inband",
    head: "Use it together with a monitor that probes: it notices what only clients notice.",
    defaults: &[],
    read: |fields| Monitor {
        name: fields.name.into(),
        kind: MonitorKind::Inband(InbandKeys.read(fields)),
        probing: Probing::none(),
    },
    section: Section {
        name: "monitor of type inband",
        doc: "Sends nothing: counts failures of clients' own connections (passive monitoring). Best together with a \
              monitor that probes.",
        list: |keys| {
            list_common(keys);
            const { &InbandKeys }.list(keys);
        },
    },
};

settings!(
    InbandKeys = Inband {
        failures: Key::new(
            "failures",
            Count::<u32>::from(1, 1_000_000),
            "So many failures within `failure-interval` mark the member down.",
        )
        .default("3"),
        failure_interval: Key::new("failure-interval", Span(10, DAY), "The time within which failures are counted.")
            .default("30s"),
        response_time: Key::new(
            "response-time",
            Span(0, DAY),
            "A connection that ends after this long without a byte from the member counts as a failure; 0 counts none.",
        )
        .default("0")
        .because("F5's is 10s, but planning a query may take minutes"),
        retry_time: Key::new(
            "retry-time",
            Span(0, DAY),
            "How long a member that is down gets no connections; 0 is until it is resumed.",
        )
        .default("300s"),
    }
);
