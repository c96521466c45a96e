//! The keys of a server-ssl profile.

use std::sync::Arc;

use super::certificate::ClientCertificateKeys;
use super::declare::settings;
use super::key::Key;
use super::kind::{CertificateName, Count, HostName, Optional, Path, TrustAnchorsFile, Words};
use super::profile::{ReadProfile, list_common};
use super::section::Section;
use super::setting::{EntryName, Setting};
use super::ssl::{ALPN, CIPHERS, CRL_SCOPE, HANDSHAKE, VersionKeys, check_versions};
use super::typed::Type;
use crate::model::profile::{CertResponse, ServerSsl};

pub(super) const SERVER_SSL: Type<ReadProfile> = Type {
    word: "server-ssl",
    root: "serverssl",
    head: "The parent of every server-ssl profile: TLS toward members. Unlike F5's, it verifies the impalad's \
           certificate: who issued it, and that it names the node (its hostname, else its address).",
    defaults: &[],
    read: |fields, profiles| {
        let profile = ServerSslKeys.read(fields);
        check_versions(profile.versions, fields);
        profiles.server_ssl.insert(profile.name.clone(), Arc::new(profile));
    },
    section: Section {
        name: "server-ssl profile",
        doc: "How TLS toward members is begun. Unlike F5's, it verifies unless told otherwise.",
        list: |keys| {
            list_common(keys);
            const { &ServerSslKeys }.list(keys);
        },
    },
};

settings!(
    ServerSslKeys = ServerSsl {
        name: EntryName,
        ca_file: Key::new(
            "ca-file",
            TrustAnchorsFile,
            "Authorities that may have issued members' certificates: a file, the system's store, or Mozilla's \
             list.",
        )
        .default("system")
        .because("most clusters have an authority of their own: name its file"),
        crl_file: Key::new(
            "crl-file",
            Optional(Path),
            "Revocation lists for members' certificates: of each authority and key the newest decides.",
        ),
        crl_scope: CRL_SCOPE,
        verify: Key::new(
            "peer-cert-mode",
            Words { all: &[true, false], word: |verify| if verify { "require" } else { "ignore" } },
            "`ignore` verifies nothing.",
        )
        .default("require")
        .refusing(&[("request", "a member always shows its certificate: it is verified (require) or not (ignore)")]),
        authenticate_name: Key::new(
            "authenticate-name",
            Optional(CertificateName),
            "The name that certificates must carry; by default the node's hostname, else its address.",
        ),
        server_name: Key::new("server-name", Optional(HostName), "The SNI to send; by default the node's hostname."),
        expire_cert_response: Key::new(
            "expire-cert-response-control",
            RESPONSE,
            "What happens with an expired \
                                                                                  certificate."
        )
        .default("drop"),
        untrusted_cert_response: Key::new(
            "untrusted-cert-response-control",
            RESPONSE,
            "What happens with a \
                                                                                        certificate from an unknown \
                                                                                        issuer."
        )
        .default("drop"),
        client_certificate: ClientCertificateKeys,
        versions: VersionKeys,
        cipher_group: CIPHERS,
        handshake_timeout: HANDSHAKE,
        cache_size: Key::new("cache-size", Count::<u32>::from(0, 1_000_000), "Sessions kept for each member.")
            .default("256")
            .because("sessions kept for each member, which spares it half of a handshake"),
        alpn: ALPN,
    }
);

const RESPONSE: Words<CertResponse> = Words { all: &CertResponse::ALL, word: CertResponse::as_str };
