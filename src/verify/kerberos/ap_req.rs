//! The token with which a client shows a ticket to a service: an AP-REQ (RFC 4120) for GSSAPI (RFC 4121).

use std::time::SystemTime;

use super::ccache::Credential;
use super::crypto::encrypt;
use super::encode::{CONTEXT, GENERAL_STRING, NT_PRINCIPAL, element, field, integer, name, sequence};
use crate::cert::der;

/// Returns the token; none where the ticket's key is of a kind that is not known here.
pub(super) fn token(credential: &Credential) -> Option<Vec<u8>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let time = time::OffsetDateTime::from_unix_timestamp(now.as_secs() as i64).ok()?;
    let stamp = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    let client: Vec<_> = credential.client.components.iter().map(String::as_str).collect();
    // No channel bindings, and what a client wants of the context.
    let checksum = [&16u32.to_le_bytes()[..], &[0; 16], &(MUTUAL | INTEGRITY).to_le_bytes()].concat();
    let checksum =
        [field(0, &element(der::INTEGER, &[0, 0x80, 0x03])), field(1, &element(der::OCTET_STRING, &checksum))];
    let micros = element(der::INTEGER, &(now.subsec_micros() & 0x7fff_ffff).to_be_bytes());
    let authenticator = [
        field(0, &integer(5)),
        field(1, &element(GENERAL_STRING, credential.client.realm.as_bytes())),
        field(2, &name(NT_PRINCIPAL, &client)),
        field(3, &sequence(&checksum.concat())),
        field(4, &micros),
        field(5, &element(der::GENERALIZED_TIME, stamp.as_bytes())),
    ];
    let authenticator = element(AUTHENTICATOR, &sequence(&authenticator.concat()));
    let encrypted = [
        field(0, &integer(u8::try_from(credential.key.encryption).ok()?)),
        field(2, &element(der::OCTET_STRING, &encrypt(&credential.key, AP_REQ_AUTHENTICATOR, &authenticator)?)),
    ];
    let request = [
        field(0, &integer(5)),
        field(1, &integer(14)),
        field(2, &element(der::BIT_STRING, &[0, MUTUAL_REQUIRED, 0, 0, 0])),
        element(CONTEXT | 3, &credential.ticket),
        field(4, &sequence(&encrypted.concat())),
    ];
    let request = element(AP_REQ, &sequence(&request.concat()));
    Some(element(GSSAPI, &[KERBEROS, &[1, 0], &request].concat()))
}

/// The use of the session key (RFC 4120, section 7.5.1).
const AP_REQ_AUTHENTICATOR: u32 = 11;
const AUTHENTICATOR: u8 = 0x62;
const AP_REQ: u8 = 0x6e;
const MUTUAL_REQUIRED: u8 = 0x20;
const GSSAPI: u8 = 0x60;
/// 1.2.840.113554.1.2.2, with tag and length.
const KERBEROS: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
const MUTUAL: u32 = 2;
const INTEGRITY: u32 = 32;
