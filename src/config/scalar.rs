//! Values with units.

use std::time::Duration;

/// Returns a duration: a number of seconds, or numbers with units, such as `90s`, `1.5s`, `1h30m` or `10 seconds`. Whole
/// milliseconds only.
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    let mut longest = u64::MAX;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = match unit {
            // Only a number that is all there is may do without.
            "" if after.is_empty() && total == 0 && longest == u64::MAX => 1000,
            unit => milliseconds(unit)?,
        };
        // From the largest to the smallest, each once, as people write it.
        if unit >= longest {
            return None;
        }
        longest = unit;
        total = total.checked_add(times(number, unit)?)?;
        rest = after.trim_start();
    }
    Some(Duration::from_millis(total))
}

/// Returns the milliseconds of a unit.
fn milliseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    })
}

/// Returns a number, perhaps with decimals, times a unit, if that is a whole number.
fn times(number: &str, unit: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if number.contains('.') && decimals.is_empty() || decimals.len() > 9 {
        return None;
    }
    let parts: u64 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    let scale = 10_u64.pow(decimals.len() as u32);
    let parts = parts.checked_mul(unit)?;
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    parts.is_multiple_of(scale).then(|| whole.checked_add(parts / scale))?
}

/// Milliseconds in the largest unit that writes them whole.
pub(super) fn in_units(milliseconds: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    match units.into_iter().find(|(unit, _)| milliseconds >= *unit && milliseconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", milliseconds / unit),
        None => format!("{milliseconds}ms"),
    }
}

/// Returns a count, or a size in bytes: a number with `B`, `KiB`, `MiB` or `GiB`.
pub(super) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Returns a network mask in bits: `/24`, `24` or `255.255.255.0`.
pub(super) fn mask_v4(text: &str) -> Option<u8> {
    if let Ok(mask) = text.parse::<std::net::Ipv4Addr>() {
        let bits = mask.to_bits();
        return (bits.leading_ones() == bits.count_ones()).then_some(bits.count_ones() as u8);
    }
    text.trim_start_matches('/').parse().ok().filter(|bits| *bits <= 32)
}

/// Returns the beginning of a day written as `2027-01-31`, in seconds since 1970 (UTC).
pub(super) fn day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| parts.next().filter(|part| part.len() == digits)?.parse::<u16>().ok();
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = time::Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp())
}

/// Returns the name of an environment variable that a shell can set (POSIX, section 8.1).
pub(super) fn variable(text: &str) -> Option<String> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let good = text.starts_with(first) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    good.then(|| text.to_owned())
}

/// Returns a regular expression over bytes, of a size that compiles at once.
pub(super) fn pattern(text: &str) -> Result<regex::bytes::Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(text).size_limit(1 << 20).build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_units() {
        let seconds = |text| duration(text).map(|it| it.as_secs_f64());
        assert_eq!(seconds("3600"), Some(3600.0));
        assert_eq!(seconds("1h"), Some(3600.0));
        assert_eq!(seconds("5 m"), Some(300.0));
        assert_eq!(seconds("250ms"), Some(0.25));
        for (good, expected) in [
            ("1h30m", 5400.0),
            ("1h 30m", 5400.0),
            ("1.5s", 1.5),
            ("1.5h", 5400.0),
            ("0.25", 0.25),
            ("30s", 30.0),
            ("10 seconds", 10.0),
            ("1 hour", 3600.0),
            ("1 day 2 hours", 93_600.0),
            ("2min", 120.0),
            ("1m500ms", 60.5),
            ("0", 0.0),
            ("0s", 0.0),
        ] {
            assert_eq!(seconds(good), Some(expected), "{good}");
        }
        for bad in [
            "",
            "h",
            "-5",
            "99999999999999999999d",
            "1s1h",
            "1h1h",
            "1h30",
            "1.5ms",
            "1.",
            ".5s",
            "1..5s",
            "1 fortnight",
            "1e3",
            "+5",
            "1,5s",
            "5 5",
            "5S",
            "１s",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(count("64KiB"), Some(65536));
    }

    #[test]
    fn durations_are_told_in_whole_units() {
        let told = [1, 1500, 60_000, 5 * 3_600_000, 3 * 86_400_000].map(in_units);
        assert_eq!(told, ["1ms", "1500ms", "1m", "5h", "3d"]);
    }

    #[test]
    fn days_are_of_the_calendar() {
        assert_eq!(day("1970-01-02"), Some(86_400));
        for bad in ["2027-02-29", "2027-1-1", "31.01.2027", "", "2027-01-01-01"] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }

    #[test]
    fn masks() {
        assert_eq!(mask_v4("255.255.255.0"), Some(24));
        assert_eq!(mask_v4("/16"), Some(16));
        assert_eq!(mask_v4("255.0.255.0"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let _ = (duration(&text), count(&text), mask_v4(&text), day(&text));
        }
    }
}
