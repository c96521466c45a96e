//! The keys that name a certificate with its private key: in `cert-key-chain`, and in a server-ssl profile.

use serde_json::{Value as Json, json};

use super::key::Key;
use super::kind::{Flag, Kind, Line, Optional, Path, Variable, Written, Wrong, list};
use super::section::{AnyKey, Section};
use super::setting::{Facts, Setting};
use crate::config::fields::Fields;
use crate::config::tree::Value;
use crate::model::profile::{CertKey, Certificate, Passphrase};

pub(in crate::config) const CERTIFICATE: Section = Section {
    name: "certificate",
    doc: "A certificate with its key: an entry of the store, or files.",
    list: |keys| const { &CertificateKeys }.list(keys),
};

/// A certificate that is served.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct CertificateKeys;

/// The certificate that a server-ssl profile shows to members, if it shows one.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientCertificateKeys;

/// The keys of one certificate.
struct Parts {
    store: Key<Optional<Line>>,
    cert: Key<Optional<Path>>,
    key: Key<Optional<Path>>,
    chain: Key<Optional<Path>>,
    passphrase_file: Key<Optional<Path>>,
    passphrase_env: Key<Optional<Variable>>,
}

const SERVED: Parts = Parts {
    store: Key::new("store", Optional(Line), "An entry of the certificate store."),
    cert: Key::new(
        "cert",
        Optional(Path),
        "File of the certificate, with or without its chain: PEM, DER, PKCS#7 or PKCS#12.",
    ),
    key: Key::new(
        "key",
        Optional(Path),
        "File of the private key, not readable by others; by default the file of `cert`.",
    ),
    chain: Key::new("chain", Optional(Path), "File of the intermediate certificates."),
    passphrase_file: PASSPHRASE_FILE,
    passphrase_env: PASSPHRASE_ENV,
};
const SHOWN: Parts = Parts {
    store: Key::new("store", Optional(Line), "Client certificate: an entry of the certificate store."),
    cert: Key::new("cert", Optional(Path), "Client certificate: its file."),
    key: Key::new("key", Optional(Path), "Client certificate: the file of its key; by default the file of `cert`."),
    chain: Key::new("chain", Optional(Path), "Client certificate: the file of its intermediates."),
    passphrase_file: PASSPHRASE_FILE,
    passphrase_env: PASSPHRASE_ENV,
};
const PASSPHRASE_FILE: Key<Optional<Path>> =
    Key::new("passphrase-file", Optional(Path), "File whose first line opens an encrypted key or archive.");
const PASSPHRASE_ENV: Key<Optional<Variable>> =
    Key::new("passphrase-env", Optional(Variable), "Environment variable that opens an encrypted key or archive.");
const SNI_DEFAULT: Key<Flag> =
    Key::new("sni-default", Flag, "Serve this certificate to clients whose SNI matches none.").default("false");

impl Parts {
    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        self.store.list(keys);
        self.cert.list(keys);
        self.key.list(keys);
        self.chain.list(keys);
        self.passphrase_file.list(keys);
        self.passphrase_env.list(keys);
    }

    /// `None` when it is not plain which certificate is meant, which is noted.
    fn read(&self, fields: &Fields<'_>) -> Option<CertKey> {
        let file = self.passphrase_file.read(fields).map(Passphrase::File);
        let variable = self.passphrase_env.read(fields).map(Passphrase::Environment);
        if file.is_some() && variable.is_some() {
            let message = "give `passphrase-file` or `passphrase-env`, not both";
            fields.error(fields.place(self.passphrase_env.name()), message, None);
        }
        let files = (self.cert.read(fields), self.key.read(fields), self.chain.read(fields));
        let certificate = match (self.store.read(fields), files) {
            (Some(store), (None, None, None)) => Certificate::Store(store),
            (None, (Some(cert), key, chain)) => {
                Certificate::Files { key: key.unwrap_or_else(|| cert.clone()), cert, chain }
            }
            (Some(_), _) => {
                let help = "an entry of the store has its own key and chain".to_owned();
                let at = fields.place(self.store.name());
                fields.error(at, "`store` is given together with `cert`, `key` or `chain`", Some(help));
                return None;
            }
            (None, (None, ..)) => {
                let help = "write `store`, or `cert` and `key`".to_owned();
                if fields.is_good(self.store.name()) && fields.is_good(self.cert.name()) {
                    fields.error(fields.at, "no certificate is named", Some(help));
                }
                return None;
            }
        };
        Some(CertKey { certificate, passphrase: file.or(variable), sni_default: false })
    }
}

impl Setting for CertificateKeys {
    type Value = Option<CertKey>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &SERVED }.list(keys);
        const { &SNI_DEFAULT }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let sni_default = SNI_DEFAULT.read(fields);
        SERVED.read(fields).map(|certificate| CertKey { sni_default, ..certificate })
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        facts.extend(value.as_ref().map(|it| ("certificate", told(it))));
    }
}

impl Setting for ClientCertificateKeys {
    type Value = Option<CertKey>;

    fn list(&'static self, keys: &mut Vec<&'static dyn AnyKey>) {
        const { &SHOWN }.list(keys);
    }

    fn read(&self, fields: &Fields<'_>) -> Self::Value {
        let mut keys = Vec::new();
        const { &SHOWN }.list(&mut keys);
        if keys.iter().any(|key| fields.has(key.name())) { SHOWN.read(fields) } else { None }
    }

    fn facts(&self, value: &Self::Value, facts: &mut Facts) {
        facts.push(("client certificate", value.as_ref().map_or_else(|| "none".to_owned(), told)));
    }
}

/// A list of certificates.
#[derive(Clone, Copy)]
pub(super) struct Certificates;

impl Kind for Certificates {
    type Value = Vec<CertKey>;

    fn describe(&self) -> String {
        "a list of certificates".into()
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": { "$ref": "#/$defs/certificate" } })
    }

    fn read(&self, Written { node, fields }: Written<'_>) -> Result<Self::Value, Wrong> {
        if node.is_none() {
            return Ok(Vec::new());
        }
        let Value::List(items) = &node.value else { return Err(Wrong::Kind) };
        let mut certificates: Vec<CertKey> = Vec::new();
        for item in items {
            let of_item = fields.of_map(&CERTIFICATE, item);
            let Some(certificate) = of_item.and_then(|fields| CertificateKeys.read(&fields)) else { continue };
            if certificate.sni_default && certificates.iter().any(|other| other.sni_default) {
                fields.error(item.at, "a second certificate is marked `sni-default`", None);
            }
            certificates.push(certificate);
        }
        Ok(certificates)
    }

    fn absent(&self) -> Self::Value {
        Vec::new()
    }

    fn tell(&self, value: &Self::Value) -> String {
        list(value.iter().map(told))
    }

    fn items(&self) -> Option<&'static Section> {
        Some(&CERTIFICATE)
    }
}

fn told(CertKey { certificate, passphrase, sni_default }: &CertKey) -> String {
    let mut text = match certificate {
        Certificate::Store(entry) => format!("store {entry}"),
        Certificate::Files { cert, key, chain } => {
            let chain = chain.as_ref().map(|chain| format!(", chain {}", chain.display()));
            format!("cert {}, key {}{}", cert.display(), key.display(), chain.unwrap_or_default())
        }
    };
    match passphrase {
        Some(Passphrase::File(path)) => text += &format!(", passphrase in {}", path.display()),
        Some(Passphrase::Environment(variable)) => text += &format!(", passphrase in ${variable}"),
        None => {}
    }
    if *sni_default {
        text += ", sni-default";
    }
    text
}
