use std::net::IpAddr;
use std::sync::Arc;

use super::Resolver;
use crate::config::fields::{Fields, did_you_mean};
use crate::config::scalar;
use crate::config::schema::{CERT_KEY, PROFILES, Shape};
use crate::config::source::At;
use crate::config::tree::{Entry, Node};
use crate::model::profile::{
    Affinity, CertKey, CertResponse, Certificate, CipherGroup, ClientSsl, Passphrase, PeerCertMode, Persistence,
    PersistenceKind, Protocol, ProtocolKind, ServerSsl, SourceMask, TlsVersion, TlsVersions, TrustAnchors,
};
use crate::model::{Name, is_host_name};

impl<'a> Resolver<'a> {
    /// Notes the mistakes of every profile, used or not.
    pub(super) fn check_profiles(&self) {
        for entry in self.document.section("profiles") {
            // With a chain that cannot be followed there still is what the profile says itself.
            let alone = || {
                let kind = entry.value.entry("type")?.value.scalar()?;
                let (kind, shape) = PROFILES.iter().find(|(name, _)| *name == kind)?;
                Some((*kind, shape, entry.value.entries().iter().collect()))
            };
            let Some((kind, shape, inherited)) = self.profile(entry).or_else(alone) else { continue };
            if self.reader.fields(&entry.value, entry.key_at, shape).is_none() {
                continue;
            }
            self.check_parent(entry, kind);
            let mut fields = Fields::new(self.reader, shape, inherited, entry.key_at);
            match kind {
                "client-ssl" => drop(client_ssl(&entry.key, &mut fields)),
                "server-ssl" => drop(server_ssl(&entry.key, &mut fields)),
                "source-addr" | "hash" => drop(persistence(&entry.key, kind, &mut fields)),
                _ => drop(protocol(&entry.key, ProtocolKind::Tcp, &mut fields)),
            }
        }
    }

    /// A profile's type, shape and inherited entries.
    fn profile(&self, entry: &'a Entry) -> Option<(&'static str, &'static Shape, Vec<&'a Entry>)> {
        let inherited = self.inherited("profiles", entry)?;
        let kind = inherited.iter().find(|inner| inner.key == "type");
        let word = kind.and_then(|kind| kind.value.scalar()).unwrap_or_default();
        let found = PROFILES.iter().find(|(name, _)| *name == word);
        let Some((name, shape)) = found else {
            let at = kind.map_or(entry.key_at, |kind| kind.value.at);
            let types = || PROFILES.iter().map(|(name, _)| *name);
            let (message, help) = match kind {
                Some(_) => (format!("there is no profile type `{word}`"), did_you_mean(&word, types())),
                None => (format!("profile `{}` needs a `type`", entry.key), None),
            };
            let one_of = || format!("there are: {}", types().collect::<Vec<_>>().join(", "));
            self.reader.error(at, message, help.or_else(|| Some(one_of())));
            return None;
        };
        Some((name, shape, inherited))
    }

    fn check_parent(&self, entry: &'a Entry, kind: &str) {
        let Some(parent) = entry.value.entry("defaults-from") else { return };
        let name = parent.value.scalar().unwrap_or_default();
        let Some(of) = self.document.named("profiles", &name).filter(|of| of.key != entry.key) else { return };
        let Ok(inherited) = self.document.inherited("profiles", &of.key) else { return };
        let theirs = inherited.iter().find(|inner| inner.key == "type").and_then(|inner| inner.value.scalar());
        if theirs.as_deref().is_some_and(|theirs| theirs != kind) {
            let message =
                format!("profile `{}` is {kind}, its parent `{name}` is {}", entry.key, theirs.unwrap_or_default());
            self.reader.error(parent.value.at, message, None);
        }
    }

    /// The profile that a virtual server names, when it is of one of these types.
    pub(super) fn named_profile(
        &self,
        name: &str,
        at: At,
        types: &[&str],
    ) -> Option<(&'static str, &'static Shape, Vec<&'a Entry>)> {
        let Some(entry) = self.document.named("profiles", name) else {
            self.unknown("profile", "profiles", name, at);
            return None;
        };
        // Its mistakes are noted with its section.
        let profile = self.reader.quietly(|| self.profile(entry));
        let (kind, ..) = profile.as_ref()?;
        if !types.contains(kind) {
            let message = format!("profile `{name}` is {kind}, not {}", types.join(" or "));
            let names = self.document.names("profiles").into_iter().filter(|name| {
                let named = self.document.named("profiles", name);
                let of = named.and_then(|named| self.reader.quietly(|| self.profile(named)));
                of.is_some_and(|(kind, ..)| types.contains(&kind))
            });
            let help = format!("there are: {}", names.collect::<Vec<_>>().join(", "));
            self.reader.error(at, message, Some(help));
            return None;
        }
        profile
    }

    /// Makes a named profile; its mistakes were noted with its section.
    pub(super) fn make<T>(
        &self,
        (shape, inherited): (&'static Shape, Vec<&'a Entry>),
        make: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Arc<T> {
        let mut fields = Fields::new(self.reader, shape, inherited, At::default());
        Arc::new(self.reader.quietly(|| make(&mut fields)))
    }
}

pub(super) fn client_ssl(name: &str, fields: &mut Fields<'_>) -> ClientSsl {
    let items = fields.list("cert-key-chain");
    let mut cert_key_chain: Vec<CertKey> = Vec::new();
    for item in items {
        let Some(certificate) = cert_key_item(fields, item) else { continue };
        if certificate.sni_default && cert_key_chain.iter().any(|other| other.sni_default) {
            fields.reader.error(item.at, "a second certificate is marked `sni-default`", None);
        }
        cert_key_chain.push(certificate);
    }
    let peer_cert_mode = match fields.word("peer-cert-mode").as_str() {
        "request" => PeerCertMode::Request,
        "require" => PeerCertMode::Require,
        _ => PeerCertMode::Ignore,
    };
    let ca_file = fields.path("ca-file");
    if peer_cert_mode != PeerCertMode::Ignore && ca_file.is_none() {
        let message = format!("profile `{name}` asks clients for certificates and has no `ca-file` to check them with");
        let help = "write `ca-file: clients-ca.pem`".to_owned();
        fields.reader.error(fields.place("peer-cert-mode"), message, Some(help));
    }
    ClientSsl {
        name: Name::from(name),
        cert_key_chain,
        sni_require: fields.flag("sni-require"),
        versions: versions(fields),
        cipher_group: cipher_group(fields),
        peer_cert_mode,
        ca_file,
        crl_file: fields.path("crl-file"),
        authenticate_depth: fields.count("authenticate-depth").min(255) as u8,
        handshake_timeout: fields.duration("handshake-timeout"),
        session_ticket: fields.flag("session-ticket"),
        cache_size: fields.count("cache-size"),
        alpn: fields.texts("alpn").into_iter().map(|(text, _)| text).collect(),
    }
}

pub(super) fn server_ssl(name: &str, fields: &mut Fields<'_>) -> ServerSsl {
    let ca_file = match fields.text("ca-file").unwrap_or_default().as_str() {
        "system" => TrustAnchors::System,
        "webpki-roots" => TrustAnchors::WebpkiRoots,
        path => TrustAnchors::File(fields.reader.folder.join(path)),
    };
    let response = |word: String| if word == "ignore" { CertResponse::Ignore } else { CertResponse::Drop };
    let of_certificate = ["store", "cert", "key", "chain", "passphrase-file", "passphrase-env"];
    let shows_certificate = of_certificate.iter().any(|key| fields.node(key).is_some());
    ServerSsl {
        name: Name::from(name),
        ca_file,
        verify: fields.word("peer-cert-mode") != "ignore",
        authenticate_name: fields.parsed("authenticate-name", |text| {
            (is_host_name(text) || text.parse::<IpAddr>().is_ok()).then(|| text.to_owned())
        }),
        server_name: fields.host_name("server-name"),
        expire_cert_response: response(fields.word("expire-cert-response-control")),
        untrusted_cert_response: response(fields.word("untrusted-cert-response-control")),
        client_certificate: if shows_certificate { cert_key(fields, false) } else { None },
        versions: versions(fields),
        cipher_group: cipher_group(fields),
        handshake_timeout: fields.duration("handshake-timeout"),
        cache_size: fields.count("cache-size"),
        alpn: fields.texts("alpn").into_iter().map(|(text, _)| text).collect(),
    }
}

pub(super) fn protocol(name: &str, kind: ProtocolKind, fields: &mut Fields<'_>) -> Protocol {
    Protocol {
        name: Name::from(name),
        kind,
        idle_timeout: fields.duration_or_never("idle-timeout"),
        reset_on_timeout: fields.flag("reset-on-timeout"),
        keep_alive_interval: fields.duration_or_never("keep-alive-interval"),
        close_wait: fields.duration("close-wait"),
        backlog: fields.count("backlog"),
        nodelay: fields.flag("nodelay"),
        connect_timeout: fields.duration("connect-timeout"),
    }
}

/// `kind` is a `type` of the file.
pub(super) fn persistence(name: &str, kind: &str, fields: &mut Fields<'_>) -> Persistence {
    let v4 = fields.parsed("mask", scalar::mask_v4).unwrap_or(32);
    let mask = SourceMask { v4, v6: fields.count("mask-v6").min(128) as u8 };
    let kind = match kind {
        "hash" => PersistenceKind::Hash,
        _ => PersistenceKind::SourceAddr(Affinity {
            timeout: fields.duration_or_never("timeout"),
            match_across_services: fields.flag("match-across-services"),
            match_across_virtuals: fields.flag("match-across-virtuals"),
            match_across_pools: fields.flag("match-across-pools"),
        }),
    };
    let override_connection_limit = fields.flag("override-connection-limit");
    Persistence { name: Name::from(name), kind, mask, override_connection_limit }
}

fn cert_key_item(fields: &mut Fields<'_>, item: &Node) -> Option<CertKey> {
    let mut inner = fields.reader.fields(item, item.at, &CERT_KEY)?;
    cert_key(&mut inner, true)
}

fn cert_key(fields: &mut Fields<'_>, in_chain: bool) -> Option<CertKey> {
    let store = fields.text("store");
    let (cert, key, chain) = (fields.path("cert"), fields.path("key"), fields.path("chain"));
    let passphrase = match (fields.path("passphrase-file"), fields.parsed("passphrase-env", scalar::variable)) {
        (Some(file), None) => Some(Passphrase::File(file)),
        (None, Some(variable)) => Some(Passphrase::Environment(variable)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            let message = "give `passphrase-file` or `passphrase-env`, not both";
            fields.reader.error(fields.place("passphrase-env"), message, None);
            None
        }
    };
    let sni_default = in_chain && fields.flag("sni-default");
    let certificate = match (store, cert, key, chain) {
        (Some(store), None, None, None) => Certificate::Store(store),
        (None, Some(cert), key, chain) => Certificate::Files { key: key.unwrap_or_else(|| cert.clone()), cert, chain },
        (Some(_), ..) => {
            let help = "an entry of the store has its own key and chain".to_owned();
            fields.reader.error(fields.place("store"), "`store` stands beside `cert`, `key` or `chain`", Some(help));
            return None;
        }
        (None, None, ..) => {
            let help = "write `store`, or `cert` and `key`".to_owned();
            fields.reader.error(fields.at, "no certificate is named", Some(help));
            return None;
        }
    };
    Some(CertKey { certificate, passphrase, sni_default })
}

fn versions(fields: &mut Fields<'_>) -> TlsVersions {
    let mut version = |key: &str, fallback| match fields.word(key).as_str() {
        "tls1.2" => TlsVersion::Tls12,
        "tls1.3" => TlsVersion::Tls13,
        _ => fallback,
    };
    let minimum = version("minimum-version", TlsVersion::Tls12);
    let maximum = version("maximum-version", TlsVersion::Tls13);
    if minimum > maximum {
        // Where the user wrote one of the two, that one.
        let places = [fields.place("minimum-version"), fields.place("maximum-version")];
        let at = places.into_iter().find(|at| !at.is_built_in()).unwrap_or(places[0]);
        fields.reader.error(at, "minimum-version is above maximum-version", None);
    }
    TlsVersions { minimum, maximum }
}

fn cipher_group(fields: &mut Fields<'_>) -> CipherGroup {
    let word = fields.word("cipher-group");
    CipherGroup::ALL.into_iter().find(|group| group.as_str() == word).unwrap_or(CipherGroup::Default)
}
