//! Live ports: does a server show a certificate at all?

use std::collections::BTreeSet;

use super::audience::{self, Who};
use super::clients::Client;
use super::{Check, Clients, Family, Finding, Severity, Use};

pub(super) static CHECKS: &[&Check] = &[&PORT_PLAINTEXT, &PORT_UNREACHABLE, &TLS_HANDSHAKE_FAILED, &TLS_NOT_AGREED];

static PORT_PLAINTEXT: Check = Check {
    id: "port-plaintext",
    family: Family::Live,
    severity: Severity::Error,
    title: "the port speaks another protocol than TLS",
    basis: "RFC 8446, section 4.1",
    clients: Clients::Concerns("whoever begins TLS with the port"),
    explanation: "The port was sent a TLS hello and answered with something that is no TLS record. An impalad encrypts its client \
        ports when it is started with `--ssl_server_certificate` and `--ssl_private_key`, and its web port with \
        `--webserver_certificate_file` alone.\n\n\
        Behind an offload virtual server members are to speak plaintext, and this is as it should be.",
    remedy: "start the server with a certificate, or connect to its TLS port",
};

static PORT_UNREACHABLE: Check = Check {
    id: "port-unreachable",
    family: Family::Live,
    severity: Severity::Error,
    title: "nobody can connect to the port",
    basis: "RFC 9293, section 3.5",
    clients: Clients::Concerns("whoever is sent there"),
    explanation: "The name does not resolve, the connection was refused, or nothing answered in time. A refusal tells that the host is \
        up and nothing listens there; silence that a firewall or the host itself is in the way.",
    remedy: "start the server, or mend the address, the port or the firewall",
};

static TLS_HANDSHAKE_FAILED: Check = Check {
    id: "tls-handshake-failed",
    family: Family::Live,
    severity: Severity::Error,
    title: "the port takes connections and comes to no certificate",
    basis: "RFC 8446, section 2; RFC 5246, section 7.3",
    clients: Clients::Concerns("whoever begins TLS with the port"),
    explanation: "The port accepted the connection and showed no certificate. A server without TLS may wait in silence: a Thrift \
        server takes the hello for the beginning of a very long frame. A busy impalad may be silent as well: two threads set \
        up connections, and with all service threads taken the kernel goes on accepting.",
    remedy: "see whether the port speaks TLS, and whether the server has threads left",
};

static TLS_NOT_AGREED: Check = Check {
    id: "tls-not-agreed",
    family: Family::Live,
    severity: Severity::Warning,
    title: "the port speaks TLS that pronk does not, so its certificate was not seen",
    basis: "RFC 8446, section 4.1.1; RFC 5246, section 7.4.1.3",
    clients: Clients::Offered,
    explanation: "pronk offers TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM or ChaCha20 on X25519, P-256 and P-384. A server that takes \
        only TLS 1.0 or 1.1, DHE, CBC or P-521 ends the handshake before it shows a certificate. Such a port is asked once more \
        with what each client offers by default: if none of them gets an answer, nobody can connect, and the finding is an error. In \
        re-encrypt pronk cannot connect to it.",
    remedy: "let the server offer one of these (`--ssl_cipher_list`, `--ssl_minimum_version`), or lint the certificate's file",
};

/// Why a port showed no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortFailure {
    /// It speaks something else.
    Plaintext,
    /// Nobody can connect to it.
    Unreachable,
    /// It accepts connections, and does not answer.
    Silent,
    /// It speaks TLS, and ends the handshake.
    Ended,
}

/// Returns a finding about the port at `address` (`host:port`): `reason` follows the address in a sentence, `expected`
/// says what it should do and for whom.
pub fn port_failure(failure: PortFailure, address: &str, reason: &str, expected: &str) -> Finding {
    let check = match failure {
        PortFailure::Plaintext => &PORT_PLAINTEXT,
        PortFailure::Unreachable => &PORT_UNREACHABLE,
        PortFailure::Silent | PortFailure::Ended => &TLS_HANDSHAKE_FAILED,
    };
    let finding = Finding::about_port(check, address, reason).observed("no certificate").expected(expected);
    match failure {
        PortFailure::Ended if reason.contains(UNKNOWN_NAME) => finding.remedy(KNOW_THE_NAME),
        PortFailure::Ended => finding.remedy(LOOK_INTO_THE_LOG),
        _ => finding,
    }
}

/// Returns a finding about a port that speaks TLS, and nothing that pronk offers. `speaking` are the clients that it
/// agrees with, by what they offer; `usages` say who connects to it.
pub fn not_agreed(address: &str, reason: &str, expected: &str, speaking: &[Client], usages: &[Use]) -> Finding {
    let audience: BTreeSet<_> = usages.iter().flat_map(|usage| audience::of(*usage)).collect();
    let fails = |who: &&Who| !matches!(who, Who::Client(client) if speaking.contains(client));
    let refusing: BTreeSet<_> = audience.iter().filter(fails).copied().collect();
    let severity = if refusing == audience { Severity::Error } else { Severity::Warning };
    let mut finding = Finding::about_port(&TLS_NOT_AGREED, address, reason)
        .severity(severity)
        .observed("no certificate")
        .expected(expected);
    finding.clients = audience::sentence(&refusing, &audience);
    finding
}

/// As TLS alerts call it (RFC 6066, section 3).
const UNKNOWN_NAME: &str = "unrecognized_name";
const KNOW_THE_NAME: &str =
    "give the server a certificate for the name that it is asked for, or ask for another with --hostname";
const LOOK_INTO_THE_LOG: &str = "look into the server's log for why it ends the handshake";
