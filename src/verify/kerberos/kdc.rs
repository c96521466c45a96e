//! Asking a KDC without credentials: its time, whether it knows a principal, and the number of that one's key (RFC 4120).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::encode::{CONTEXT, GENERAL_STRING, NT_PRINCIPAL, NT_SRV_HST, element, field, integer, name, sequence};
use super::keytab::Principal;
use crate::cert::der;
use crate::net;
use crate::reading::os_reason;
use crate::verify::scope::LIMIT;

/// What a KDC says to somebody who asks for a ticket and shows no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KdcAnswer {
    /// A ticket for the principal, encrypted with its key of this number.
    Ticket { kvno: Option<u32> },
    /// An error, with the KDC's time in seconds since 1970.
    Refused { code: u32, time: i64 },
}

/// Asks a KDC, as krb5.conf names it, for a ticket for a principal in its own name. Nobody but its owner can read the
/// answer, and a KDC that demands pre-authentication gives none.
///
/// # Errors
/// It does not answer, in words.
pub(super) async fn ask(kdc: &str, principal: &Principal) -> Result<KdcAnswer, String> {
    let kdc = kdc.strip_prefix("tcp/").unwrap_or(kdc);
    let (host, port) = host_and_port(kdc);
    let found = timeout(LIMIT, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(found) => found.map_err(|error| format!("it does not resolve: {}", os_reason(&error)))?.collect(),
        Err(_) => return Err("its name does not resolve in time".to_owned()),
    };
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match timeout(LIMIT, exchange(address, &request(principal))).await {
            Ok(Ok(answer)) => {
                return parse(&answer).ok_or_else(|| "it answers something that is not Kerberos".to_owned());
            }
            Ok(Err(reason)) => last = reason,
            Err(_) => "no answer in time".clone_into(&mut last),
        }
    }
    Err(last)
}

fn host_and_port(text: &str) -> (&str, u16) {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
            (host.trim_matches(['[', ']']), port.parse().unwrap_or(KERBEROS))
        }
        _ => (text.trim_matches(['[', ']']), KERBEROS),
    }
}

async fn exchange(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>, String> {
    let mut stream = net::connect(address).await.map_err(|error| error.to_string())?;
    let told = |error: std::io::Error| os_reason(&error);
    let message = [&(request.len() as u32).to_be_bytes()[..], request].concat();
    stream.write_all(&message).await.map_err(told)?;
    let length = stream.read_u32().await.map_err(told)?;
    let mut answer = Vec::new();
    stream.take(u64::from(length.min(LONGEST))).read_to_end(&mut answer).await.map_err(told)?;
    Ok(answer)
}

/// Returns an AS-REQ of a principal for a ticket to itself, without pre-authentication: the ticket tells the number of
/// its key.
fn request(principal: &Principal) -> Vec<u8> {
    let own: Vec<_> = principal.components.iter().map(String::as_str).collect();
    let types: Vec<_> = ENCRYPTION_TYPES.iter().flat_map(|kind| integer(*kind)).collect();
    let body = [
        field(0, &element(der::BIT_STRING, &[0; 5])),
        field(1, &name(NT_PRINCIPAL, &own)),
        field(2, &element(GENERAL_STRING, principal.realm.as_bytes())),
        field(3, &name(NT_SRV_HST, &own)),
        field(5, &element(der::GENERALIZED_TIME, b"19700101000000Z")),
        field(7, &element(der::INTEGER, &fastrand::u32(..1 << 30).to_be_bytes())),
        field(8, &sequence(&types)),
    ];
    let fields = [field(1, &integer(5)), field(2, &integer(AS_REQ)), field(4, &sequence(&body.concat()))];
    element(APPLICATION | AS_REQ, &sequence(&fields.concat()))
}

/// Reads an AS-REP or a KRB-ERROR.
fn parse(answer: &[u8]) -> Option<KdcAnswer> {
    let (message, _) = der::first(answer)?;
    let fields = der::inside(message.contents, der::SEQUENCE)?;
    let within = |number: u8| fields.iter().find(|it| it.tag == CONTEXT | number).map(|it| it.contents);
    match message.tag.checked_sub(APPLICATION)? {
        AS_REP => {
            let (ticket, _) = der::first(within(5)?)?;
            let ticket = der::inside(ticket.contents, der::SEQUENCE)?;
            let encrypted = ticket.iter().find(|it| it.tag == CONTEXT | 3)?;
            let encrypted = der::inside(encrypted.contents, der::SEQUENCE)?;
            let kvno = encrypted.iter().find(|it| it.tag == CONTEXT | 1);
            Some(KdcAnswer::Ticket { kvno: kvno.and_then(|it| der::small_number(der::first(it.contents)?.0)) })
        }
        KRB_ERROR => {
            let (time, _) = der::first(within(4)?)?;
            let code = der::small_number(der::first(within(6)?)?.0)?;
            Some(KdcAnswer::Refused { code, time: seconds(std::str::from_utf8(time.contents).ok()?)? })
        }
        _ => None,
    }
}

/// Reads `20260102030405Z` as seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let month = time::Month::try_from(u8::try_from(part(4, 6)?).ok()?).ok()?;
    let date = time::Date::from_calendar_date(part(0, 4)? as i32, month, part(6, 8)? as u8).ok()?;
    let of_day = time::Time::from_hms(part(8, 10)? as u8, part(10, 12)? as u8, part(12, 14)? as u8).ok()?;
    Some(date.with_time(of_day).assume_utc().unix_timestamp())
}

/// Errors of a KDC (RFC 4120, section 7.5.9).
pub(super) const PRINCIPAL_UNKNOWN: u32 = 6;
pub(super) const WRONG_REALM: u32 = 68;

const KERBEROS: u16 = 88;
/// AES with SHA-1, AES with SHA-2, RC4.
const ENCRYPTION_TYPES: [u8; 5] = [18, 17, 20, 19, 23];
const AS_REQ: u8 = 10;
const AS_REP: u8 = 11;
const KRB_ERROR: u8 = 30;
const APPLICATION: u8 = 0x60;
const LONGEST: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_kdc_tells_its_time() {
        let time = element(der::GENERALIZED_TIME, b"20260102030405Z");
        let fields = [field(4, &time), field(6, &integer(6))].concat();
        let error = element(APPLICATION | KRB_ERROR, &sequence(&fields));
        assert_eq!(parse(&error), Some(KdcAnswer::Refused { code: PRINCIPAL_UNKNOWN, time: 1_767_323_045 }));
        assert_eq!(parse(b"HTTP/1.1 400"), None);
    }

    #[test]
    fn ticket_tells_the_number_of_the_key() {
        let encrypted = sequence(&[field(0, &integer(18)), field(1, &integer(3))].concat());
        let ticket = element(APPLICATION | 1, &sequence(&field(3, &encrypted)));
        let reply = element(APPLICATION | AS_REP, &sequence(&field(5, &ticket)));
        assert_eq!(parse(&reply), Some(KdcAnswer::Ticket { kvno: Some(3) }));
    }

    #[test]
    fn kdcs_are_named_with_or_without_a_port() {
        for (text, parts) in [("kdc", ("kdc", 88)), ("kdc:750", ("kdc", 750)), ("[fd00::1]:750", ("fd00::1", 750))] {
            assert_eq!(host_and_port(text), parts);
        }
        assert_eq!(host_and_port("fd00::1"), ("fd00::1", 88));
    }
}
