//! The keys of a client-ssl profile.

use std::sync::Arc;

use super::certificate::Certificates;
use super::declare::settings;
use super::key::Key;
use super::kind::{Count, Flag, Optional, Path, Words};
use super::profile::{ReadProfile, list_common};
use super::section::Section;
use super::setting::{EntryName, Setting};
use super::ssl::{ALPN, CIPHERS, CRL_SCOPE, HANDSHAKE, VersionKeys, check_versions};
use super::typed::Type;
use crate::config::fields::Fields;
use crate::model::profile::{ClientSsl, PeerCertMode};

pub(super) const CLIENT_SSL: Type<ReadProfile> = Type {
    word: "client-ssl",
    root: "clientssl",
    head: "The parent of every client-ssl profile: how TLS from clients is terminated.",
    defaults: &[],
    read: |fields, profiles| {
        let profile = ClientSslKeys.read(fields);
        check(&profile, fields);
        profiles.client_ssl.insert(profile.name.clone(), Arc::new(profile));
    },
    section: Section {
        name: "client-ssl profile",
        doc: "How TLS from clients is terminated.",
        list: |keys| {
            list_common(keys);
            const { &ClientSslKeys }.list(keys);
        },
    },
};

settings!(
    ClientSslKeys = ClientSsl {
        name: EntryName,
        cert_key_chain: Key::new(
            "cert-key-chain",
            Certificates,
            "The certificates to serve. Of those whose key the client can verify, its SNI chooses: an exact name \
             before a wildcard, then a valid one before an expired one, then the first."
        ),
        sni_require: Key::new("sni-require", Flag, "Refuse clients whose SNI is absent or matches no certificate.")
            .default("false"),
        versions: VersionKeys,
        cipher_group: CIPHERS,
        peer_cert_mode: Key::new(
            "peer-cert-mode",
            Words { all: &PeerCertMode::ALL, word: PeerCertMode::as_str },
            "Whether clients must send a certificate. With `request` it may be missing, but must be valid if sent.",
        )
        .default("ignore")
        .because("clients show no certificate"),
        ca_file: Key::new("ca-file", Optional(Path), "Authorities that may have issued clients' certificates."),
        crl_file: Key::new(
            "crl-file",
            Optional(Path),
            "Revocation lists for clients' certificates: of each authority and key the newest decides.",
        ),
        crl_scope: CRL_SCOPE,
        authenticate_depth: Key::new(
            "authenticate-depth",
            Count::<u8>::from(1, 255),
            "The most certificates that a client's chain may have.",
        )
        .default("9"),
        handshake_timeout: HANDSHAKE,
        session_ticket: Key::new(
            "session-ticket",
            Flag,
            "Give clients session tickets to resume with. The keys of \
                                                          tickets rotate."
        )
        .default("true")
        .because("returning clients skip half of the handshake"),
        cache_size: Key::new(
            "cache-size",
            Count::<u32>::from(0, 1_000_000),
            "Sessions kept in memory for clients without tickets.",
        )
        .default("0")
        .because("sessions in memory, for clients without tickets"),
        alpn: ALPN,
    }
);

fn check(profile: &ClientSsl, fields: &Fields<'_>) {
    check_versions(profile.versions, fields);
    if profile.peer_cert_mode != PeerCertMode::Ignore
        && profile.ca_file.is_none()
        && fields.is_good(ClientSslKeys::ca_file())
    {
        let name = fields.name;
        let message = format!("profile `{name}` asks clients for certificates and has no `ca-file` to check them with");
        let help = "write `ca-file: clients-ca.pem`".to_owned();
        fields.error(fields.place(ClientSslKeys::peer_cert_mode()), message, Some(help));
    }
}
