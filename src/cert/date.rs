//! Points in time as people and programs read them.

use time::OffsetDateTime;

/// Returns a point in time, from seconds since 1970: `2027-02-03 04:05:06 UTC`.
pub fn moment(seconds: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(at) => {
            let (hour, minute, second) = at.to_hms();
            format!("{} {hour:02}:{minute:02}:{second:02} UTC", at.date())
        }
        Err(_) => format!("{seconds} s since 1970"),
    }
}

/// Like [`moment`], in the form of RFC 3339: `2027-02-03T04:05:06Z`.
pub fn instant(seconds: i64) -> String {
    moment(seconds).replacen(' ', "T", 1).replace(" UTC", "Z")
}

/// Returns the day, from seconds since 1970: `2027-02-03`.
pub fn day(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| moment(seconds), |at| at.date().to_string())
}
