//! The keys of a source-addr or hash profile.

use std::sync::Arc;

use super::declare::settings;
use super::key::Key;
use super::kind::{Count, DAY, Flag, Mask, Never, Span};
use super::profile::{ReadProfile, list_common};
use super::section::{AnyKey, Section};
use super::setting::{EntryName, Facts, Setting};
use super::typed::Type;
use crate::config::fields::Fields;
use crate::model::profile::{Affinity, Persistence, PersistenceKind, Profiles, SourceMask};

pub(super) const SOURCE_ADDR: Type<ReadProfile> = Type {
    word: "source-addr",
    root: "source_addr",
    head: "Source-address affinity, which Hue needs: a client goes back to the member that served it.",
    defaults: &[],
    read,
    section: Section {
        name: "source-addr profile",
        doc: "Clients go back to the member that served them.",
        list: |keys| {
            list_common(keys);
            const { &PersistenceKeys }.list(keys);
        },
    },
};

pub(super) const HASH: Type<ReadProfile> = Type {
    word: "hash",
    root: "hash",
    head: "The client's address alone decides, without records: several pronks agree without telling one another.",
    defaults: &[],
    read,
    section: Section {
        name: "hash profile",
        doc: "The client's address and the members' ratios decide, by rendezvous hashing. No records are kept, several \
              pronks agree, and a member that is added or removed moves only its own share of clients.",
        list: |keys| {
            list_common(keys);
            const { &MaskKeys }.list(keys);
            const { &OVERRIDE }.list(keys);
        },
    },
};

fn read(fields: &Fields<'_>, profiles: &mut Profiles) {
    let profile = PersistenceKeys.read(fields);
    profiles.persistence.insert(profile.name.clone(), Arc::new(profile));
}

settings!(
    PersistenceKeys =
        Persistence { name: EntryName, kind: KindKeys, mask: MaskKeys, override_connection_limit: OVERRIDE }
);

settings!(
    MaskKeys = SourceMask {
        v4: Key::new("mask", Mask, "IPv4 clients whose addresses agree under this mask are treated as one client.")
            .default("255.255.255.255")
            .because("every IPv4 address is its own client"),
        v6: Key::new("mask-v6", Count::<u8>::from(0, 128), "The same for IPv6, as a prefix length in bits.")
            .default("128")
            .because("and every IPv6 address"),
    }
);

const OVERRIDE: Key<Flag> = Key::new(
    "override-connection-limit",
    Flag,
    "Clients with a record may exceed the member's connection-limit. The limit of the node still holds.",
)
.default("false")
.because("a member's connection-limit holds for clients that come back as well");

settings!(
    AffinityKeys = Affinity {
        timeout: Key::new(
            "timeout",
            Never("indefinite", Span(1, 365 * DAY)),
            "How long a record is kept after the client's last connection.",
        )
        .default("180s")
        .because("after the client's last connection; Hue's sessions need longer, such as 1h"),
        match_across_services: Key::new(
            "match-across-services",
            Flag,
            "Virtual servers with the same address share records. So a client of port 21000 goes to the same node on \
             port 21050.",
        )
        .default("false")
        .because("records of virtual servers with the same address count too"),
        match_across_virtuals: Key::new(
            "match-across-virtuals",
            Flag,
            "All virtual servers with this setting share records.",
        )
        .default("false")
        .because("records of all virtual servers do"),
        match_across_pools: Key::new(
            "match-across-pools",
            Flag,
            "Records stay valid if a reload gives the virtual server another pool with the same node.",
        )
        .default("false")
        .because("records of the pools that the virtual server had before do"),
    }
);

/// What is kept of clients, by the profile's type.
struct KindKeys;

impl Setting for KindKeys {
    type Value = PersistenceKind;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &AffinityKeys }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> PersistenceKind {
        if fields.kind == HASH.word {
            PersistenceKind::Hash
        } else {
            PersistenceKind::SourceAddr(AffinityKeys.read(fields))
        }
    }

    fn facts(&self, value: &PersistenceKind, facts: &mut Facts) {
        match value {
            PersistenceKind::Hash => facts.push(("type", HASH.word.to_owned())),
            PersistenceKind::SourceAddr(affinity) => {
                facts.push(("type", SOURCE_ADDR.word.to_owned()));
                AffinityKeys.facts(affinity, facts);
            }
        }
    }
}
