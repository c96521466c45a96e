use std::sync::Arc;

use super::Resolver;
use crate::config::fields::Fields;
use crate::config::scalar;
use crate::config::schema::{CERT_KEY, PROFILES, Shape};
use crate::config::source::At;
use crate::config::tree::{Entry, Node};
use crate::model::Name;
use crate::model::profile::{
    CertKey, CertResponse, Certificate, CipherGroup, ClientSsl, Passphrase, PeerCertMode, Persistence, Protocol,
    ProtocolKind, ServerSsl, SourceMask, TlsVersion, TlsVersions, TrustAnchors,
};

impl<'a> Resolver<'a> {
    /// Notes the mistakes of every profile, used or not.
    pub(super) fn check_profiles(&self) {
        for entry in self.document.section("profiles") {
            let Some((kind, shape, inherited)) = self.profile(entry) else { continue };
            self.reader.check_keys(entry.value.entries(), shape);
            self.check_parent(entry, kind);
            let mut fields = Fields::new(self.reader, shape, inherited, entry.key_at);
            match kind {
                "client-ssl" => drop(client_ssl(&entry.key, &mut fields)),
                "server-ssl" => drop(server_ssl(&entry.key, &mut fields)),
                "source-addr" => drop(persistence(&entry.key, &mut fields)),
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
            let types = PROFILES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            let message = format!("profile `{}` needs a `type`: one of {types}", entry.key);
            self.reader.error(at, message, None);
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
            self.reader.error(at, message, None);
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
    let cert_key_chain: Vec<_> = items.iter().filter_map(|item| cert_key_item(fields, item)).collect();
    if items.is_empty() && !fields.at.is_built_in() {
        let help = "add `cert-key-chain: [{ cert: lb.pem, key: lb.key }]`".to_owned();
        fields.reader.error(fields.at, format!("client-ssl profile `{name}` has no certificate"), Some(help));
    }
    let peer_cert_mode = match fields.word("peer-cert-mode").as_str() {
        "request" => PeerCertMode::Request,
        "require" => PeerCertMode::Require,
        _ => PeerCertMode::Ignore,
    };
    let ca_file = fields.path("ca-file");
    if peer_cert_mode != PeerCertMode::Ignore && ca_file.is_none() {
        let message = format!("profile `{name}` asks clients for certificates and has no `ca-file` to check them with");
        fields.reader.error(fields.place("peer-cert-mode"), message, None);
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
    let shows_certificate = ["store", "cert", "key"].iter().any(|key| fields.node(key).is_some());
    ServerSsl {
        name: Name::from(name),
        ca_file,
        verify: fields.word("peer-cert-mode") != "ignore",
        authenticate_name: fields.text("authenticate-name"),
        server_name: super::host_name(fields, "server-name"),
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

pub(super) fn persistence(name: &str, fields: &mut Fields<'_>) -> Persistence {
    let mask = fields.text("mask").unwrap_or_default();
    let v4 = scalar::mask_v4(&mask).unwrap_or_else(|| {
        let help = "write a mask such as 255.255.255.0, or a prefix length such as /24".to_owned();
        fields.reader.error(fields.place("mask"), format!("`{mask}` is not a network mask"), Some(help));
        32
    });
    let mask = SourceMask { v4, v6: fields.count("mask-v6").min(128) as u8 };
    Persistence { name: Name::from(name), timeout: fields.duration_or_never("timeout"), mask }
}

fn cert_key_item(fields: &mut Fields<'_>, item: &Node) -> Option<CertKey> {
    fields.reader.check_keys(item.entries(), &CERT_KEY);
    let mut inner = Fields::new(fields.reader, &CERT_KEY, item.entries().iter().collect(), item.at);
    cert_key(&mut inner, true)
}

fn cert_key(fields: &mut Fields<'_>, in_chain: bool) -> Option<CertKey> {
    let store = fields.text("store");
    let (cert, key, chain) = (fields.path("cert"), fields.path("key"), fields.path("chain"));
    let certificate = match (store, cert, key) {
        (Some(store), None, None) => Certificate::Store(store),
        (None, Some(cert), Some(key)) => Certificate::Files { cert, key, chain },
        (None, Some(cert), None) => Certificate::Files { key: cert.clone(), cert, chain },
        _ => {
            let message = "a certificate is either `store`, or `cert` and `key`";
            fields.reader.error(fields.at, message, None);
            return None;
        }
    };
    let passphrase = match (fields.path("passphrase-file"), fields.text("passphrase-env")) {
        (Some(file), None) => Some(Passphrase::File(file)),
        (None, Some(variable)) => Some(Passphrase::Environment(variable)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            fields.reader.error(fields.at, "give `passphrase-file` or `passphrase-env`, not both", None);
            None
        }
    };
    Some(CertKey { certificate, passphrase, sni_default: in_chain && fields.flag("sni-default") })
}

fn versions(fields: &mut Fields<'_>) -> TlsVersions {
    let mut version = |key: &str, fallback| {
        let old = fields
            .node(key)
            .and_then(Node::scalar)
            .filter(|text| matches!(text.as_str(), "tls1.0" | "tls1" | "tls1.1" | "ssl3" | "sslv3" | "ssl2"));
        if let Some(old) = old {
            let help = "nothing older than tls1.2 is spoken (RFC 8996)".to_owned();
            fields.reader.error(fields.place(key), format!("{old} is not offered"), Some(help));
            return fallback;
        }
        match fields.word(key).as_str() {
            "tls1.2" => TlsVersion::Tls12,
            "tls1.3" => TlsVersion::Tls13,
            _ => fallback,
        }
    };
    let minimum = version("minimum-version", TlsVersion::Tls12);
    let maximum = version("maximum-version", TlsVersion::Tls13);
    if minimum > maximum {
        fields.reader.error(fields.place("minimum-version"), "minimum-version is above maximum-version", None);
    }
    TlsVersions { minimum, maximum }
}

fn cipher_group(fields: &mut Fields<'_>) -> CipherGroup {
    let word = fields.word("cipher-group");
    CipherGroup::ALL.into_iter().find(|group| group.as_str() == word).unwrap_or(CipherGroup::Default)
}
