//! Values of options: what is no value is told in words of ours, and exits with the code of usage.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::cert::entry::is_entry_name;
use crate::config;
use crate::reading::os_reason;
use crate::store::{Names, NamesError};

/// Returns a number of days, from 1 to a hundred years.
pub(super) fn days(text: &str) -> Result<u32, String> {
    number(text, 1..=36_500)
}

/// Returns a number of days, which may be 0.
pub(super) fn days_or_none(text: &str) -> Result<u32, String> {
    number(text, 0..=36_500)
}

/// Returns a ratio.
pub(super) fn ratio(text: &str) -> Result<u32, String> {
    number(text, 1..=65535)
}

/// Returns a number of threads.
pub(super) fn threads(text: &str) -> Result<u16, String> {
    number(text, 1..=1024)
}

/// Returns a duration, such as 30 (seconds) or 1h30m.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    config::duration(text).ok_or("a duration is a number of seconds, or numbers with ms, s, m, h or d, such as 1h30m")
}

/// Returns an IP address.
pub(super) fn address(text: &str) -> Result<IpAddr, &'static str> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| "it is no IP address, such as 10.17.80.5 or fd00::5")
}

/// Returns the name of an entry of the certificate store.
pub(super) fn entry(text: &str) -> Result<String, &'static str> {
    let is_name = is_entry_name(text);
    if is_name { Ok(text.to_owned()) } else { Err("an entry of the certificate store is named by a single file name") }
}

/// Returns a DNS name that a certificate can have.
pub(super) fn dns_name(text: &str) -> Result<String, String> {
    match Names::of_server(None, &[text.to_owned()], &[]) {
        // A name that is too long for a common name can be among the alternative names.
        Ok(_) | Err(NamesError::CommonName(_)) => Ok(text.to_owned()),
        Err(NamesError::Dns { reason, .. }) => Err(reason),
        Err(NamesError::AddressAsDns(_)) => Err("it is an IP address: give it with --ip".to_owned()),
        Err(wrong) => Err(wrong.to_string()),
    }
}

/// Returns the permissions of the admin socket.
pub(super) fn socket_mode(text: &str) -> Result<u32, &'static str> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| mode & !0o660 == 0 && mode & 0o600 == 0o600);
    mode.ok_or("it must be 0600 (its owner alone) or 0660 (its group too)")
}

/// Returns the number of a group, given by number or by a name of /etc/group.
pub(super) fn group(text: &str) -> Result<u32, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let groups =
        std::fs::read_to_string(GROUPS).map_err(|error| format!("cannot read {GROUPS}: {}", os_reason(&error)))?;
    let mut numbers = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(text)).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    numbers
        .next()
        .ok_or_else(|| format!("{GROUPS} has no such group; one that is kept elsewhere is given by its number"))
}

fn number<T: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| range.contains(number)).and_then(|number| number.try_into().ok());
    number.ok_or_else(|| format!("it must be a whole number from {} to {}", range.start(), range.end()))
}

const GROUPS: &str = "/etc/group";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused_in_words() {
        assert_eq!((days("365"), threads("8"), days_or_none("0")), (Ok(365), Ok(8), Ok(0)));
        for bad in ["", "0", "-1", "x", "1.5", "36501", "99999999999999999999", " 1"] {
            assert_eq!(days(bad), Err("it must be a whole number from 1 to 36500".to_owned()), "{bad}");
        }
        assert_eq!(address("[fd00::5]"), address("fd00::5"));
        assert!(address("10.1.1").is_err() && address("").is_err());
        assert_eq!(
            (socket_mode("0660"), socket_mode("600"), group("root"), group("7")),
            (Ok(0o660), Ok(0o600), Ok(0), Ok(7))
        );
        assert!(["0666", "0400", "0060", "x", ""].iter().all(|bad| socket_mode(bad).is_err()));
        assert!(group("no-such-group").unwrap_err().contains("/etc/group"));
        assert!(entry("lb").is_ok() && entry("../lb").is_err() && entry("").is_err() && entry("a/b").is_err());
        assert!(dns_name("*.example.com").is_ok() && dns_name("a b").is_err() && dns_name("10.0.0.1").is_err());
    }
}
