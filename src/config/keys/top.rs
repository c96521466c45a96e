//! The sections of a file, and the keys that stand beside them.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::admin::AdminMap;
use super::declare::settings;
use super::key::Key;
use super::kind::{DAY, Kind, Never, Path, Span, Written, Wrong};
use super::section::Section;
use super::setting::Setting;

pub(in crate::config) const TOP: Section = Section {
    name: "configuration file",
    doc: "The sections of a file.",
    list: |keys| {
        const { &Key::new("nodes", Named("node"), "The hosts that run impalads.") }.list(keys);
        const { &Key::new("pools", Named("pool"), "Members that serve the same port.") }.list(keys);
        const {
            &Key::new(
                "monitors",
                Named("monitor"),
                "How the health of members is checked. Those in `profiles/monitors.yaml` are built in, such as `tcp` \
                 and `impala`.",
            )
        }
        .list(keys);
        const { &Key::new("profiles", Named("profile"), "Settings that virtual servers share.") }.list(keys);
        const {
            &Key::new(
                "virtual-servers",
                Named("virtual server"),
                "What clients connect to. Write `{}` if there are none: a file without this key may have been cut \
                 short.",
            )
            .required()
        }
        .list(keys);
        const {
            &Key::new(
                "lint",
                Named("lint check"),
                "Levels for findings about certificates, by the id of the \
                                                        check.",
            )
        }
        .list(keys);
        const { &ADMIN_API }.list(keys);
        const { &TopKeys }.list(keys);
    },
};

const ADMIN_API: Key<AdminMap> = Key::new(
    "admin",
    AdminMap,
    "Administration over the network, and the audit log: a map of the keys of the admin API.",
);

/// What the file says outside its sections.
pub(in crate::config) struct Top {
    pub certificate_store: PathBuf,
    pub certificate_refresh: Option<Duration>,
}

settings!(
    TopKeys = Top {
        certificate_store: Key::new("certificate-store", Path, "The folder of the certificate store.").default("certs"),
        certificate_refresh: Key::new(
            "certificate-refresh",
            Never("indefinite", Span(10, DAY)),
            "How often the files that profiles name (certificates, keys, authorities, revocation lists) are checked \
             for changes. Changed files are used at once, without a reload; `indefinite` checks them at `pronk reload` \
             only.",
        )
        .default("5s"),
    }
);

/// A section: a map of these by name.
#[derive(Clone, Copy)]
struct Named(&'static str);

impl Kind for Named {
    type Value = ();

    fn describe(&self) -> String {
        format!("a map of {}s by name", self.0)
    }

    fn schema(&self) -> Json {
        let reference = format!("#/$defs/{}", self.0.replace(' ', "%20"));
        json!({ "type": "object", "additionalProperties": { "$ref": reference } })
    }

    /// Sections are read entry by entry, in an order of their own.
    fn read(&self, _: Written<'_>) -> Result<(), Wrong> {
        Ok(())
    }

    fn absent(&self) {}

    fn tell(&self, (): &()) -> String {
        String::new()
    }

    fn is_section(&self) -> bool {
        true
    }
}
