//! A line of the tokens file: `name role sha256:HEX`, and `expires=2027-01-31T00:00:00Z` where it ends.

use time::{Date, Month, OffsetDateTime, Time};

use super::role::Role;
use super::secret::Digest;
use super::token::{Token, check_name};
use crate::cert::date;
use crate::cert::hex::{self, hexadecimal};
use crate::words::shown;

/// Reads a line; `None` if it has nothing but a comment.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(line: &str) -> Result<Option<Token>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let words: Vec<_> = line.split_whitespace().collect();
    let (name, role, hash, expires) = match words.as_slice() {
        [name, role, hash] => (name, role, hash, None),
        [name, role, hash, expires] => (name, role, hash, Some(expires)),
        // Of a line in another form no word is repeated: it may have a secret.
        _ => return Err("it is not `name role sha256:HASH`".to_owned()),
    };
    check_name(name)?;
    let role = Role::parse(role).ok_or_else(|| format!("`{}` is not viewer, operator or admin", shown(role)))?;
    let digest = hash.strip_prefix(ALGORITHM).and_then(|text| Digest::try_from(hex::bytes(text)?).ok()).ok_or_else(|| {
        format!("the hash of `{name}` is not `{ALGORITHM}` and 64 hexadecimal digits; a token itself is not put into the file")
    })?;
    let expires = expires.map(|word| {
        let instant = word.strip_prefix(EXPIRES).and_then(instant);
        instant.ok_or_else(|| format!("`{}` is not `{EXPIRES}` and a time such as 2027-01-31T00:00:00Z", shown(word)))
    });
    Ok(Some(Token { name: (*name).to_owned(), role, expires: expires.transpose()?, digest }))
}

/// Returns the line of a token.
pub(super) fn write(token: &Token) -> String {
    let Token { name, role, expires, digest } = token;
    let expires = expires.map(|end| format!(" {EXPIRES}{}", date::instant(end))).unwrap_or_default();
    format!("{name} {} {ALGORITHM}{}{expires}", role.as_str(), hexadecimal(digest))
}

/// Reads a time in UTC, in the form of RFC 3339: seconds since 1970.
fn instant(text: &str) -> Option<i64> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, between: char| -> Option<[u16; 3]> {
        let numbers: Vec<_> = text.split(between).map(|it| it.parse().ok()).collect::<Option<_>>()?;
        numbers.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(day, '-')?, numbers(time, ':')?);
    let small = |number: u16| u8::try_from(number).ok();
    let day = Date::from_calendar_date(year.into(), Month::try_from(small(month)?).ok()?, small(day)?).ok()?;
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    Some(OffsetDateTime::new_utc(day, time).unix_timestamp())
}

const ALGORITHM: &str = "sha256:";
const EXPIRES: &str = "expires=";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Secret;

    #[test]
    fn line_reads_back_as_its_token() {
        let secret = Secret::generate().unwrap();
        for (role, expires) in [(Role::Viewer, None), (Role::Operator, Some(1_801_440_000)), (Role::Admin, Some(0))] {
            let token = Token::new("ci@example.com", role, expires, &secret).unwrap();
            assert_eq!(parse(&write(&token)).unwrap().unwrap(), token);
        }
        assert!([" ", "# ci admin", ""].iter().all(|line| parse(line).unwrap().is_none()));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_and_no_secret_repeated() {
        let hash = format!("sha256:{}", "0".repeat(64));
        let secret = Secret::generate().unwrap();
        for (line, told) in [
            (secret.text().to_owned(), "name role"),
            (format!("ci admin {}", secret.text()), "64 hexadecimal digits"),
            (format!("ci root {hash}"), "`root` is not viewer, operator or admin"),
            (format!("a/b admin {hash}"), "a token's name"),
            (format!("ci admin {hash}0"), "64 hexadecimal digits"),
            (format!("ci admin sha256:{}", "+1".repeat(32)), "64 hexadecimal digits"),
            (format!("ci admin {hash} expires=2027-02-30T00:00:00Z"), "is not `expires=`"),
            (format!("ci admin {hash} 2027-01-31"), "is not `expires=`"),
        ] {
            let wrong = parse(&line).unwrap_err();
            assert!(wrong.contains(told) && !wrong.contains(secret.text()), "{line}: {wrong}");
        }
    }
}
