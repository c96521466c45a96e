//! The time of a line.

use std::time::SystemTime;

use time::UtcDateTime;

/// Returns a time as RFC 3339 has it, in UTC and to the microsecond.
pub(super) fn timestamp(time: SystemTime) -> [u8; 27] {
    let time = UtcDateTime::from(time);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second, micros) = time.as_hms_micro();
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |end: usize, mut number: u32| {
        for digit in text[..end].iter_mut().rev() {
            if number == 0 {
                break;
            }
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    put(4, year.clamp(0, 9999) as u32);
    let rest = [(7, u8::from(month)), (10, day), (13, hour), (16, minute), (19, second)];
    rest.into_iter().for_each(|(end, number)| put(end, number.into()));
    put(26, micros);
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_is_that_of_rfc_3339() {
        for (seconds, micros, written) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (951_826_154, 7, "2000-02-29T12:09:14.000007Z"),
            (1_795_747_565, 999_999, "2026-11-27T02:46:05.999999Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros);
            assert_eq!(str::from_utf8(&timestamp(time)).unwrap(), written);
        }
    }
}
